/** The schema to read beside the editors: its roots, and each type that is clicked. Everything shown is text. */
import {
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isUnionType,
  type GraphQLArgument,
  type GraphQLNamedType,
  type GraphQLSchema,
} from 'graphql';

interface Member {
  readonly name: string;
  readonly args?: readonly GraphQLArgument[];
  readonly type?: { toString(): string };
  readonly description?: string | null;
  readonly deprecationReason?: string | null;
}

export class SchemaPanel {
  #schema: GraphQLSchema | null = null;

  constructor(private readonly place: HTMLElement) {}

  /** Says why there is no schema to read. */
  explain(why: string): void {
    this.#schema = null;
    this.place.replaceChildren(element('p', why));
  }

  show(schema: GraphQLSchema): void {
    this.#schema = schema;
    this.#showRoots();
  }

  #showRoots(): void {
    const roots = [this.#schema?.getQueryType(), this.#schema?.getMutationType(), this.#schema?.getSubscriptionType()];
    this.place.replaceChildren(...roots.flatMap((root) => (root == null ? [] : this.#describe(root))));
    this.place.scrollTop = 0;
  }

  #showType(name: string): void {
    const type = this.#schema?.getType(name);
    if (type === undefined) return;
    const back = element('button', 'all fields');
    back.addEventListener('click', () => this.#showRoots());
    this.place.replaceChildren(back, ...this.#describe(type));
    this.place.scrollTop = 0;
  }

  #describe(type: GraphQLNamedType): readonly HTMLElement[] {
    const members = element('dl');
    for (const member of this.#membersOf(type)) members.append(...this.#describeMember(member));
    return [
      element('h3', type.name),
      ...(type.description == null ? [] : [element('p', type.description)]),
      ...(members.childElementCount > 0 ? [members] : []),
    ];
  }

  #membersOf(type: GraphQLNamedType): readonly Member[] {
    if (isObjectType(type) || isInterfaceType(type)) {
      const implementing = isInterfaceType(type) ? (this.#schema?.getPossibleTypes(type) ?? []) : [];
      return [
        ...Object.values(type.getFields()),
        ...implementing.map(({ name }) => ({ name: 'implemented by', type: name })),
      ];
    }
    if (isInputObjectType(type)) return Object.values(type.getFields());
    if (isUnionType(type)) return type.getTypes().map(({ name }) => ({ name: 'one of', type: name }));
    if (isEnumType(type)) return type.getValues();
    return [];
  }

  #describeMember({ name, args = [], type, description, deprecationReason }: Member): readonly HTMLElement[] {
    const term = element('dt', name);
    args.forEach((argument, index) => {
      term.append(index === 0 ? '(' : ', ', `${argument.name}: `, this.#link(argument.type.toString()));
    });
    if (args.length > 0) term.append(')');
    if (type !== undefined) term.append(': ', this.#link(type.toString()));
    const texts = [description, deprecationReason == null ? null : `Deprecated: ${deprecationReason}`];
    return [term, ...texts.flatMap((text) => (text == null || text === '' ? [] : [element('dd', text)]))];
  }

  #link(type: string): HTMLElement {
    const link = element('button', type);
    link.addEventListener('click', () => this.#showType(type.replaceAll(/[[\]!]/g, '')));
    return link;
  }
}

function element(tag: string, text = ''): HTMLElement {
  const made = document.createElement(tag);
  made.textContent = text;
  if (made instanceof HTMLButtonElement) made.type = 'button';
  return made;
}
