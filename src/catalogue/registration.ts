/** Whether what a service wants to bring fits beside what is there: prefix, collisions, shape (rules 3 and 6). */
import { policyLimits, type Problem } from '../policy/index.js';
import { foldName, segmentsOf, type RegisteredAction, type RegisteredKind } from './action-row.js';
import type { Catalogue } from './catalogue.js';
import { didYouMean, quote } from './suggestion.js';

/** The longest action name that a policy can carry. */
const longestAction = policyLimits.CUSTOM.actionLength;

const segment = /^[A-Za-z][A-Za-z0-9_-]*$/;
const prefix = /^[a-z][a-z0-9-]*$/;

/**
 * Everything wrong with a registration, empty when it may join `catalogue`. Pointers read `/actions/<i>/…` and
 * `/resourceKinds/<i>/…`, the paths in the input of `createService`.
 */
export function checkRegistration(
  catalogue: Catalogue,
  actions: readonly RegisteredAction[],
  kinds: readonly RegisteredKind[] = [],
): Problem[] {
  const problems: Problem[] = [];
  const report = (code: string, pointer: string, message: string, severity: Problem['severity'] = 'ERROR'): void => {
    problems.push({ code, severity, message, pointer, line: null, column: null });
  };
  const names = new Set(actions.map((action) => foldName(action.name)));
  const seen = new Set<string>();
  actions.forEach((action, index) => {
    const at = `/actions/${index}`;
    const refusal = nameRefusal(action) ?? ownerRefusal(action, catalogue);
    if (refusal !== null) report(refusal.code, `${at}/name`, refusal.message);
    else if (seen.has(foldName(action.name))) {
      // Collisions with what is there need no look: nobody gets past the check of the prefix with one.
      report(
        'ACTION_COLLIDES',
        `${at}/name`,
        `action ${quote(action.name)} is given twice; letter case does not tell names apart`,
      );
    }
    seen.add(foldName(action.name));
    (action.dependsOn ?? []).forEach((dependency, position) => {
      if (names.has(foldName(dependency)) || catalogue.find(dependency) !== undefined) return;
      const advice = didYouMean(
        catalogue.suggest(dependency),
        'name an action of the catalogue or of this registration',
      );
      report('IAM.1036', `${at}/dependsOn/${position}`, `action ${quote(dependency)} is not registered; ${advice}`);
    });
    (action.conditionKeys ?? []).forEach((key, position) => {
      if (catalogue.findConditionKey(key) !== undefined || isOwnKey(key, action.service)) return;
      const own = `name a platform key or one of its own, ${quote(`${action.service}:<Name>`)}`;
      const advice = didYouMean(catalogue.suggestConditionKey(key), own);
      report(
        'UNKNOWN_CONDITION_KEY',
        `${at}/conditionKeys/${position}`,
        `condition key ${quote(key)} is unknown; ${advice}`,
      );
    });
  });
  const kindsWithActions = new Set(
    actions.map((action) => foldName(`${action.service}:${segmentsOf(action.name).resourceType}`)),
  );
  const seenKinds = new Set<string>();
  kinds.forEach((kind, index) => {
    const at = `/resourceKinds/${index}/name`;
    const parts = kind.name.split(':');
    if (parts.length !== 2 || parts[0] !== kind.service || !segment.test(parts[1] ?? '')) {
      report('WRONG_PREFIX', at, `resource kind ${quote(kind.name)} must read ${quote(`${kind.service}:<type>`)}`);
    } else if (catalogue.findKind(kind.name) !== undefined || seenKinds.has(foldName(kind.name))) {
      report('RESOURCE_KIND_COLLIDES', at, `resource kind ${quote(kind.name)} is already there; choose another name`);
    } else if (!kindsWithActions.has(foldName(kind.name))) {
      const advice = `register ${quote(`${kind.name}:create`)} and the like, or nobody but root can be allowed anything on it`;
      report(
        'RESOURCE_KIND_WITHOUT_ACTIONS',
        at,
        `resource kind ${quote(kind.name)} has no action; ${advice}`,
        'WARNING',
      );
    }
    seenKinds.add(foldName(kind.name));
  });
  return problems;
}

interface Refusal {
  readonly code: string;
  readonly message: string;
}

function nameRefusal(action: RegisteredAction): Refusal | null {
  const { service, resourceType, operation } = segmentsOf(action.name);
  if (action.name.length > longestAction) {
    return { code: 'IAM.1034', message: `an action name has at most ${longestAction} characters; shorten it` };
  }
  if (service !== action.service || !prefix.test(service)) {
    const message = `action ${quote(action.name)} must begin with the service's own prefix ${quote(`${action.service}:`)}`;
    return { code: 'WRONG_PREFIX', message };
  }
  if (!segment.test(resourceType) || !segment.test(operation)) {
    const message = `action ${quote(action.name)} must read ${quote(`${service}:<type>:<operation>`)}, letters, digits, \`-\` and \`_\``;
    return { code: 'ACTION_MALFORMED', message };
  }
  return null;
}

// Another service of the account may not extend a prefix either: its policies would then cover what they never meant.
function ownerRefusal(action: RegisteredAction, catalogue: Catalogue): Refusal | null {
  const taken = catalogue.services.find((service) => service.name === action.service);
  if (taken === undefined && action.service !== 'g' && action.service !== 'hw') return null;
  const owner = taken === undefined ? 'the platform' : taken.origin === 'SERVICE' ? 'another service' : 'the platform';
  const message = `prefix ${quote(action.service)} belongs to ${owner}; register under a prefix of your own`;
  return { code: 'PREFIX_TAKEN', message };
}

/** Whether a condition key is one that a service may bring: `<its prefix>:<Name>`. */
export function isOwnKey(key: string, service: string): boolean {
  return key.startsWith(`${service}:`) && segment.test(key.slice(service.length + 1));
}
