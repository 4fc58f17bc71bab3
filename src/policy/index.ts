/**
 * The policy engine: documents in, decisions and comparisons out. This is its door, and the only thing others import.
 *
 * It is pure and total: everything it needs is given to it, every function answers for every input, and the same input
 * always gets the same answer. It must never know of a package, of Node, of the clock, of input and output, nor of
 * anything else in this house: not which actions exist, who a principal is, what a grant or a workspace is. Whoever
 * asks puts such knowledge into the request's names, context and sources.
 *
 * `evaluate` is the reference form, written to be seen right at a glance; `CompiledSources` is the quick one, judged by it.
 */
export {
  type Condition,
  type PolicyDependency,
  type PolicyDialect,
  type PolicyDocument,
  type PolicyLimits,
  policyLimits,
  type PolicyVersion,
  type Statement,
  type StatementEffect,
} from './document.js';
export { type Problem, type ProblemCode, problemCodes } from './problems.js';
export { type ParsedPolicy, parsePolicy } from './grammar.js';
export { type Comparison, type Operator, operators, type OperatorUse, type OperatorValueType } from './operators.js';
export { readOperator, type SetPrefix } from './operators.js';
export {
  type DeterminingStatement,
  evaluate,
  type Evaluation,
  type PolicyRequest,
  type PolicySource,
} from './evaluation.js';
export { CompiledSources, type TakesPart } from './compiled.js';
export { prepareDocument } from './compiled-statements.js';
export { explain, type Explanation, type ExplanationOptions } from './explanation.js';
export { type Change, type ContextChange, type Way } from './ways.js';
export { type ChangeableContext } from './context-ways.js';
export { type FailedPart, type NearMiss } from './near-misses.js';
export { type StatementChange, type StatementEdit, statementEdits } from './statement-ways.js';
export { describeChange, describeFailure } from './explanation-words.js';
export { readInstant } from './quantities.js';
export { requestValueReads, typeNames } from './conditions.js';
export {
  type Address,
  type AddressBlock,
  liesIn,
  readAddress,
  readAddressBlock,
  writeAddressBlock,
} from './addresses.js';
export { buildContext, contextWith, type RequestContext } from './context.js';
export {
  actionMatcher,
  actionPatternCovers,
  actionPatternsOverlap,
  actionsMatcher,
  isConcreteAction,
  matchesActionPattern,
  readActionName,
} from './actions.js';
export { matchesResourcePattern, resourcePatternCovers, resourcePatternsMayOverlap } from './resources.js';
export { dependsOnPrincipal, statementCovers, statementsMayOverlap } from './coverage.js';
export {
  allOf,
  anyOf,
  every,
  type Expression,
  holds,
  keyOf,
  negation,
  none,
  replaceTests,
  sizeOf,
  testOf,
} from './expressions.js';
export {
  anyResource,
  type OpenFormulas,
  openFormulas,
  type OpenKeyTest,
  type OpenRequest,
  type OpenVerdict,
  openVerdict,
  verdictOf,
} from './openness.js';
export {
  fitsPattern,
  isExact,
  open,
  type OpenTest,
  type Pattern,
  type Plan,
  planDecision,
  type PlanRequest,
  planStatements,
  type ResourceTest,
  type StatementPlans,
  type Sweep,
  sweepOf,
  tagFacts,
  upperBound,
  type UrnKey,
  weightOf,
  type Wildcard,
  withSegments,
} from './plan.js';
export { conditionsExclude } from './condition-implication.js';
export { findShadows, type Shadow } from './shadows.js';
export {
  comparePolicies,
  type ComparisonOptions,
  type ComparisonVerdict,
  type PolicyComparison,
  type Witness,
} from './comparison.js';
