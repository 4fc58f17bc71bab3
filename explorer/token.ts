/**
 * The token, in this page's memory. Only when asked is it kept in the session storage too, which one tab has and loses
 * when it closes; never where other tabs, later visitors or a server's log could find it.
 */

const kept = 'bailiwick.token';

let current = '';

export function tokenInUse(): string {
  return current;
}

/** Takes the one that this tab has kept, if any. */
export function restoreToken(): boolean {
  current = sessionStorage.getItem(kept) ?? '';
  return current !== '';
}

export function useToken(text: string, keep: boolean): void {
  current = text.trim();
  if (keep && current !== '') sessionStorage.setItem(kept, current);
  else sessionStorage.removeItem(kept);
}
