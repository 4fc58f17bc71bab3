/**
 * The order of the files: those that are known to take longest come first, so that no worker begins one when the others
 * have nothing left. Vitest knows how long a file takes only where it has run before, and takes large ones first until
 * then; these are small.
 * Those that have a process of their own come last, when no worker is needed any more: the one that finishes before such a
 * file is ended for it, and the next would have to load the program again.
 */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const longest = [
  'matrix/isolation',
  'crash/crash',
  'history/history',
  'e2e/background-job',
  'matrix/matrix.postgres',
  'cli/start',
  'apply/round-trip',
  'store/postgres',
  'cli/backup',
  'secrets/secrets',
  'http/prepared-operations',
  'matrix/matrix.sqlite',
  'cli/apply',
  'iam/workspace-deletion',
  'iam/escalation',
  'iam/delegation-graphs',
  'policy/compiled',
  'subscriptions/ends',
  'e2e/sshd',
  'cli/ssh-authorized-keys',
  'replay/replay',
  'sdk/outage',
  'bench/http',
  'fuzz/fuzz',
  'recall/recall',
  'store/limits',
  'http/disk-full',
  'cli/audit',
  'iam/revocation',
  'iam/remote-access',
  'iam/authorization-readiness',
  'store/sqlite',
  'matrix/proof',
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId, project }: TestSpecification): number => {
      if (project.config.isolate) return longest.length + 1;
      const place = longest.findIndex((name) => moduleId.endsWith(`/test/${name}.test.ts`));
      return place < 0 ? longest.length : place;
    };
    return (await super.sort(files)).sort((one, other) => rank(one) - rank(other));
  }
}
