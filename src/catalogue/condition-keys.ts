/** The condition keys that a policy may name: what each means, who may set it, and when a request lacks it. */
import { foldName } from './action-row.js';
import { readRows, RowReader } from './schema-file.js';

export type ConditionKeyType = 'string' | 'string-set' | 'bool' | 'number' | 'date' | 'ip';

/**
 * The least trusted party whose word is taken for a key (rule 17). SERVER: the server alone. SERVICE: the server, and
 * services asking for somebody. CALLER: whoever asks for a decision. What the server knows always wins.
 */
export type ConditionKeySetter = 'SERVER' | 'SERVICE' | 'CALLER';

/**
 * When a request carries the key. ALWAYS and FOR_USERS: whenever it means anything (a service has no user id).
 * IN_WORKSPACE: unless the request acts in account scope. WHEN_KNOWN: it may be missing, which disarms a Deny that
 * compares it by a positive operator (rule 9).
 */
export type ConditionKeyPresence = 'ALWAYS' | 'FOR_USERS' | 'IN_WORKSPACE' | 'WHEN_KNOWN';

/** One condition key; source docs/domain.md section a2. */
export interface ConditionKey {
  /** As published; `g:ResourceTag/<tag-key>` stands for every key that continues after the slash. */
  readonly key: string;
  readonly type: ConditionKeyType;
  readonly meaning: string;
  readonly setBy: ConditionKeySetter;
  readonly filled: ConditionKeyPresence;
  /** A clause that says when the key is missing; null for keys that never are. */
  readonly absentWhen: string | null;
  /** Policy versions whose pages name the key; information, every version may use it. */
  readonly worlds: readonly string[];
  /** False for names of the 5.0 families that no page read confirms. */
  readonly documented: boolean;
}

/** The platform's keys, in the order in which section a2 lists them. */
export const platformConditionKeys: readonly ConditionKey[] = readRows('policies/condition-keys.json').map((row) => {
  const read = new RowReader(row, 'schema/policies/condition-keys.json');
  const key: ConditionKey = {
    key: read.text('key'),
    type: read.oneOf('type', ['string', 'string-set', 'bool', 'number', 'date', 'ip']),
    meaning: read.text('meaning'),
    setBy: read.oneOf('setBy', ['SERVER', 'SERVICE', 'CALLER']),
    filled: read.oneOf('filled', ['ALWAYS', 'FOR_USERS', 'IN_WORKSPACE', 'WHEN_KNOWN']),
    absentWhen: read.optionalText('absentWhen'),
    worlds: read.texts('worlds'),
    documented: read.flag('documented'),
  };
  if ((key.absentWhen === null) !== (key.filled === 'ALWAYS')) {
    throw new Error(`schema/policies/condition-keys.json: \`${key.key}\` must say \`absentWhen\` unless filled ALWAYS`);
  }
  return key;
});

/** The key of a service's own, as its registration names it: only that service's word is taken for it. */
export function registeredConditionKey(key: string): ConditionKey {
  return {
    key,
    type: 'string',
    meaning: 'fact that the owning service states when it asks for a decision',
    setBy: 'SERVICE',
    filled: 'WHEN_KNOWN',
    absentWhen: 'the asking service does not name it',
    worlds: ['1.1', '5.0'],
    documented: false,
  };
}

/** Finds keys by name without letter case; `g:ResourceTag/team` finds the row of `g:ResourceTag/<tag-key>`. */
export class ConditionKeyIndex {
  private readonly exact = new Map<string, ConditionKey>();
  private readonly families = new Map<string, ConditionKey>();

  constructor(readonly keys: readonly ConditionKey[]) {
    for (const key of keys) {
      const family = /^(.*\/)<[^>]*>$/.exec(key.key)?.[1];
      if (family === undefined) this.exact.set(foldName(key.key), key);
      else this.families.set(foldName(family), key);
    }
  }

  find(name: string): ConditionKey | undefined {
    const folded = foldName(name);
    const slash = folded.indexOf('/');
    if (slash === -1) return this.exact.get(folded);
    // The family without a tag behind the slash names nothing.
    return slash === folded.length - 1 ? undefined : this.families.get(folded.slice(0, slash + 1));
  }
}
