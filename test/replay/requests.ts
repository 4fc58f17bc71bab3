/** The documents and variables that carry each operation over HTTP. */
import type { Operation } from './generator.js';
import type { Read, Window } from './reads.js';
import { nodeId, scopeInput } from './world.js';
import type { Write } from './writes.js';

export interface Request {
  readonly query: string;
  readonly variables: object;
}

const page = '$first: Int, $after: String, $last: Int, $before: String';
const paged = 'first: $first, after: $after, last: $last, before: $before';
const pageInfo = 'totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }';
const resourceFields =
  'id urn kind name tags { key value } createdAt updatedAt owner { id name } parent { id name } workspace { id name description }';
const userErrors = 'userErrors { code message path reference } revision';

const lists = {
  resources: `query($filter: ResourceFilterInput, $orderBy: ResourceOrderInput, ${page}) {
    list: resources(filter: $filter, orderBy: $orderBy, ${paged}) { ${pageInfo} edges { cursor node { ${resourceFields} } } } }`,
  users: `query($filter: UserFilterInput, $orderBy: UserOrderInput, ${page}) {
    list: users(filter: $filter, orderBy: $orderBy, ${paged}) { ${pageInfo} edges { cursor node { id name enabled root createdAt } } } }`,
  groups: `query($filter: GroupFilterInput, $orderBy: GroupOrderInput, ${page}) {
    list: groups(filter: $filter, orderBy: $orderBy, ${paged}) { ${pageInfo} edges { cursor node {
      id name createdAt members(first: 100) { totalCount nodes { id } } } } } }`,
  workspaces: `query($filter: WorkspaceFilterInput, $orderBy: WorkspaceOrderInput, ${page}) {
    list: workspaces(filter: $filter, orderBy: $orderBy, ${paged}) { ${pageInfo} edges { cursor node {
      id name description visibility createdAt updatedAt members(first: 100) { totalCount nodes { id } } } } } }`,
  grants: `query($filter: GrantFilterInput, $orderBy: GrantOrderInput, ${page}) {
    list: grants(filter: $filter, orderBy: $orderBy, ${paged}) { ${pageInfo} edges { cursor node {
      id createdAt policy { id name } user { id name } group { id name } service { id name }
      scope { kind workspace { id name } enterpriseProject { id name } } createdBy { id name } } } } }`,
  auditEvents: `query($filter: AuditEventFilterInput, $orderBy: AuditEventOrderInput, ${page}) {
    list: auditEvents(filter: $filter, orderBy: $orderBy, ${paged}) { ${pageInfo} edges { cursor node {
      id revision sequence operation actor { id name } target { id kind } before after workspace { id name } } } } }`,
} as const;

export type ListName = keyof typeof lists;

export function requestOf(operation: Operation): Request {
  switch (operation.name) {
    case 'signIn':
      throw new Error('signing in has a password, so it is sent elsewhere');
    case 'resources':
    case 'users':
    case 'groups':
    case 'workspaces':
    case 'grants':
    case 'auditEvents':
      return {
        query: lists[operation.name],
        variables: { filter: filterOf(operation), ...windowOf(operation.window) },
      };
    case 'strangeCursor':
      return { query: lists[operation.list], variables: { after: operation.cursor } };
    case 'resource':
      return {
        query: `query($id: ID!) { found: resource(id: $id) { ${resourceFields} } }`,
        variables: { id: operation.id },
      };
    case 'workspace':
      return {
        query: 'query($id: ID!) { found: workspace(id: $id) { id name description visibility creator { id } } }',
        variables: { id: operation.id },
      };
    case 'nodes':
      return {
        query: `query($ids: [ID!]!) { found: nodes(ids: $ids) { id ... on Resource { name urn workspace { id name } }
          ... on User { name } ... on Group { name } ... on Policy { name } ... on Service { name } ... on Workspace { name description } } }`,
        variables: { ids: operation.ids.map(({ kind, id }) => nodeId(kind, id)) },
      };
    case 'checkAccess':
      return {
        query: `query($requests: [AccessRequestInput!]!) { found: checkAccess(requests: $requests) {
          effect reason action resource actor { id name } statements { policy origin group scope { kind workspace { id } } } } }`,
        variables: {
          requests: operation.questions.map(({ principal, action, resource, workspaceId }) => ({
            action,
            resource,
            workspaceId,
            principal: principal === null ? null : { [principal.kind.toLowerCase()]: principal.id },
          })),
        },
      };
    case 'viewer':
      return {
        query: `query($actions: [String!]) { found: viewer { actor { id kind name } scope { kind workspace { id name } }
          user { id name } workspace { id name } permissions(actions: $actions) { action effect reason } } }`,
        variables: { actions: operation.actions },
      };
    case 'switchScope':
      return mutation(
        'switchScope',
        'token viewer { scope { kind workspace { id } } } userErrors { code message path reference }',
        { scope: { workspace: operation.workspaceId } },
      );
    case 'registerResource':
    case 'updateResource':
    case 'moveResource':
    case 'deregisterResource':
    case 'createWorkspace':
    case 'updateWorkspace':
    case 'deleteWorkspace':
    case 'updateWorkspaceQuotas':
    case 'grantPolicy':
    case 'revokeGrant':
    case 'addGroupMembers':
    case 'removeGroupMembers':
    case 'updateUser':
    case 'setDefaultPolicyVersion':
    case 'setAuthorizationMode':
      return writeRequest(operation);
  }
}

