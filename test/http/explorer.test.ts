/** The explorer's page: its files and headers, and what it does in a real browser. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BrowserContext, Page } from 'playwright-core';
import { readExplorer } from '../../src/http/index.js';
import { browserPath, openBrowser } from '../kit/browser.js';
import { exchange } from '../kit/exchange.js';
import { startHouse, type TestHouse } from '../kit/house.js';
import { setScene } from '../kit/scene.js';

let folder: string;
let house: TestHouse;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bailiwick-explorer-'));
  // As the build makes it, in a folder of the test.
  await promisify(execFile)('npm', ['run', '--silent', 'build:explorer', '--', `--outdir=${folder}`], {
    cwd: new URL('../../', import.meta.url),
  });
  house = await startHouse({ explorer: await readExplorer(pathToFileURL(`${folder}/`)) });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the files', () => {
  test.each([
    ['/explorer', 'text/html; charset=utf-8'],
    ['/explorer/page.js', 'text/javascript; charset=utf-8'],
    ['/explorer/page.css', 'text/css; charset=utf-8'],
  ])('%s comes with a policy that lets nothing in from elsewhere', async (path, type) => {
    const answer = await exchange(house.origin + path, { method: 'GET' });
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({
      'content-type': type,
      'cache-control': 'no-store',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
    });
    const policy = String(answer.headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|nonce|https?:|\*/);
    expect(answer.text.length).toBeGreaterThan(500);
  });

  test('have no inline script or style, and name no other host', async () => {
    const { text } = await exchange(`${house.origin}/explorer`, { method: 'GET' });
    expect(text).not.toMatch(/<script(?![^>]*\bsrc=)/);
    expect(text).not.toMatch(/<style|\sstyle=|\son\w+=/);
    expect(text).not.toMatch(/https?:|\/\//);
    const { text: script } = await exchange(`${house.origin}/explorer/page.js`, { method: 'GET' });
    expect(script).not.toMatch(/\beval\(|new Function\(|localStorage/);
  });

  test.each(['/explorer', '/explorer/page.js', '/explorer/page.css'])(
    '%s is not there unless asked for',
    async (path) => {
      const plain = await startHouse();
      expect((await exchange(plain.origin + path, { method: 'GET' })).status).toBe(404);
      await plain.stop();
    },
  );

  test.each(['/explorer/', '/explorer/page.html', '/explorer/../../package.json', '/explorer/%2e%2e/page.js'])(
    '%s is nothing: three paths are answered and no folder is looked into',
    async (path) => {
      expect((await exchange(house.origin + path, { method: 'GET' })).status).toBe(404);
    },
  );

  test('are not to be posted to', async () => {
    const answer = await exchange(`${house.origin}/explorer`, {
      headers: ['content-type', 'application/json'],
      body: '{}',
    });
    expect(answer.status).toBe(404);
  });
});

describe.skipIf(browserPath === null)('in a browser (needs /usr/bin/chromium)', () => {
  let context: BrowserContext;
  beforeAll(async () => {
    context = await openBrowser();
  });

  /** The page with everything it asked for and everything the browser complained of. */
  async function visit(): Promise<{ page: Page; requests: string[]; complaints: string[] }> {
    const page = await context.newPage();
    const requests: string[] = [];
    const complaints: string[] = [];
    page.on('request', (request) => requests.push(request.url()));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error' && !message.text().includes('status of 401')) complaints.push(message.text());
    });
    await page.exposeFunction('complain', (text: string) => complaints.push(text));
    await page.addInitScript(
      `document.addEventListener('securitypolicyviolation', (event) => complain(event.violatedDirective + ' ' + event.blockedURI))`,
    );
    await page.goto(`${house.origin}/explorer`);
    await page.getByText('introspection is a permission here').waitFor();
    return { page, requests, complaints };
  }

  async function use(page: Page, token: string): Promise<void> {
    await page.getByLabel('Token').fill(token);
    await page.getByRole('button', { name: 'Use', exact: true }).click();
  }

  async function run(page: Page): Promise<string> {
    await page.getByRole('button', { name: 'Run' }).click();
    await page
      .getByRole('status')
      .filter({ hasText: /HTTP \d+/ })
      .waitFor();
    return page.getByLabel('Answer').innerText();
  }

  async function write(page: Page, editor: string, text: string): Promise<void> {
    // As fingers do it: filling in would go through a command of the browser that writes styled markup.
    await page.getByLabel(editor).click();
    await page.keyboard.press('Control+A');
    await page.keyboard.press('Delete');
    await page.keyboard.insertText(text);
  }

  test('with a pasted token the first operation says who one is, and the schema can be read', async () => {
    const { page, requests, complaints } = await visit();
    const token = await house.signIn(house.root);
    await use(page, token);
    expect(JSON.parse(await run(page))).toMatchObject({
      data: { viewer: { actor: { kind: 'ROOT', name: 'admin' }, account: { name: 'default' } } },
    });
    const schema = page.getByLabel('Schema');
    await schema.getByRole('heading', { name: 'Mutation' }).waitFor();
    await schema.getByRole('button', { name: 'SignInInput!', exact: true }).first().click();
    await schema.getByText('userName').waitFor();
    expect(await page.getByLabel('Token').inputValue()).toBe('');
    expect(requests.length).toBeGreaterThan(4);
    expect([...new Set(requests.map((url) => new URL(url).origin))]).toEqual([house.origin]);
    expect(requests.join('\n')).not.toContain(token);
    expect(page.url()).toBe(`${house.origin}/explorer`);
    expect(complaints).toEqual([]);
  });

  test('without a token the answer is the refusal with its reason', async () => {
    const { page, complaints } = await visit();
    expect(JSON.parse(await run(page))).toMatchObject({
      errors: [
        {
          message: '`bailiwick:session:use` needs a credential; sign in first',
          extensions: { action: 'bailiwick:session:use', code: 'UNAUTHENTICATED', reference: 'IAM.0001' },
        },
      ],
    });
    expect(complaints).toEqual([]);
  });

  test('a token of nobody is refused with its reason, in the answer and beside the schema', async () => {
    const { page } = await visit();
    await use(page, 'a.b.c');
    await page.getByText('cannot be read with this token: the token is not one of ours; sign in again').waitFor();
    expect(await run(page)).toContain('the token is not one of ours; sign in again');
  });

  test('every request says that it may be asked about first', async () => {
    const { page } = await visit();
    const asked = page.waitForRequest(`${house.origin}/graphql`);
    await run(page);
    const headers = await (await asked).allHeaders();
    expect(headers).toMatchObject({ 'apollo-require-preflight': '1', 'content-type': 'application/json' });
    expect(headers['cookie']).toBeUndefined();
    expect(headers['referer']).toBeUndefined();
  });

  test('the token is in memory alone, unless this tab is asked to keep it', async () => {
    const { page } = await visit();
    const token = await house.signIn(house.root);
    const stored = (): Promise<unknown> =>
      page.evaluate('({ local: { ...localStorage }, session: { ...sessionStorage }, cookie: document.cookie })');
    await use(page, token);
    await run(page);
    expect(await stored()).toEqual({ local: {}, session: {}, cookie: '' });
    await page.reload();
    expect(await run(page)).toContain('UNAUTHENTICATED');

    await page.getByLabel('keep until this tab closes').check();
    await use(page, token);
    expect(await stored()).toEqual({ local: {}, session: { 'bailiwick.token': token }, cookie: '' });
    await page.reload();
    expect(await run(page)).toContain('ROOT');
    // Another tab has nothing of it.
    expect(await run((await visit()).page)).toContain('UNAUTHENTICATED');

    await use(page, '');
    expect(await stored()).toEqual({ local: {}, session: {}, cookie: '' });
    expect(await run(page)).toContain('UNAUTHENTICATED');
  });

  test('variables are sent, of several operations the one with the cursor, and Ctrl+Enter runs it', async () => {
    const { page, complaints } = await visit();
    await use(page, await house.signIn(house.root, 'account'));
    await write(page, 'Operation', 'query A { __typename }\nquery B($n: Int) { users(first: $n) { nodes { name } } }');
    await write(page, 'Variables', '{"n": 1}');
    await page.getByLabel('Operation').press('Control+End');
    await page.getByLabel('Operation').press('Control+Enter');
    await page.getByRole('status').filter({ hasText: 'HTTP 200' }).waitFor();
    expect(JSON.parse(await page.getByLabel('Answer').innerText())).toEqual({
      data: { users: { nodes: [{ name: 'admin' }] } },
    });
    await write(page, 'Variables', '{"n": ');
    await page.getByRole('button', { name: 'Run' }).click();
    await page.getByText('the variables are not JSON').waitFor();
    expect(complaints).toEqual([]);
  });

  test('mistakes are marked by the schema while one writes', async () => {
    const { page, complaints } = await visit();
    await use(page, await house.signIn(house.root));
    await page.getByLabel('Schema').getByRole('heading', { name: 'Query' }).waitFor();
    await write(page, 'Operation', '{ viewer { nobody } }');
    await page.locator('.cm-lintRange-error').first().waitFor();
    await write(page, 'Operation', '{ v');
    await page.getByLabel('Operation').press('Control+Space');
    await page.getByRole('option', { name: /viewer/ }).waitFor();
    expect(complaints).toEqual([]);
  });

  test('markup in an answer stays text', async () => {
    const scene = await setScene(house);
    const markup = '<img src=x onerror=document.title=1><script>document.title=1</script>';
    await house.gql(
      scene.token,
      'mutation M($i: CreateGroupInput!) { createGroup(input: $i) { userErrors { message } } }',
      {
        i: { name: 'marked', description: markup },
      },
    );
    const { page, complaints } = await visit();
    await use(page, scene.token);
    await write(page, 'Operation', '{ groups(first: 9) { nodes { description } } }');
    expect(await run(page)).toContain(markup);
    expect(await page.title()).toBe('Bailiwick explorer');
    expect(complaints).toEqual([]);
  });

  test('the browser would have complained: the policy holds what tries to leave', async () => {
    const other = createServer((socket) => socket.end()).listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as AddressInfo;
    const { page, complaints } = await visit();
    const tried = await page.evaluate(`fetch('http://127.0.0.1:${port}/').then(() => 'sent', () => 'held')`);
    await page.evaluate(`document.body.append(Object.assign(document.createElement('style'), { textContent: 'p{}' }))`);
    const inserted = await page.evaluate(
      `(() => { try { document.body.innerHTML = '<p>'; return 'set'; } catch { return 'held'; } })()`,
    );
    other.close();
    expect({ tried, inserted }).toEqual({ tried: 'held', inserted: 'held' });
    expect(complaints.join('\n')).toContain('connect-src');
    expect(complaints.join('\n')).toContain('style-src');
  });
});
