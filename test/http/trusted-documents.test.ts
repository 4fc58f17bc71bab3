/** Which documents are answered to whom, in each mode, by POST and by GET; and what the program makes of its folders. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { documentId, readTrustedDocuments, trustDocuments, type TrustedDocuments } from '../../src/http/index.js';
import { exchange, post, type Answer } from '../kit/exchange.js';
import { startHouse, testSchema, type TestHouse } from '../kit/house.js';
import { startProgram } from '../kit/program.js';
import { setScene } from '../kit/scene.js';

const known = 'query Known {\n  viewer {\n    account {\n      name\n    }\n  }\n}\n';
const respelled = '# the same\nquery Known { viewer { account { name } } }';
const unknown = '{ viewer { account { id } } }';
const id = documentId(known);

interface Row {
  readonly says: string;
  readonly sends: Readonly<Record<string, unknown>>;
  /** What each mode answers: data, or the code of the refusal. */
  readonly any: string;
  readonly known: string;
  readonly only: string;
  /** To who may `bailiwick:documents:execute`, in every mode. */
  readonly free: string;
}

const rows: readonly Row[] = [
  { says: 'the id', sends: { documentId: id }, any: 'data', known: 'data', only: 'data', free: 'data' },
  {
    says: 'the id in capitals',
    sends: { documentId: id.toUpperCase().replace('SHA', 'sha') },
    any: 'data',
    known: 'data',
    only: 'data',
    free: 'data',
  },
  { says: 'the text', sends: { query: known }, any: 'data', known: 'data', only: 'FORBIDDEN', free: 'data' },
  {
    says: 'the text with other blanks and comments',
    sends: { query: respelled },
    any: 'data',
    known: 'data',
    only: 'FORBIDDEN',
    free: 'data',
  },
  { says: 'another text', sends: { query: unknown }, any: 'data', known: 'FORBIDDEN', only: 'FORBIDDEN', free: 'data' },
  {
    says: 'the schema',
    sends: { query: '{ __schema { queryType { name } } }' },
    any: 'data',
    known: 'FORBIDDEN',
    only: 'FORBIDDEN',
    free: 'data',
  },
  {
    says: 'what is no document',
    sends: { query: '{ viewer' },
    any: 'GRAPHQL_PARSE_FAILED',
    known: 'FORBIDDEN',
    only: 'FORBIDDEN',
    free: 'GRAPHQL_PARSE_FAILED',
  },
  {
    says: 'an id that nothing has',
    sends: { documentId: documentId(unknown) },
    any: 'PERSISTED_QUERY_NOT_FOUND',
    known: 'PERSISTED_QUERY_NOT_FOUND',
    only: 'PERSISTED_QUERY_NOT_FOUND',
    free: 'PERSISTED_QUERY_NOT_FOUND',
  },
  {
    says: 'an id beside a text',
    sends: { documentId: id, query: unknown },
    any: 'BAD_REQUEST',
    known: 'BAD_REQUEST',
    only: 'BAD_REQUEST',
    free: 'BAD_REQUEST',
  },
];

const outcome = ({ data, errors, status }: Answer): string => {
  const code = errors[0]?.extensions.code;
  if (code === 'FORBIDDEN') expect(status).toBe(403);
  else if (code !== undefined) expect(status).toBe(400);
  return code ?? (data === null ? 'nothing' : 'data');
};

