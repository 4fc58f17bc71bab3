/** The page: a token, an operation with its variables, the answer, and the schema as far as the token may read it. */
import { updateSchema } from 'cm6-graphql';
import { buildClientSchema, getIntrospectionQuery, Kind, parse, type IntrospectionQuery } from 'graphql';
import { answerView, operationEditor, replaceText, textOf, variablesEditor } from './editors.js';
import { ask, type Answer, type Operation } from './exchange.js';
import { SchemaPanel } from './schema-panel.js';
import { restoreToken, tokenInUse, useToken } from './token.js';

const firstOperation = `query Viewer {
  viewer {
    actor { kind name }
    account { name }
    scope { workspace { id name } }
  }
}
`;

const noToken = 'Paste a token above to read the schema: introspection is a permission here.';

const operation = operationEditor(find('operation'), firstOperation, start);
const variables = variablesEditor(find('variables'), start);
const answer = answerView(find('answer'));
const status = find('status');
const panel = new SchemaPanel(find('schema'));
const token = find('token') as HTMLInputElement;
const keep = find('keep') as HTMLInputElement;

/** Number of the last request that was started: an earlier one that answers later is not shown. */
let latest = 0;

find('run').addEventListener('click', start);
find('credential').addEventListener('submit', (event) => {
  event.preventDefault();
  useToken(token.value, keep.checked);
  // Not left standing in a field that a later visitor could read.
  token.value = '';
  void readSchema();
});

keep.checked = restoreToken();
void readSchema();

function start(): void {
  void run();
}

async function run(): Promise<void> {
  const number = (latest += 1);
  let asked: Operation;
  try {
    asked = readOperation();
  } catch {
    status.textContent = 'the variables are not JSON; write an object or leave them empty';
    return;
  }
  status.textContent = 'asking';
  try {
    const answered = await ask(asked, tokenInUse());
    if (number !== latest) return;
    replaceText(answer, readable(answered.text));
    const { status: code, milliseconds, requestId } = answered;
    status.textContent = `HTTP ${code}, ${milliseconds} ms, request ${requestId}`;
  } catch {
    if (number === latest)
      status.textContent = 'the server did not answer; see that it runs and that the token is whole';
  }
}

function readOperation(): Operation {
  const query = textOf(operation);
  const given = textOf(variables).trim();
  const name = chosenName(query, operation.state.selection.main.head);
  return {
    query,
    ...(name === null ? {} : { operationName: name }),
    ...(given === '' ? {} : { variables: JSON.parse(given) as unknown }),
  };
}

/** Of several operations the one with the cursor, else the first; what cannot be parsed is the server's to explain. */
function chosenName(query: string, cursor: number): string | null {
  try {
    const operations = parse(query).definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION);
    const here = operations.find(({ loc }) => loc !== undefined && loc.start <= cursor && cursor <= loc.end);
    const chosen = here ?? operations[0];
    return chosen !== undefined && 'name' in chosen ? (chosen.name?.value ?? null) : null;
  } catch {
    return null;
  }
}

async function readSchema(): Promise<void> {
  updateSchema(operation, undefined);
  const asking = tokenInUse();
  if (asking === '') {
    panel.explain(noToken);
    return;
  }
  panel.explain('reading the schema');
  const outcome = await introspect(asking);
  // Another token may have come meanwhile.
  if (asking !== tokenInUse()) return;
  if (typeof outcome === 'string') {
    panel.explain(outcome);
    return;
  }
  const schema = buildClientSchema(outcome);
  updateSchema(operation, schema);
  panel.show(schema);
}

/** The schema, or why there is none. */
async function introspect(asking: string): Promise<IntrospectionQuery | string> {
  let answered: Answer;
  try {
    answered = await ask({ query: getIntrospectionQuery({ inputValueDeprecation: true, oneOf: true }) }, asking);
  } catch {
    return 'The server did not answer; see that it runs and that the token is whole.';
  }
  try {
    const { data, errors } = JSON.parse(answered.text) as {
      readonly data?: IntrospectionQuery | null;
      readonly errors?: readonly { readonly message: string }[];
    };
    if (data != null && errors === undefined) return data;
    return `The schema cannot be read with this token: ${errors?.[0]?.message ?? 'no reason was given'}`;
  } catch {
    return `The schema cannot be read: HTTP ${answered.status}.`;
  }
}

function readable(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function find(id: string): HTMLElement {
  const found = document.getElementById(id);
  // INVARIANT: page.html has an element of each of these names.
  if (found === null) throw new Error(`the page has no ${id}`);
  return found;
}
