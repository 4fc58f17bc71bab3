/**
 * Templates of the URN that a `@permission` is asked about, for this server's schema and for those of other services. It
 * knows GraphQL's types. It must never know who asks, whose ids these are, nor how a question is answered.
 */
export * from './template.js';
