/** A real browser, where one is installed; nothing is downloaded. */
import { existsSync } from 'node:fs';
import { afterAll } from 'vitest';
import { chromium, type Browser, type BrowserContext } from 'playwright-core';

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Null where there is none: tests that need it skip, and say so. */
export const browserPath = places.find((place) => existsSync(place)) ?? null;

if (browserPath === null) {
  process.stderr.write(
    `no browser at ${places.join(', ')}: tests of pages are skipped; install chromium to run them\n`,
  );
}

const open: Browser[] = [];
afterAll(async () => {
  for (const browser of open) await browser.close();
});

/** A browser with a profile of its own that reaches this machine only. */
export async function openBrowser(): Promise<BrowserContext> {
  if (browserPath === null) throw new Error('there is no browser');
  const browser = await chromium.launch({
    executablePath: browserPath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  open.push(browser);
  return browser.newContext();
}
