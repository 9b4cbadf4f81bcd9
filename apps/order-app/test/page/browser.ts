import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from 'playwright-core';

const executablePath = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';

const inBrowser = fileURLToPath(new URL('in-browser.js', import.meta.url));

/** On CI a browser that is missing is a failure; elsewhere the tests say that they are skipped. */
export const hasBrowser = process.env['CI'] === 'true' || existsSync(executablePath);

/** Longest wait for what should be at once, on a machine that has other work to do. Milliseconds. */
const patienceMs = 20_000;

/** A browser that remembers what its pages complained about, and whom they asked. */
export class TestBrowser {
  readonly #browser: Browser;
  readonly complaints: string[] = [];
  readonly hosts = new Set<string>();

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  static async open(): Promise<TestBrowser> {
    const browser = await chromium.launch({
      executablePath,
      args: [
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
    return new TestBrowser(browser);
  }

  /** A page of its own, as of another visitor. `refusals`: the test makes the server refuse something, which browsers log. */
  async page(
    url: string,
    { refusals = false, ...options }: BrowserContextOptions & { refusals?: boolean } = {},
  ): Promise<Page> {
    const context = await this.#browser.newContext({ viewport: { width: 1280, height: 860 }, ...options });
    await context.addInitScript({ path: inBrowser });
    const page = await context.newPage();
    page.setDefaultTimeout(patienceMs);
    page.on('pageerror', (error) => this.complaints.push(String(error.stack)));
    page.on('console', (message) => {
      if (message.type() !== 'error' && message.type() !== 'warning') return;
      if (refusals && message.text().startsWith('Failed to load resource')) return;
      this.complaints.push(`${page.url()}: ${message.text()}`);
    });
    page.on('request', (request) => this.hosts.add(new URL(request.url()).host));
    await page.goto(url);
    return page;
  }

  async closePages(): Promise<void> {
    await Promise.all(this.#browser.contexts().map((context) => context.close()));
  }

  close(): Promise<void> {
    return this.#browser.close();
  }
}

/** Presses Tab until what has the focus is called so. */
export async function tabTo(page: Page, name: string): Promise<void> {
  const seen: string[] = [];
  for (let i = 0; i < 80; i++) {
    await page.keyboard.press('Tab');
    const focused = await nameOfFocused(page);
    if (focused === name) return;
    seen.push(focused);
  }
  throw new Error(`Tab does not reach "${name}", it went over: ${seen.join(' | ')}`);
}

/** Name of what has the focus. */
export const nameOfFocused = (page: Page): Promise<string> => page.evaluate('inPage.nameOfFocused()');

/** Texts with too little contrast, and how many were looked at. */
export const faintTexts = (page: Page): Promise<{ readonly checked: number; readonly faint: readonly string[] }> =>
  page.evaluate('inPage.faintTexts()');

/** Row of a table that tells of an order. */
export const row = (page: Page, orderId: string): Locator => page.getByRole('row').filter({ hasText: orderId });
/** The page has got what it asked for, and hears of what is next. */
export const settled = async (page: Page): Promise<void> => {
  await page.locator('#sign-live', { hasText: 'Live' }).waitFor();
  await page.locator('#sign-bus', { hasText: 'In process' }).waitFor();
};
