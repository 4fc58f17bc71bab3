/**
 * A line between a store and its database that breaks when the test wants it to: it hands bytes on in both directions, looks at
 * what the store sends, and cuts every connection.
 */
import { connect, createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

export interface BrokenLine {
  /** The URL by which the database is reached through the line. */
  readonly url: string;
  /**
   * Breaks the line the next time that the store sends this text.
   *
   * @param delivered whether the database is given what was sent, and does it, before the line breaks
   * @param forGood nobody gets through afterwards, until `mend`
   */
  breakAt(text: string, how: { readonly delivered: boolean; readonly forGood?: boolean }): void;
  /** Breaks it now, and for good. */
  shut(): void;
  mend(): void;
  /** How often it has broken. */
  readonly breaks: () => number;
  close(): Promise<void>;
}

export async function brokenLine(databaseUrl: string): Promise<BrokenLine> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let plan: { text: string; delivered: boolean; forGood: boolean } | null = null;
  let shut = false;
  let breaks = 0;
  const cut = (): void => {
    breaks += 1;
    for (const socket of sockets) socket.destroy();
  };
  const server = createServer((near) => {
    if (shut) return void near.destroy();
    const far = connect(Number(target.port), target.hostname);
    let silent = false;
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.on('data', (sent) => {
      const now = plan !== null && sent.includes(plan.text) ? plan : null;
      if (now === null) return void far.write(sent);
      plan = null;
      shut = now.forGood;
      if (!now.delivered) return cut();
      silent = true;
      // The first thing that comes back says that it was done.
      far.once('data', cut);
      far.write(sent);
    });
    far.on('data', (answer) => {
      if (!silent) near.write(answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: Object.assign(new URL(databaseUrl), { port: String(port) }).href,
    breakAt: (text, { delivered, forGood = false }) => {
      plan = { text, delivered, forGood };
    },
    shut: () => {
      shut = true;
      cut();
    },
    mend: () => {
      shut = false;
    },
    breaks: () => breaks,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