function writeRequest(write: Write): Request {
  const resource = `object: resource { ${resourceFields} } ${userErrors}`;
  const workspace = `object: workspace { id name description visibility createdAt updatedAt } ${userErrors}`;
  switch (write.name) {
    case 'registerResource': {
      const { urn, resourceName: name, tags, ownerId, parentId } = write;
      return mutation(write.name, resource, { urn, name, tags, ownerId, parentId });
    }
    case 'updateResource': {
      const { name: _, resourceName: name, ...input } = write;
      return mutation(write.name, resource, { ...input, name });
    }
    case 'moveResource':
      return mutation(write.name, resource, { id: write.id, workspaceId: write.workspaceId });
    case 'deregisterResource':
      return mutation(write.name, resource, { id: write.id });
    case 'createWorkspace': {
      const { workspaceName: name, description, visibility, projectId: enterpriseProjectId, memberIds } = write;
      return mutation(write.name, workspace, { name, description, visibility, enterpriseProjectId, memberIds });
    }
    case 'updateWorkspace': {
      const { id, visibility, memberIds } = write;
      return mutation(write.name, workspace, { id, visibility, memberIds });
    }
    case 'deleteWorkspace':
      return mutation(write.name, workspace, { id: write.id });
    case 'updateWorkspaceQuotas':
      return mutation(write.name, workspace, { id: write.id, quotas: [{ resource: write.kind, quota: write.quota }] });
    case 'grantPolicy': {
      const { policyId, subjectKind, subjectId, scopeKind, scopeId, expiresAt } = write;
      return mutation(
        write.name,
        `object: grant { id createdAt policy { id name } user { id name } group { id name } scope { kind workspace { id name } } }
          widened warnings defaultAccessEnded { id name } ${userErrors}`,
        {
          policyId,
          subject: { [subjectKind.toLowerCase()]: subjectId },
          scope: scopeInput(scopeKind, scopeId),
          expiresAt: expiresAt === null ? null : new Date(expiresAt).toISOString(),
        },
      );
    }
    case 'revokeGrant':
      return mutation(write.name, `object: grant { id createdAt scope { kind workspace { id } } } ${userErrors}`, {
        id: write.id,
      });
    case 'addGroupMembers':
    case 'removeGroupMembers': {
      const { groupId, userIds } = write;
      return mutation(write.name, `object: group { id createdAt } users { id name } ${userErrors}`, {
        groupId,
        userIds,
      });
    }
    case 'updateUser':
      return mutation(write.name, `object: user { id createdAt updatedAt } ${userErrors}`, {
        id: write.id,
        enabled: write.enabled,
      });
    case 'setDefaultPolicyVersion':
      return mutation(write.name, `object: policy { id } defaultAccessEnded { id } ${userErrors}`, {
        policyId: write.policyId,
        number: write.number,
      });
    case 'setAuthorizationMode':
      return mutation(write.name, `object: account { id } ${userErrors}`, { mode: write.mode });
  }
}

function mutation(name: string, selection: string, input: object): Request {
  const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input`;
  return {
    query: `mutation($input: ${type}!) { done: ${name}(input: $input) { ${selection} } }`,
    variables: { input },
  };
}

function filterOf(read: Read & { readonly window: Window }): object {
  const { name: _name, window: _window, ...filter } = read;
  return filter;
}

function windowOf({ by, direction, size, backward, from }: Window): object {
  const cursor = from?.cursor ?? null;
  return {
    orderBy: { field: by, direction },
    ...(backward ? { last: size, before: cursor } : { first: size, after: cursor }),
  };
}
