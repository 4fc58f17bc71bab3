/**
 * Usage reports to Apollo, only when the operator has named a key of ours: how often which operation ran, how long it
 * took and how often it failed. No value, no header, no message goes along, and nothing that would trace one request.
 */
import type { ApolloConfigInput, ApolloServerPlugin } from '@apollo/server';
import {
  ApolloServerPluginSchemaReportingDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled';
import { ApolloServerPluginUsageReporting } from '@apollo/server/plugin/usageReporting';
import type { FastifyBaseLogger } from 'fastify';

export interface UsageReports {
  readonly key: string;
  readonly graphRef: string;
  /** Where they go; Apollo's own address when absent. */
  readonly endpointUrl?: string;
}

/** So that a server that ends is not kept from it by a remote one that does not answer. */
const patience = { maxAttempts: 2, requestTimeoutMs: 3_000 } as const;

/**
 * Said in full even when nothing is reported: what is left out Apollo Server reads from variables of its own in the
 * environment, and refuses to start when they contradict each other.
 */
export function apolloConfig(reports: UsageReports | null): ApolloConfigInput {
  const nothing = 'off';
  return { key: reports?.key ?? nothing, graphRef: reports?.graphRef ?? nothing, graphId: '', graphVariant: '' };
}

export function reportPlugins(reports: UsageReports | null, log: FastifyBaseLogger): readonly ApolloServerPlugin[] {
  // The schema is told to nobody, with a key neither.
  const disabled = [ApolloServerPluginSchemaReportingDisabled()];
  if (reports === null) return [...disabled, ApolloServerPluginUsageReportingDisabled()];
  return [
    ...disabled,
    ApolloServerPluginUsageReporting({
      ...patience,
      ...(reports.endpointUrl === undefined ? {} : { endpointUrl: reports.endpointUrl }),
      // Counts and times for each operation; no record of a single request.
      sendTraces: false,
      fieldLevelInstrumentation: 0,
      sendVariableValues: { none: true },
      sendHeaders: { none: true },
      sendErrors: { masked: true },
      // A document that does not fit the schema may be a secret pasted into the wrong field.
      sendUnexecutableOperationDocuments: false,
      // By default two headers of the client, which hold whatever it likes.
      generateClientInfo: () => ({}),
      reportErrorFunction: (error) => log.warn({ err: error }, 'a usage report could not be sent to Apollo'),
    }),
  ];
}
