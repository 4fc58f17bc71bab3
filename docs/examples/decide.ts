import { buildContext, CompiledSources, parsePolicy } from 'bailiwick/policy';

const { document, problems } = parsePolicy(
  {
    Version: '1.1',
    Statement: [
      {
        Effect: 'Allow',
        Action: ['obs:object:get'],
        Resource: ['obs:*:*:object:${g:UserName}/*'],
        Condition: { IpAddress: { 'g:SourceIp': ['192.0.2.0/24'] } },
      },
    ],
  },
  'CUSTOM',
);
if (document === null) throw new Error(problems.map(({ message }) => message).join('; '));

// Made once for a principal, then asked as often as one likes.
const rights = new CompiledSources([{ name: 'own-objects', document, origin: null }]);

export const decision = rights.evaluate({
  action: 'obs:object:get',
  resource: 'obs:eu:acme:object:alice/notes.txt',
  context: buildContext([
    ['g:UserName', 'alice'],
    ['g:SourceIp', '192.0.2.7'],
  ]),
});
