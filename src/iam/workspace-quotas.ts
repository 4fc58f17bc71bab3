/**
 * Quotas of a workspace (docs/domain.md section g4): how many resources of a kind may be registered in it. The published
 * page names one quota, of minutes; that names follow kinds is ours (docs/decisions/0064).
 */
import { registerableKinds } from './resource-kinds.js';
import type { Call } from './call.js';
import { change, type OpenChange } from './change.js';
import type { House } from './house.js';
import { problem, reject, succeed, type Invalid, type Outcome, type UserProblem } from './outcome.js';
import type { Id, Instant, Workspace } from './records.js';
import { changeableWorkspace } from './workspaces.js';

/** What a quota may be set to; any number of resources is written -1. */
export const quotaBounds = { unlimited: -1, least: 1, most: 1_000_000 } as const;

/** A quota as it is shown, whether it was ever set or not. */
export interface ShownQuota {
  readonly kind: string;
  readonly quota: number;
  /** Null while any number is allowed, as the published interface has it. */
  readonly used: number | null;
  /** When it was set; when the workspace was made, if it never was. */
  readonly setAt: Instant;
}

/** Quotas of a workspace that the caller may see, one for each kind that can be registered. */
export async function quotasOf(house: House, call: Call, workspace: Workspace): Promise<readonly ShownQuota[]> {
  const kinds = registerableKinds(call.catalogue);
  const { accountId, id } = workspace;
  const rows = await house.store.access.workspaceQuotas(accountId, id);
  const limited = [...rows.values()].filter(({ quota }) => quota !== quotaBounds.unlimited).map(({ kind }) => kind);
  const used = await house.store.access.resourceCounts(accountId, id, limited);
  return kinds.map((kind) => {
    const { quota = quotaBounds.unlimited, setAt = workspace.createdAt } = rows.get(kind) ?? {};
    return { kind, quota, used: quota === quotaBounds.unlimited ? null : (used.get(kind) ?? 0), setAt };
  });
}

export interface UpdateQuotasInput {
  readonly workspaceId: Id;
  readonly quotas: readonly { readonly kind: string; readonly quota: number }[];
}

/** Sets some quotas; the others stay. What is used above a new quota stays too: nothing more is registered until there is room. */
export async function updateWorkspaceQuotas(
  house: House,
  call: Call,
  { workspaceId, quotas }: UpdateQuotasInput,
): Promise<Outcome<Workspace>> {
  return change(house, call, { operation: 'updateWorkspaceQuotas' }, async (open) => {
    const { transaction, call } = open;
    const workspace = await changeableWorkspace(open, 'modelarts:workspace:updateQuotas', workspaceId, 'DEFAULT_TOO');
    if ('kind' in workspace) return workspace;
    const { wanted, problems } = readQuotas(call, quotas);
    if (problems.length > 0) return reject(...problems);
    for (const [kind, quota] of wanted) {
      const id = `${workspaceId}.${kind}`;
      const standing = await transaction.get('workspaceQuota', id);
      if (standing === null) {
        const row = { id, accountId: call.accountId, workspaceId, kind, quota, setAt: call.now };
        await transaction.insert('workspaceQuota', row);
      } else if (standing.quota !== quota) {
        await transaction.update('workspaceQuota', id, { quota, setAt: call.now });
      }
    }
    return succeed(workspace);
  });
}

function readQuotas(
  { catalogue }: Call,
  quotas: UpdateQuotasInput['quotas'],
): { readonly wanted: ReadonlyMap<string, number>; readonly problems: readonly UserProblem[] } {
  const kinds = new Set(registerableKinds(catalogue));
  const wanted = new Map<string, number>();
  const problems: UserProblem[] = [];
  const { unlimited, least, most } = quotaBounds;
  for (const [index, { kind: named, quota }] of quotas.entries()) {
    const path = ['quotas', String(index)];
    const kind = catalogue.findKind(named)?.name ?? named;
    if (!kinds.has(kind)) {
      const message = `\`${named}\` is no kind of which resources are registered; take one from \`quotas\` of the workspace`;
      problems.push(problem('INVALID', message, [...path, 'resource'], { reference: 'ModelArts.0107' }));
    } else if (wanted.has(kind)) {
      problems.push(problem('INVALID', `\`${kind}\` is given twice; give each kind once`, [...path, 'resource']));
    } else if (!Number.isInteger(quota) || (quota !== unlimited && (quota < least || quota > most))) {
      const message = `a quota is ${unlimited} for any number, or ${least} to ${most}`;
      problems.push(problem('INVALID', message, [...path, 'quota'], { reference: 'ModelArts.0107' }));
    }
    wanted.set(kind, quota);
  }
  return { wanted, problems };
}

/** Refuses one resource more of a kind than the workspace may hold. Writers of an account follow one another, so the count stands. */
export async function refuseOverQuota(
  { transaction }: Pick<OpenChange, 'transaction'>,
  workspaceId: Id,
  kind: string,
  more: number,
  path: string,
): Promise<Invalid | null> {
  const row = await transaction.get('workspaceQuota', `${workspaceId}.${kind}`);
  if (row === null || row.quota === quotaBounds.unlimited) return null;
  // Counted where they are: this is asked for each of a hundred, while every other writer of the account waits.
  const counts = await transaction.access.resourceCounts(row.accountId, workspaceId, [kind]);
  const used = counts.get(kind) ?? 0;
  if (used + more <= row.quota) return null;
  const message = `the workspace holds ${used} of at most ${row.quota} resources of \`${kind}\`; deregister one, or ask for a higher quota`;
  return reject(problem('LIMIT_EXCEEDED', message, path, { reference: 'ModelArts.0113', limit: row.quota }));
}
