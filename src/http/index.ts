/**
 * The edge: one HTTP listener that brings requests to the API and answers back. It reads heads and bodies strictly,
 * says who seems to be asking, and refuses what is malformed.
 *
 * It must never know whether a credential is good, what anybody may do, or that there is a database: it asks `iam` and
 * `graphql`, never the store.
 */
export { explorerPath, readExplorer, type ExplorerFiles } from './explorer.js';
export { LogLines } from './log-lines.js';
export { apiPath, openListener, type Listener, type ListenerOptions } from './listener.js';
export { createMetrics, serveMetrics, type Metrics, type MetricsListener } from './metrics.js';
export { serveAuthorizedKeys, SocketTaken, type SshSocket } from './ssh-socket.js';
export {
  documentId,
  DocumentRefused,
  readTrustedDocuments,
  trustDocuments,
  type DocumentMode,
  type TrustedDocuments,
} from './trusted-documents.js';
export { bodyLimit } from './body.js';
export { usualSocketLimits, type SocketLimits } from './sockets.js';
