/** Near misses and ways to yes in words: lower case, one line, what others wrote in backticks. */
import type { FailedPart } from './near-misses.js';
import { quote } from './problems.js';
import type { Change } from './ways.js';

/** Entries of a list that a line repeats. */
const shown = 4;

/** Why a part of a statement did not fit. */
export function describeFailure(failed: FailedPart): string {
  switch (failed.part) {
    case 'ACTION':
      return failed.excepted
        ? `the action ${quote(failed.asked)} is among those that it leaves out, ${list(failed.listed)}`
        : `the action ${quote(failed.asked)} is not among ${list(failed.listed)}`;
    case 'RESOURCE': {
      if (failed.missing.length > 0) return `the resource needs ${list(failed.missing)}, which the request lacks`;
      const [problem] = failed.problems;
      if (problem !== undefined) return problem;
      if (failed.asked === null) return `the request names no resource, and it is about ${list(failed.listed)}`;
      return failed.excepted
        ? `the resource ${quote(failed.asked)} is among those that it leaves out, ${list(failed.listed)}`
        : `the resource ${quote(failed.asked)} does not fit ${list(failed.listed)}`;
    }
    case 'CONDITION': {
      const { condition, given, missing, problems } = failed;
      const { operator, key, values } = condition;
      const asked = `${quote(operator)} on ${quote(key)} wants ${list(values)}`;
      const [problem] = problems;
      if (problem !== undefined) return problem;
      const variables = missing.filter((one) => one.toLowerCase() !== key.toLowerCase());
      if (variables.length > 0) return `${asked}, and the request lacks ${list(variables)}`;
      return given.length === 0
        ? `${asked}, and the request says nothing of it`
        : `${asked}, and the request says ${list(given)}`;
    }
  }
}

/** What a change does. */
export function describeChange(change: Change<unknown>): string {
  switch (change.kind) {
    case 'CONTEXT': {
      const { key, from, to } = change;
      if (to.length === 0) return `leave ${quote(key)} out`;
      return from.length === 0
        ? `say ${list(to)} for ${quote(key)}`
        : `say ${list(to)} for ${quote(key)} instead of ${list(from)}`;
    }
    case 'GRANT': {
      const { actions, resources } = change.statement;
      return resources === null
        ? `grant an Allow of ${list(actions)}`
        : `grant an Allow of ${list(actions)} on ${list(resources)}`;
    }
    case 'POLICY':
      return `grant the policy ${quote(change.source.name)}`;
    case 'STATEMENT': {
      const { edit, value, condition, source, statement } = change;
      const effect = statement.effect === 'DENY' ? 'Deny' : 'Allow';
      const where = `${effect} statement ${statement.index} of ${quote(source.name)}`;
      const what = quote(value ?? '');
      switch (edit) {
        case 'TAKE_AWAY':
          return `take ${where} away`;
        case 'LEAVE_OUT_ACTION':
          return `take the action ${what} out of ${where}`;
        case 'LEAVE_OUT_RESOURCE':
          return `take the resource ${what} out of ${where}`;
        case 'ADD_ACTION':
          return `add the action ${what} to ${where}`;
        case 'ADD_RESOURCE':
          return `add the resource ${what} to ${where}`;
        case 'ADD_VALUE':
          return `add the value ${what} to ${quote(condition?.operator ?? '')} on ${quote(condition?.key ?? '')} in ${where}`;
        case 'DROP_CONDITION':
          return `drop ${quote(condition?.operator ?? '')} on ${quote(condition?.key ?? '')} from ${where}`;
        case 'DROP_EXCEPTION':
          return `drop the exception ${what} from ${where}`;
      }
    }
  }
}

function list(texts: readonly string[]): string {
  const some = texts.slice(0, shown).map(quote);
  const left = texts.length - some.length;
  const [last = 'nothing', ...others] = [...some].reverse();
  if (left > 0) return `${some.join(', ')} and ${left} more`;
  return others.length === 0 ? last : `${others.reverse().join(', ')} or ${last}`;
}
