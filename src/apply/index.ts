/**
 * What files say an account should be, and what must be done for it: reading them, planning, carrying a plan out, and
 * writing an account as such files (docs/apply.md). It goes through the use-cases of iam and must never know SQL, nor
 * settings and terminals, which are the commands' business.
 */
export * from './documents.js';
export { documentFiles } from './sources.js';
export { readDocuments, readPiece, type Reading } from './reading.js';
export { readCurrent, type Current } from './current.js';
export { makePlan } from './plan.js';
export { prunableKinds, type Plan, type PlannedChange, type PrunableKind, type Verb } from './planning.js';
export { carryOut, type Carried, type Carrying } from './carrying-out.js';
export { exportAccount, exportMark, fileNames, type Export } from './export.js';
export {
  countOf,
  printable,
  printJson,
  printPlace,
  printPlan,
  printProblems,
  showChange,
  type ShownChange,
} from './printing.js';
