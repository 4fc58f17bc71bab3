/** Groups as plain writes: made under names that nobody else takes, described anew by several at once, and deleted. */
import { writes, type Hand } from './hand.js';
import type { Written } from './laws.js';
import { idOf, plainIdOf } from './rights.js';
import type { HistoryRecord } from './record.js';

interface Group {
  readonly name: string;
  readonly id: string;
}

interface Node {
  readonly name: string;
  readonly description: string;
  readonly version: number;
}

interface Page {
  readonly groups: {
    readonly nodes: readonly Node[];
    readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
  };
}

const prefix = 'kept-';
const one = 'query One($id: ID!) { group(id: $id) { name description version } }';
const all = `query All($after: String) { groups(first: 100, after: $after, filter: { nameContains: "${prefix}" }) { nodes { name description version } pageInfo { hasNextPage endCursor } } }`;

/** How many may be described anew and deleted; of the others it is only looked whether they stay. */
const mostAtHand = 40;

export class Groups {
  /** Described anew by whoever comes, and never deleted. */
  readonly #shared: Group[] = [];
  readonly #atHand: Group[] = [];
  readonly #names: string[] = [];

  constructor(private readonly record: HistoryRecord) {}

  async makeShared(hand: Hand, count: number): Promise<void> {
    while (this.#shared.length < count) {
      const group = await this.#made(hand);
      if (group !== null) this.#shared.push(group);
    }
  }

  async make(hand: Hand): Promise<void> {
    const group = await this.#made(hand);
    if (group === null) return;
    this.#atHand.push(group);
    if (this.#atHand.length > mostAtHand) this.#atHand.shift();
  }

  async #made(hand: Hand): Promise<Group | null> {
    const name = `${prefix}${this.#names.length}`;
    this.#names.push(name);
    const description = `first of ${name}`;
    const { payload } = await hand.change({
      mutation: 'createGroup',
      input: { name, description },
      writes: [writes(registerOf(name), description)],
      select: 'group { id }',
      trail: (payload) => ({ kind: 'group', id: plainIdOf(payload, 'group'), events: 1 }),
    });
    return payload === null ? null : { name, id: idOf(payload, 'group') };
  }

  /** Reads one and describes it anew, unless somebody else did meanwhile. */
  async describe(hand: Hand): Promise<void> {
    const group = hand.dice.pick(this.#shared);
    const read = await this.#read(hand, group);
    if (read === null) return;
    const description = `${read.version + 1} of ${group.name} by ${hand.dice.mark()}`;
    await hand.change({
      mutation: 'updateGroup',
      input: { id: group.id, description, expectedVersion: read.version },
      writes: [writes(registerOf(group.name), description)],
      select: 'group { id version }',
      mayBe: ['CONFLICT'],
      version: (payload) => ({ of: group.name, number: (payload['group'] as Node).version }),
      trail: (payload) => ({ kind: 'group', id: plainIdOf(payload, 'group'), events: 1 }),
    });
  }

  async delete(hand: Hand): Promise<void> {
    const group = this.#atHand.splice(hand.dice.below(this.#atHand.length), 1)[0];
    if (group === undefined) return;
    await hand.change({
      mutation: 'deleteGroup',
      input: { id: group.id },
      writes: [writes(registerOf(group.name), null)],
    });
  }

  async read(hand: Hand): Promise<void> {
    await this.#read(hand, hand.dice.pick([...this.#shared, ...this.#atHand]));
  }

  async #read(hand: Hand, { name, id }: Group): Promise<Node | null> {
    const data = await hand.read<{ readonly group: Node | null }>(one, { id }, ({ group }) => [
      writes(registerOf(name), group?.description ?? null),
    ]);
    return data?.group ?? null;
  }

  /** Reads all of them at one replica: what is not among them is not there. */
  async readAll(hand: Hand, replica: number): Promise<void> {
    const sent = performance.now();
    const found = new Set<string>();
    for (let after: string | null = null, more = true; more;) {
      const data: Page | null = await hand.read<Page>(all, { after }, ({ groups }) => groups.nodes.map(seen), {
        at: replica,
      });
      if (data === null) throw new Error(`replica ${replica} does not answer`);
      for (const { name } of data.groups.nodes) found.add(name);
      ({ hasNextPage: more, endCursor: after } = data.groups.pageInfo);
    }
    const missing = this.#names.filter((name) => !found.has(name)).map((name) => writes(registerOf(name), null));
    const answered = performance.now();
    this.record.note('reading', 'acknowledged', {
      kind: 'reading',
      sent,
      answered,
      replica,
      says: 'reading of all groups',
      seen: missing,
    });
  }
}

function seen({ name, description }: Node): Written {
  return writes(registerOf(name), description);
}

function registerOf(name: string): string {
  return `group ${name}`;
}
