/** The words of the catalogue: what is said of an action, of a kind of resource, and of what a service registers. */

/** Access levels in the order in which a person thinks of them (docs/domain.md section a5). */
export const accessLevels = ['LIST', 'READ', 'WRITE', 'TAGGING', 'PERMISSION_MANAGEMENT'] as const;

export type AccessLevel = (typeof accessLevels)[number];

/** Who brought an action: the platform's published catalogue, Bailiwick itself, or a service of the account (rule 6). */
export type ActionOrigin = 'PLATFORM' | 'BAILIWICK' | 'SERVICE';

/** One action that a policy may name and a decision may be asked for. */
export interface ActionRow {
  /** `service:resourceType:operation`, spelled as published; compare without letter case. */
  readonly name: string;
  readonly service: string;
  /** Second segment; '' for the few actions of the 5.0 world that have none (`modelarts::tagResource`). */
  readonly resourceType: string;
  readonly operation: string;
  readonly accessLevel: AccessLevel;
  /**
   * Belongs to an account-level service (iam, obs, eps, bss, bailiwick). A grant in scope ACCOUNT reaches requests in
   * account scope and, for these actions only, requests in a workspace too (rule 11).
   */
  readonly global: boolean;
  /** Published as grantable through one project, here a workspace. Information; `global` is what decides. */
  readonly projectScope: boolean;
  /** May be given through an enterprise project; a grant on one never yields an action where this is false. */
  readonly enterpriseProjectScope: boolean;
  readonly description: string;
  /** Actions that a caller needs besides for the act to succeed; holding one never brings another. */
  readonly dependsOn: readonly string[];
  /** Condition keys published for this action, beside those that every request has. */
  readonly conditionKeys: readonly string[];
  /** The canonical name when this one is another spelling of it (rule 7), else null. */
  readonly aliasOf: string | null;
  /** A name of an older generation that nothing here asks any more. */
  readonly legacy: boolean;
  readonly origin: ActionOrigin;
}

/** A kind of resource, with what can be done to it. */
export interface ResourceKind {
  /** `service:type`, e.g. `modelarts:notebook`; `modelarts:` for the actions whose type segment is blank. */
  readonly name: string;
  readonly service: string;
  readonly type: string;
  /** What people call it; null when the service gave no label. */
  readonly label: string | null;
  /** Every action of the kind by access level; each level is present, if empty. */
  readonly actions: Readonly<Record<AccessLevel, readonly ActionRow[]>>;
  /** What acting on this kind needs from elsewhere: the actions' `dependsOn`, without the kind's own. */
  readonly dependsOn: readonly string[];
}

/** An action that a service of the account brings. Always project-level: it is about resources in workspaces. */
export interface RegisteredAction {
  /** The owner's prefix; the action's first segment must be exactly this. */
  readonly service: string;
  readonly name: string;
  readonly accessLevel: AccessLevel;
  readonly description?: string | undefined;
  readonly dependsOn?: readonly string[] | undefined;
  readonly conditionKeys?: readonly string[] | undefined;
}

/** A kind of resource that a service of the account brings. */
export interface RegisteredKind {
  /** The owner's prefix. */
  readonly service: string;
  /** `service:type`. */
  readonly name: string;
  readonly label?: string | undefined;
}

/** The three segments of an action name or pattern. Anything past a third colon stays in the operation. */
export function segmentsOf(action: string): { service: string; resourceType: string; operation: string } {
  const [service = '', resourceType = '', ...rest] = action.split(':');
  return { service, resourceType, operation: rest.join(':') };
}

/** Whether a pattern stands for more than one spelling. */
export function hasWildcard(pattern: string): boolean {
  return /[*?]/.test(pattern);
}

/** The key under which a name is compared: letter case never counts in action names. */
export function foldName(name: string): string {
  return name.toLowerCase();
}
