/**
 * `npm run demo`: a small story over real HTTP. A server of its own is started on a scratch database and a free port of
 * this machine; then people and a service send it requests, and each request, its outcome and the reason are printed.
 * It ends with status 1 if any outcome is not what the story says.
 */
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { apiPath, openListener } from '../http/index.js';
import { buildGuardedSchema, resolvers } from '../graphql/index.js';
import { platformCatalogue } from '../catalogue/index.js';
import { createFirstAccount, openHouse } from '../house.js';
import { readSettings } from '../settings.js';
import { Story, type Sender } from './story.js';

const problems = 'userErrors { code message }';

async function play(story: Story, rootPassword: string): Promise<void> {
  const nobody: Sender = { name: 'nobody', token: null };
  /** @param where the scope as one says it */
  const signIn = async (userName: string, password: string, scope: object, where: string): Promise<string> => {
    const query = `mutation SignIn($input: SignInInput!) { signIn(input: $input) { token ${problems} } }`;
    const input = { account: 'default', userName, password, scope };
    const { signIn: made } = (await story.tell({ name: userName, token: null }, `signs in ${where}`, 'allowed', query, {
      input,
    })) as { signIn?: { token?: string } };
    return made?.token ?? '';
  };

  story.chapter('Nobody is told anything, but why');
  await story.tell(nobody, 'asks who there is', 'refused', '{ users { nodes { name } } }');

  story.chapter('An administrator sets the scene');
  const admin: Sender = {
    name: 'admin',
    token: await signIn('admin', rootPassword, { account: true }, 'for the account'),
  };
  const create = async (does: string, mutation: string, object: string, input: object): Promise<string> => {
    const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`;
    const query = `mutation Make($input: ${type}!) { ${mutation}(input: $input) { ${object} { id } ${problems} } }`;
    const made = (await story.tell(admin, does, 'allowed', query, {
      input,
    })) as Record<string, Record<string, { id: string } | null> | null>;
    return made[mutation]?.[object]?.id ?? '';
  };
  await story.tell(
    admin,
    'makes every right explicit',
    'allowed',
    `mutation { setAuthorizationMode(input: { mode: STRICT }) { ${problems} } }`,
  );
  const vision = await create('makes the workspace `vision`', 'createWorkspace', 'workspace', { name: 'vision' });
  const speech = await create('makes the workspace `speech`', 'createWorkspace', 'workspace', { name: 'speech' });
  const group = await create('makes the group `vision-engineers`', 'createGroup', 'group', {
    name: 'vision-engineers',
  });
  const password = 'Correct-horse-9';
  await create('makes the user `erin`, a member of it', 'createUser', 'user', {
    name: 'erin',
    password,
    groupIds: [group],
  });

  story.chapter('A policy is drafted by resource type, then granted in one workspace');
  const drafted = (await story.tell(
    admin,
    'drafts a policy for notebooks and training jobs',
    'allowed',
    '{ draftPolicy(resourceKinds: ["modelarts:notebook", "modelarts:trainJob"], accessLevels: [LIST, READ, WRITE], effect: ALLOW) { document problems { message } } }',
  )) as { draftPolicy?: { document?: unknown } };
  const policy = await create('saves the draft as the policy `engineering`', 'createPolicy', 'policy', {
    name: 'engineering',
    document: drafted.draftPolicy?.document,
  });
  const grant = await create('grants it to the group in `vision`', 'grantPolicy', 'grant', {
    policyId: policy,
    subject: { group },
    scope: { workspace: vision },
  });

  story.chapter('An engineer: refused in one workspace, allowed in another');
  const ask =
    'query Ask($requests: [AccessRequestInput!]!) { checkAccess(requests: $requests) { effect reason action statements { policy } } }';
  const wantsJob = { requests: [{ action: 'modelarts:trainJob:create' }] };
  const inSpeech: Sender = {
    name: 'erin',
    token: await signIn('erin', password, { workspace: speech }, 'for `speech`'),
  };
  const inVision: Sender = {
    name: 'erin',
    token: await signIn('erin', password, { workspace: vision }, 'for `vision`'),
  };
  await story.tell(inSpeech, 'may I create a training job in `speech`?', 'refused', ask, wantsJob);
  await story.tell(inVision, 'may I create a training job in `vision`?', 'allowed', ask, wantsJob);
  await story.tell(
    inVision,
    'may I create a policy?',
    'refused',
    `mutation { createPolicy(input: { name: "mine", document: "{}" }) { ${problems} } }`,
  );
  await story.tell(
    inSpeech,
    'lists the users of `speech` without the right to',
    'refused',
    '{ users { nodes { name } } }',
  );

  story.chapter('A service brings its own actions, signs its requests, and asks for decisions');
  const service = (await story.tell(
    admin,
    'registers the service `annotator` with two actions on `annotator:task`',
    'allowed',
    `mutation { createService(input: { name: "annotator", actions: [{ name: "annotator:task:assign", accessLevel: WRITE, description: "Assign a task" }, { name: "annotator:task:create", accessLevel: WRITE, description: "Create a task" }] }) { service { id } accessKeyId secretAccessKey ${problems} } }`,
  )) as { createService?: { service: { id: string }; accessKeyId: string; secretAccessKey: string } };
  const made = service.createService;
  const assigning = await create('saves the policy `assign-tasks`', 'createPolicy', 'policy', {
    name: 'assign-tasks',
    document: { Version: '1.1', Statement: [{ Effect: 'Allow', Action: ['annotator:task:assign'] }] },
  });
  const checking = await create('saves the policy `ask-for-decisions`', 'createPolicy', 'policy', {
    name: 'ask-for-decisions',
    document: {
      Version: '1.1',
      Statement: [{ Effect: 'Allow', Action: ['bailiwick:access:check', 'bailiwick:access:explain'] }],
    },
  });
  await create('grants `ask-for-decisions` to the service in `vision`', 'grantPolicy', 'grant', {
    policyId: checking,
    subject: { service: made?.service.id },
    scope: { workspace: vision },
  });
  const users = (await story.tell(
    admin,
    'looks erin up',
    'allowed',
    '{ users(filter: { name: "erin" }) { nodes { id } } }',
  )) as {
    users?: { nodes: readonly { id: string }[] };
  };
  const erin = users.users?.nodes[0]?.id;
  const annotator = {
    name: 'annotator',
    key: { accessKeyId: made?.accessKeyId ?? '', secretAccessKey: made?.secretAccessKey ?? '' },
    workspace: Buffer.from(vision, 'base64url')
      .toString()
      .replace(/^Workspace:/, ''),
  };
  const mayErinAssign = { requests: [{ principal: { user: erin }, action: 'annotator:task:assign' }] };
  await story.tell(annotator, 'may erin assign tasks?', 'refused', ask, mayErinAssign);
  await create('grants `assign-tasks` to erin in `vision`', 'grantPolicy', 'grant', {
    policyId: assigning,
    subject: { user: erin },
    scope: { workspace: vision },
  });
  await story.tell(annotator, 'and now?', 'allowed', ask, mayErinAssign);

  story.chapter('An agency: what a service may do for people in the background is granted to it alone');
  const agency = await create(
    'makes the agency `training-jobs`, which trusts the service `modelarts`',
    'createAgency',
    'agency',
    {
      name: 'training-jobs',
      trust: { service: 'modelarts' },
      durationDays: 30,
    },
  );
  await create('grants it `obs_readonly` in account scope', 'grantPolicy', 'grant', {
    policyId: 'obs_readonly',
    subject: { agency },
    scope: { account: true },
  });
  const authorization = await create(
    'lets the service act through it on behalf of erin',
    'authorizeAgency',
    'authorization',
    { agencyId: agency, userId: erin },
  );

  story.chapter('A notebook is registered where the engineer works, and is nowhere else');
  const account = (await story.tell(admin, 'looks the account up', 'allowed', '{ viewer { account { id } } }')) as {
    viewer?: { account: { id: string } };
  };
  const accountId = Buffer.from(account.viewer?.account.id ?? '', 'base64url')
    .toString()
    .replace(/^Account:/, '');
  const adminInVision: Sender = {
    name: 'admin',
    token: await signIn('admin', rootPassword, { workspace: vision }, 'for `vision`'),
  };
  await story.tell(
    adminInVision,
    'registers a notebook in `vision`',
    'allowed',
    `mutation Register($input: RegisterResourceInput!) { registerResource(input: $input) { resource { id } ${problems} } }`,
    { input: { urn: `modelarts::${accountId}:notebook:first-steps`, name: 'first steps', ownerId: erin } },
  );
  story.chapter('The service registers a task by a signed request, which nobody can send again');
  for (const [name, actions] of [
    ['registers', ['bailiwick:resources:register']],
    ['creates-tasks', ['annotator:task:create']],
  ] as const) {
    const document = { Version: '1.1', Statement: [{ Effect: 'Allow', Action: actions }] };
    const policyId = await create(`saves the policy \`${name}\``, 'createPolicy', 'policy', { name, document });
    const subject = { service: made?.service.id };
    await create(`grants \`${name}\` to the service in \`vision\``, 'grantPolicy', 'grant', {
      policyId,
      subject,
      scope: { workspace: vision },
    });
  }
  await story.tell(
    annotator,
    'registers a task in `vision`, owned by erin',
    'allowed',
    `mutation Register($input: RegisterResourceInput!) { registerResource(input: $input) { resource { id } ${problems} } }`,
    { input: { urn: `annotator::${accountId}:task:first`, name: 'first task', ownerId: erin } },
  );
  await story.repeat('somebody who saw it pass', 'sends it again', 'refused');
  await story.tell(inSpeech, 'looks for resources from `speech`', 'refused', '{ resources { nodes { name } } }');

  story.chapter('A job runs in the background: no token of erin is kept, and the chain is told');
  const training = (await story.tell(
    admin,
    'makes the service `modelarts`, whom the agency trusts',
    'allowed',
    `mutation { createService(input: { name: "modelarts" }) { service { id } accessKeyId secretAccessKey ${problems} } }`,
  )) as { createService?: { service: { id: string }; accessKeyId: string; secretAccessKey: string } };
  const trainer = training.createService;
  for (const [name, actions] of [
    ['assumes', ['bailiwick:resources:register', 'iam:agencies:assume']],
    ['trains', ['modelarts:trainJob:create']],
  ] as const) {
    const document = { Version: '1.1', Statement: [{ Effect: 'Allow', Action: actions }] };
    const policyId = await create(`saves the policy \`${name}\``, 'createPolicy', 'policy', { name, document });
    const subject = { service: trainer?.service.id };
    await create(`grants \`${name}\` to the service in \`vision\``, 'grantPolicy', 'grant', {
      policyId,
      subject,
      scope: { workspace: vision },
    });
  }
  const modelarts: Sender = {
    name: 'modelarts',
    key: { accessKeyId: trainer?.accessKeyId ?? '', secretAccessKey: trainer?.secretAccessKey ?? '' },
    workspace: annotator.workspace,
  };
  const registered = (await story.tell(
    modelarts,
    'registers a training job of erin in `vision`',
    'allowed',
    `mutation Register($input: RegisterResourceInput!) { registerResource(input: $input) { resource { id } ${problems} } }`,
    { input: { urn: `modelarts::${accountId}:trainJob:night-run`, name: 'night run', ownerId: erin } },
  )) as { registerResource?: { resource: { id: string } | null } };
  const assume = `mutation Assume($input: AssumeAgencyInput!) { assumeAgency(input: $input) { temporaryCredential { accessKeyId secretAccessKey securityToken } actor { description } ${problems} } }`;
  const input = { agencyId: agency, resourceId: registered.registerResource?.resource?.id, sessionName: 'night-run' };
  await story.tell(annotator, 'tries to assume the agency for it', 'refused', assume, { input });
  const assumed = (await story.tell(modelarts, 'assumes the agency for it', 'allowed', assume, { input })) as {
    assumeAgency?: {
      temporaryCredential: { accessKeyId: string; secretAccessKey: string; securityToken: string } | null;
      actor: { description: string } | null;
    };
  };
  const job: Sender = {
    name: assumed.assumeAgency?.actor?.description ?? 'nobody',
    key: assumed.assumeAgency?.temporaryCredential ?? { accessKeyId: '', secretAccessKey: '' },
    workspace: null,
  };
  const mayRead = { requests: [{ action: 'obs:bucket:ListBucket' }] };
  const mayWrite = { requests: [{ action: 'obs:object:PutObject' }] };
  await story.tell(job, 'may I list the data?', 'allowed', ask, mayRead);
  await story.tell(job, 'may I write to it?', 'refused', ask, mayWrite);
  await story.tell(
    admin,
    'revokes the authorization of erin',
    'allowed',
    `mutation Revoke($input: RevokeAuthorizationInput!) { revokeAuthorization(input: $input) { ${problems} } }`,
    { input: { id: authorization } },
  );
  await story.tell(job, 'may I still list it?', 'refused', ask, mayRead);

  story.chapter('A revocation bites at the next request');
  await story.tell(inVision, 'may I create a training job?', 'allowed', ask, wantsJob);
  await story.tell(
    admin,
    'revokes the grant of the group',
    'allowed',
    `mutation Revoke($input: RevokeGrantInput!) { revokeGrant(input: $input) { ${problems} } }`,
    { input: { id: grant } },
  );
  await story.tell(inVision, 'may I still?', 'refused', ask, wantsJob);
}