describe.each(['any', 'known', 'only'] as const)('in mode %s', (mode) => {
  let house: TestHouse;
  let plain: string;
  let free: string;
  let looked = 0;
  beforeAll(async () => {
    // Everything is made while any document is answered.
    let current = trustDocuments('any', [known]);
    const documents: TrustedDocuments = {
      get mode() {
        return current.mode;
      },
      idOf: (operation) => current.idOf(operation),
      resolve: (request) => {
        const resolved = current.resolve(request);
        return {
          ...resolved,
          trust: () => {
            looked += 1;
            return resolved.trust();
          },
        };
      },
    };
    house = await startHouse({ documents });
    const scene = await setScene(house);
    plain = await house.signIn(await scene.user('plain'));
    const holder = await scene.user('holder');
    await scene.grant(await scene.policy('free', ['bailiwick:documents:execute']), { user: holder.id });
    free = await house.signIn(holder);
    current = trustDocuments(mode, [known]);
  });

  const get = (token: string, sends: Readonly<Record<string, unknown>>): Promise<Answer> =>
    exchange(`${house.url}?${new URLSearchParams(sends as Record<string, string>).toString()}`, {
      method: 'GET',
      headers: ['authorization', `Bearer ${token}`, 'apollo-require-preflight', '1'],
    });

  it.each(rows)('$says', async (row) => {
    expect(outcome(await post(house.url, plain, row.sends))).toBe(row[mode]);
    expect(outcome(await get(plain, row.sends))).toBe(row[mode]);
    expect(outcome(await post(house.url, free, row.sends))).toBe(row.free);
    expect(outcome(await get(free, row.sends))).toBe(row.free);
  });

  it('a broken credential learns nothing of documents', async () => {
    const answer = await post(house.url, 'forged', { documentId: documentId(unknown) });
    expect(answer).toMatchObject({ status: 401, errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
  });

  it('no document is read for a broken credential, and one is for a good one where the mode asks for it', async () => {
    looked = 0;
    expect((await post(house.url, 'forged', { query: respelled })).status).toBe(401);
    expect(looked).toBe(0);
    await post(house.url, plain, { query: respelled });
    expect(looked).toBe(mode === 'any' ? 0 : 1);
  });
});

describe('the shipped documents', () => {
  it('fit the schema, one operation in each file, named like the file', async () => {
    const names = await readdir('schema/operations');
    expect(names.length).toBeGreaterThan(5);
    for (const name of names) {
      const text = await readFile(join('schema/operations', name), 'utf8');
      expect(text.match(/^(query|mutation) \w+/gm)).toEqual([
        expect.stringMatching(new RegExp(` ${name.replace('.graphql', '')}$`)),
      ]);
    }
    await expect(readTrustedDocuments('only', testSchema())).resolves.toBeDefined();
  });
});

describe('the program', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bailiwick-documents-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  const settings = () => ({
    PORT: '0',
    DATABASE_URL: `sqlite:${join(folder, 'test.db')}`,
    SECRET_KEY_FILE: join(folder, 'key'),
    ADMIN_PASSWORD: 'Root-password-1',
    DOCUMENTS: 'only',
  });

  it('signs in by the id of a shipped document, and answers one of the folder that it is given', async () => {
    const documents = join(folder, 'good');
    await mkdir(documents);
    await writeFile(join(documents, 'Known.graphql'), known);
    const running = startProgram('main.ts', [], { settings: { ...settings(), DOCUMENTS_FOLDER: documents } });
    const [, url = ''] = await running.until(/listening on (\S+)/);
    const signIn = documentId(await readFile('schema/operations/SignIn.graphql', 'utf8'));
    const input = { account: 'default', userName: 'admin', password: 'Root-password-1' };
    const { data } = await post(url, null, { documentId: signIn, variables: { input } });
    const { token } = (data as { signIn: { token: string } }).signIn;
    expect(await post(url, token, { documentId: id })).toMatchObject({
      data: { viewer: { account: { name: 'default' } } },
    });
    expect((await post(url, null, { query: unknown })).status).toBe(403);
    running.kill('SIGTERM');
    expect((await running.ended).status).toBe(0);
  });

  it('says on its first start what to paste where only known documents are answered', async () => {
    const place = { ...settings(), DATABASE_URL: `sqlite:${join(folder, 'first.db')}`, ADMIN_PASSWORD: '' };
    const running = startProgram('main.ts', [], { settings: place });
    await running.until(/Bearer/);
    const commands = running
      .stdout()
      .split('\n')
      .filter((line) => /^ {2}(TOKEN=|curl )/.test(line));
    expect(commands[0]).toContain('"documentId":"sha256:');
    const env = { ...process.env, no_proxy: '127.0.0.1' };
    const { stdout } = await promisify(execFile)('sh', ['-euc', commands.join('\n')], { env });
    expect(JSON.parse(stdout)).toMatchObject({ data: { viewer: { actor: { kind: 'ROOT' } } } });
    running.kill('SIGTERM');
    expect((await running.ended).status).toBe(0);
  });

  it('does not start with a document that does not fit, and names the file', async () => {
    const documents = join(folder, 'bad');
    await mkdir(documents);
    await writeFile(join(documents, 'Wrong.graphql'), '{ viewer { nme } }');
    const running = startProgram('main.ts', [], { settings: { ...settings(), DOCUMENTS_FOLDER: documents } });
    const { status, stderr } = await running.ended;
    expect(status).not.toBe(0);
    expect(stderr).toContain('Wrong.graphql: Cannot query field "nme" on type "Viewer"');
  });
});
