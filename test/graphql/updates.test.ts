/** What null and an empty id mean in inputs, for every update of the schema: nothing that a client sends is passed over. */
import {
  getNullableType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isRequiredInputField,
  type GraphQLInputField,
  type GraphQLInputObjectType,
} from 'graphql';
import { beforeAll, describe, expect, it } from 'vitest';
import { testSchema } from '../kit/house.js';
import { openStage, type Stage } from './stage.js';

const schema = testSchema();
const nobody = 'f'.repeat(32);

/** Members that null clears; all others refuse it. A new update is in this table or refuses null. */
const cleared: Readonly<Record<string, readonly string[]>> = {
  updateAccessKey: ['description'],
  updateAgency: ['description', 'durationDays', 'externalId', 'workspaceId'],
  updateEnterpriseProject: ['description'],
  updateGroup: ['description'],
  updateResource: ['ownerId', 'parentId'],
  updateService: ['description'],
  updateUser: ['description'],
  updateWorkspace: ['description'],
};

const mutations = Object.values(schema.getMutationType()?.getFields() ?? {});
const inputOf = (name: string): GraphQLInputObjectType => {
  const named = getNullableType(mutations.find((field) => field.name === name)?.args[0]?.type);
  if (!isInputObjectType(named)) throw new Error(`${name} has no input`);
  return named;
};
const updates = mutations.filter(({ name }) => /^update/.test(name));

let stage: Stage;
let inside: string;
let outside: string;
beforeAll(async () => {
  stage = await openStage(schema);
  outside = await stage.token(stage.root, 'account');
  inside = await stage.token(stage.root, { workspace: '0' });
});

function ask(name: string, input: object) {
  const query = `mutation Ask($input: ${inputOf(name).name}!) { ${name}(input: $input) { userErrors { code message } revision } }`;
  return stage.ask(/Resource$/.test(name) ? inside : outside, query, { input });
}

const optionalOf = (name: string) =>
  Object.values(inputOf(name).getFields()).filter(
    (field) => !isNonNullType(field.type) && !['clientMutationId', 'expectedVersion'].includes(field.name),
  );

describe.each(updates.filter(({ name }) => optionalOf(name).length > 0))('$name', ({ name }) => {
  const members = optionalOf(name);
  const id = 'id' in inputOf(name).getFields() ? { id: nobody } : {};

  it.each(members)('null for `$name` clears it or is refused', async ({ name: member }) => {
    const { errors, data } = await ask(name, { ...id, [member]: null });
    if (cleared[name]?.includes(member) === true) {
      expect(errors).toEqual([]);
      expect(data?.[name]).toMatchObject({ userErrors: [{ code: 'NOT_FOUND' }] });
    } else {
      expect(errors).toMatchObject([
        {
          message: `\`${member}\` cannot be null; leave it out to keep what there is`,
          extensions: { code: 'BAD_USER_INPUT' },
        },
      ]);
    }
  });
});

it('null clears the description of a user and leaves all else', async () => {
  const created = await stage.get<{ createUser: { user: { id: string } } }>(
    outside,
    'mutation { createUser(input: { name: "ann", description: "from afar" }) { user { id } } }',
  );
  const { id } = created.createUser.user;
  const { data } = await stage.ask(
    outside,
    'mutation Clear($input: UpdateUserInput!) { updateUser(input: $input) { user { name description enabled } userErrors { message } } }',
    { input: { id, description: null } },
  );
  expect(data).toEqual({
    updateUser: { user: { name: 'ann', description: '', enabled: true }, userErrors: [] },
  });
});

describe('an empty id', () => {
  const withId = mutations.filter(({ name, args }) => args.length > 0 && 'id' in inputOf(name).getFields());

  it.each(withId)('is refused by $name as the forgotten variable that it is', async ({ name }) => {
    const needed = Object.values(inputOf(name).getFields()).filter((field) => isRequiredInputField(field));
    // Only the id matters; what else is required is a number or a list.
    const valueOf = ({ name: member, type }: GraphQLInputField): unknown =>
      member === 'id' ? '' : isListType(getNullableType(type)) ? [] : 1;
    const input = Object.fromEntries(needed.map((field) => [field.name, valueOf(field)]));
    const { errors } = await ask(name, input);
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
    expect(errors[0]?.message).toMatch(/^an id is empty; give the id of /);
  });
});