const folder = await mkdtemp(join(tmpdir(), 'bailiwick-demo-'));
const rootPassword = `Demo ${createHash('sha256').update(folder).digest('hex').slice(0, 16)}`;
const house = await openHouse(
  readSettings({
    BAILIWICK_DATABASE_URL: `sqlite:${join(folder, 'demo.db')}`,
    BAILIWICK_SECRET_KEY_FILE: join(folder, 'secret.key'),
    BAILIWICK_ADMIN_PASSWORD: rootPassword,
  }),
);
await createFirstAccount(
  house,
  readSettings({ BAILIWICK_ADMIN_PASSWORD: rootPassword, BAILIWICK_DATABASE_URL: `sqlite:${join(folder, 'demo.db')}` }),
);
const listener = await openListener({
  iam: house.iam,
  schema: buildGuardedSchema({ resolvers, catalogue: platformCatalogue }),
  log: { level: 'fatal', stream: process.stderr },
});
let story: Story | null = null;
try {
  const origin = await listener.listen('127.0.0.1', 0);
  console.log(`a server of its own on ${origin}, on a scratch database that is removed at the end`);
  story = new Story(`${origin}${apiPath}`);
  await play(story, rootPassword);
} finally {
  await listener.stop(1);
  await house.close();
  await rm(folder, { recursive: true, force: true });
}
const failures = story?.failures ?? ['the story was not told'];
console.log(failures.length === 0 ? '\nevery request came out as the story says' : `\n${failures.join('\n')}`);
process.exitCode = failures.length === 0 ? 0 : 1;
