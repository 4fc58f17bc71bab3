/**
 * The order of the files: those that are known to take longest come first, so that no worker begins one when the others
 * have nothing left. Vitest knows how long a file takes only where it has run before, and takes large ones first until
 * then; these are small.
 */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const longest = [
  'matrix/isolation',
  'cli/start',
  'matrix/matrix.postgres',
  'matrix/matrix.sqlite',
  'matrix/proof',
  'iam/revocation',
  'e2e/background-job',
  'cli/ssh-authorized-keys',
  'secrets/secrets',
  'cli/doctor',
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const place = longest.findIndex((name) => moduleId.endsWith(`/test/${name}.test.ts`));
      return place < 0 ? longest.length : place;
    };
    return (await super.sort(files)).sort((one, other) => rank(one) - rank(other));
  }
}
