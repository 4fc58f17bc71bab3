/** Which fields an operation asks of an object of some type, with their arguments: GraphQL spec section 6.3.2. */
import {
  getArgumentValues,
  getDirectiveValues,
  GraphQLIncludeDirective,
  GraphQLSkipDirective,
  isAbstractType,
  Kind,
  typeFromAST,
  type FieldNode,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';

export interface SelectedField {
  readonly field: GraphQLField<unknown, unknown>;
  readonly args: Readonly<Record<string, unknown>>;
}

/** Fields below the one that is being resolved, as they apply to an object of this type. */
export function selectedFields(info: GraphQLResolveInfo, type: GraphQLObjectType): readonly SelectedField[] {
  const nodes: FieldNode[] = [];
  const spread = new Set<string>();
  for (const { selectionSet } of info.fieldNodes) if (selectionSet !== undefined) collect(selectionSet);
  const fields = type.getFields();
  return nodes.flatMap((node) => {
    const field = fields[node.name.value];
    return field === undefined ? [] : [{ field, args: getArgumentValues(field, node, info.variableValues) }];
  });

  function collect({ selections }: SelectionSetNode): void {
    for (const selection of selections) {
      if (!isIncluded(selection)) continue;
      if (selection.kind === Kind.FIELD) {
        nodes.push(selection);
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        if (applies(selection.typeCondition)) collect(selection.selectionSet);
      } else {
        const name = selection.name.value;
        const fragment = info.fragments[name];
        if (fragment === undefined || spread.has(name)) continue;
        spread.add(name);
        if (applies(fragment.typeCondition)) collect(fragment.selectionSet);
      }
    }
  }

  function isIncluded(selection: SelectionNode): boolean {
    const skip = getDirectiveValues(GraphQLSkipDirective, selection, info.variableValues);
    const include = getDirectiveValues(GraphQLIncludeDirective, selection, info.variableValues);
    return skip?.['if'] !== true && include?.['if'] !== false;
  }

  function applies(condition: Parameters<typeof typeFromAST>[1] | undefined): boolean {
    if (condition === undefined) return true;
    const conditional = typeFromAST(info.schema, condition as never);
    if (conditional === type) return true;
    return isAbstractType(conditional) && info.schema.isSubType(conditional, type);
  }
}
