/** What a document of a file says: one object of the account, whole, with names instead of ids (docs/apply.md). */
import type { DefaultAccess, Instant, WorkspaceVisibility } from '../iam/index.js';

/** In the order in which they are exported, and read best. */
export const documentKinds = ['EnterpriseProject', 'Policy', 'Group', 'User', 'Workspace', 'Grant'] as const;

export type DocumentKind = (typeof documentKinds)[number];

export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Something that keeps files from being applied. Without a place where it is no document's own fault. */
export interface FileProblem {
  readonly place: Place | null;
  readonly message: string;
}

interface Written {
  /** Where the document begins. */
  readonly place: Place;
  /** Lines of those fields that name others. */
  readonly lines: Readonly<Record<string, number>>;
}

export interface WantedProject extends Written {
  readonly kind: 'EnterpriseProject';
  readonly name: string;
  readonly description: string;
  readonly enabled: boolean;
}

export interface WantedPolicy extends Written {
  readonly kind: 'Policy';
  readonly name: string;
  readonly description: string;
  /** Text is kept byte for byte; a value is kept as its compact JSON. */
  readonly document: unknown;
  /** Where in the file a problem of the document lies. */
  readonly locate: (pointer: string, line: number | null) => Place;
}

export interface WantedGroup extends Written {
  readonly kind: 'Group';
  readonly name: string;
  readonly description: string;
}

export interface WantedUser extends Written {
  readonly kind: 'User';
  readonly name: string;
  readonly description: string;
  readonly enabled: boolean;
  readonly groups: readonly string[];
  /** `ENDED` ends it; without it, it is left as it is: a file never gives it back (rule 12). */
  readonly defaultModelArtsAccess: Extract<DefaultAccess, 'ENDED'> | null;
}

export interface WantedWorkspace extends Written {
  readonly kind: 'Workspace';
  readonly name: string;
  readonly description: string;
  readonly enterpriseProject: string;
  readonly visibility: WorkspaceVisibility;
  readonly members: readonly string[];
}

export type SubjectName = { readonly kind: 'USER' | 'GROUP'; readonly name: string };

export type ScopeName =
  | { readonly kind: 'ALL' | 'ACCOUNT' | 'ALL_WORKSPACES' }
  | { readonly kind: 'WORKSPACE' | 'ENTERPRISE_PROJECT'; readonly name: string };

export interface WantedGrant extends Written {
  readonly kind: 'Grant';
  readonly policy: string;
  readonly subject: SubjectName;
  readonly scope: ScopeName;
  readonly expiresAt: Instant | null;
}

export type Wanted = WantedProject | WantedPolicy | WantedGroup | WantedUser | WantedWorkspace | WantedGrant;

/** The scopes that are one word in a file. */
export const scopeWords = { all: 'ALL', account: 'ACCOUNT', allWorkspaces: 'ALL_WORKSPACES' } as const;
