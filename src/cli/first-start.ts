/** What the first start says: the password, once, and two commands that can be pasted as they are. */
import type { CreatedAccount } from '../iam/index.js';

/** Says that an account was made, and its random password. To be printed at once: it is stored nowhere. */
export function describeAccount({ account, root, password }: CreatedAccount): string {
  const made = `made account \`${account.name}\` with root user \`${root.name}\``;
  if (password === null) return `${made} and the password from BAILIWICK_ADMIN_PASSWORD\n`;
  return `${made}\n\n  password: ${password}\n\nit is shown this once and stored nowhere; keep it\n`;
}

const signIn = 'mutation SignIn($input: SignInInput!) { signIn(input: $input) { token userErrors { message } } }';
const viewer = '{ viewer { actor { kind name } account { name } scope { workspace { id name } } } }';

/**
 * Commands for a POSIX shell: the first keeps the token in a variable, the second asks who one is. `signInId`: the known
 * document that signs in, where the server answers no other; root may send any.
 */
export function describeFirstRequests(
  url: string,
  { account, root, password }: CreatedAccount,
  signInId: string | null = null,
): string {
  const input = { account: account.name, userName: root.name, password: password ?? passwordPlace };
  const document = signInId === null ? { query: signIn } : { documentId: signInId };
  const request = quote(JSON.stringify({ ...document, variables: { input } })).replace(
    passwordPlace,
    // Outside the quotes, so that the shell fills it in: what came from the environment is not printed.
    `'"$BAILIWICK_ADMIN_PASSWORD"'`,
  );
  return [
    'sign in, then ask who you are:',
    '',
    `  TOKEN=$(curl -s ${url} -H 'content-type: application/json' -d ${request} | sed 's/.*"token":"\\([^"]*\\)".*/\\1/')`,
    '',
    `  curl -s ${url} -H 'content-type: application/json' -H "authorization: Bearer $TOKEN" -d ${quote(JSON.stringify({ query: viewer }))}`,
    '',
    '',
  ].join('\n');
}

const passwordPlace = '<password>';

/** One word for a POSIX shell. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
