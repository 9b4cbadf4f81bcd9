import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Folders, until } from '../cli.ts';
import { faintTexts, hasBrowser, nameOfFocused, row, settled, TestBrowser, tabTo } from './browser.ts';
import { type Served, serve } from './served.ts';

const line = { sku: '85123A', description: 'WHITE HANGING HEART T-LIGHT HOLDER', quantity: 6, unitPrice: '2.55' };

(hasBrowser ? describe : describe.skip)('the page in a browser', () => {
  const folders = new Folders();
  let data: string;
  let shop: Served;
  let browser: TestBrowser;

  const post = async (path: string, body: object = {}): Promise<{ orderId: string }> => {
    const response = await fetch(`${shop.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as { orderId: string };
  };
  const place = async (orderId: string, content: object = {}): Promise<string> => {
    await post('/api/orders', { orderId, country: 'France', customerId: '12345', lines: [line], ...content });
    return orderId;
  };

  beforeAll(async () => {
    data = await folders.make();
    [shop, browser] = await Promise.all([serve(data, { notifier: 'failing' }), TestBrowser.open()]);
  });
  afterEach(() => browser.closePages());
  afterAll(async () => {
    await Promise.all([browser.close(), shop.stop()]);
    await folders.remove();
  });

  it('says how to fill an empty shop', async () => {
    const page = await browser.page(shop.url);
    await page.getByText('No orders yet').waitFor();
    expect(await page.locator('main code').allTextContents()).toContain('npm start -- serve --sample');
  });

  it('says why there is no revenue where all orders are cancelled', async () => {
    await post(`/api/orders/${await place('GONE-1')}/cancel`, { reason: 'changed my mind' });
    const page = await browser.page(`${shop.url}/#/revenue`);
    await page.getByText('No revenue yet').waitFor();
    expect(await page.locator('main').textContent()).toContain('All orders are cancelled or refunded.');
  });

  it('shows what one visitor does to another who watches', async () => {
    const [watcher, worker] = await Promise.all([browser.page(shop.url), browser.page(`${shop.url}/#/new`)]);
    await settled(watcher);
    await worker.getByLabel('Country').fill('Japan');
    await worker.getByLabel('Order number').fill('LIVE-1');
    await worker.getByLabel('Article').fill('71053');
    await worker.getByLabel('Quantity').fill('3');
    await worker.getByLabel('Unit price').fill('1.005');
    await worker.locator('.form-total', { hasText: '3.02' }).waitFor();
    await worker.getByRole('button', { name: 'Place order' }).click();
    await row(watcher, 'LIVE-1').getByText('Placed', { exact: true }).waitFor();

    await worker.getByRole('button', { name: 'Pay', exact: true }).click();
    await row(watcher, 'LIVE-1').getByText('Paid', { exact: true }).waitFor();
    await worker.getByRole('button', { name: 'Ship', exact: true }).click();
    await worker.getByLabel('Tracking number').fill('3SBOL0042');
    await worker.getByRole('button', { name: 'Ship order' }).click();
    await row(watcher, 'LIVE-1').getByText('Shipped', { exact: true }).waitFor();
    await worker.locator('.event-text', { hasText: '3SBOL0042' }).waitFor();

    expect(await watcher.locator('.feed-verb').allTextContents()).toEqual(['Shipped', 'Paid', 'Placed']);
    await worker.locator('.step', { hasText: 'by read-models on orders' }).last().waitFor();
  });

  it('waits with what is new while it is paused', async () => {
    const page = await browser.page(shop.url);
    await settled(page);
    await page.getByRole('button', { name: 'Pause updates' }).click();
    await place('PAUSED-1');
    await page.getByRole('button', { name: 'One change since. Show the newest' }).waitFor();
    expect(await row(page, 'PAUSED-1').count()).toBe(0);
    await page.getByRole('button', { name: 'Pause updates' }).click();
    await row(page, 'PAUSED-1').waitFor();
  });

  it('finds orders by text, status and country, and keeps that in its address', async () => {
    await place('FIND-1', { country: 'Norway' });
    await place('FIND-2', { country: 'Norway' });
    await post('/api/orders/FIND-2/pay');
    const page = await browser.page(shop.url);
    await row(page, 'FIND-1').waitFor();
    await page.getByLabel('Search').fill('find-');
    await page.locator('.range', { hasText: '1 to 2 of 2' }).waitFor();
    await page.getByRole('radio', { name: 'Paid' }).check({ force: true });
    await page.locator('.range', { hasText: '1 to 1 of 1' }).waitFor();
    await page.getByLabel('Country').selectOption('Norway');
    await until('the address has it', () => page.url().endsWith('#/orders?status=paid&country=Norway&search=find-'));
    await page.reload();
    await page.locator('.range', { hasText: '1 to 1 of 1' }).waitFor();
    expect(await page.getByLabel('Search').inputValue()).toBe('find-');
  });

  it('holds one page of many orders, and turns pages', async () => {
    await Promise.all(Array.from({ length: 30 }, (_, i) => place(`MANY-${i}`)));
    const page = await browser.page(`${shop.url}/#/orders?search=MANY-`);
    await page.locator('.range', { hasText: '1 to 25 of 30' }).waitFor();
    expect(await page.getByRole('row').count()).toBe(26);
    await page.getByRole('button', { name: 'Next' }).click();
    await page.locator('.range', { hasText: '26 to 30 of 30' }).waitFor();
    expect(await page.getByRole('row').count()).toBe(6);
    expect(await nameOfFocused(page)).toBe('Previous');
  });

  it('is used with the keyboard alone', async () => {
    const page = await browser.page(shop.url);
    await settled(page);
    const { keyboard } = page;
    await keyboard.press('Tab');
    expect(await nameOfFocused(page)).toBe('Skip to content');
    await keyboard.press('Enter');
    await tabTo(page, 'New order');
    await keyboard.press('Enter');
    await page.getByRole('heading', { name: 'New order' }).waitFor();
    expect(await nameOfFocused(page)).toBe('New order');
    for (const [field, text] of [
      ['Country', 'Spain'],
      ['Order number (optional)', 'KEYS-1'],
      ['Article', '21730'],
      ['Unit price', '4.25'],
    ] as const) {
      await tabTo(page, field);
      await keyboard.type(text);
    }
    await keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Order KEYS-1' }).waitFor();
    await page.getByRole('button', { name: 'Pay', exact: true }).waitFor();
    await tabTo(page, 'Pay');
    await keyboard.press('Space');
    await until('the focus is on what was done', async () => (await nameOfFocused(page)) === 'It is paid.');
    await page.locator('h1').focus();
    await tabTo(page, 'Cancel order');
    await keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(await nameOfFocused(page)).toBe('Cancel order');
    await page.locator('h1').focus();
    await tabTo(page, 'Ship');
    await keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    expect(await nameOfFocused(page)).toBe('Tracking number (optional)');
    await keyboard.type('KEY-TRACK');
    await keyboard.press('Enter');
    await until('the focus is on what was done', async () => (await nameOfFocused(page)) === 'It is shipped.');
    await page.locator('.event-text', { hasText: 'KEY-TRACK' }).waitFor();

    await page.goto(`${shop.url}/#/revenue`);
    const chart = page.getByRole('group', { name: 'Revenue by country' });
    await page.getByRole('img', { name: 'Revenue by country' }).waitFor();
    await chart.focus();
    await keyboard.press('Home');
    await page.locator('.tip:visible', { hasText: 'France' }).waitFor();
    await keyboard.press('Escape');
    expect(await page.locator('.tip:visible').count()).toBe(0);
  });

  it('tells beside its field what is wrong with an order', async () => {
    const page = await browser.page(`${shop.url}/#/new`, { refusals: true });
    await page.getByLabel('Unit price').fill('-1');
    await page.getByRole('button', { name: 'Place order' }).click();
    const alert = page.getByRole('alert');
    await alert.getByText('Correct these fields').waitFor();
    expect(await page.locator('[aria-invalid=true]').evaluateAll((fields) => fields.map(({ id }) => id))).toEqual([
      'country',
      'lines[0].sku',
      'lines[0].unitPrice',
    ]);
    await alert.getByRole('link', { name: /Line 1, article/ }).click();
    expect(await nameOfFocused(page)).toBe('Article');
    await page.getByLabel('Country').fill('Italy');
    await page.getByLabel('Article').fill('1');
    await page.getByLabel('Unit price').fill('1');
    await page.getByLabel('Order number').fill('FIND-1');
    await page.getByRole('button', { name: 'Place order' }).click();
    await alert.getByText(/FIND-1/).waitFor();
    expect(await page.locator('[aria-invalid=true]').count()).toBe(0);
    await page.goto(`${shop.url}/#/orders/NOBODY`);
    await page.getByRole('alert').getByText('There is no order').waitFor();
  });

  it('keeps what was refused to be read while the list goes on', async () => {
    await place('REFUSED-1');
    const page = await browser.page(shop.url, { refusals: true });
    await settled(page);
    const detail = 'Cannot pay "REFUSED-1": it is cancelled.';
    await page.route('**/REFUSED-1/pay', (route) =>
      route.fulfill({ status: 409, contentType: 'application/problem+json', body: JSON.stringify({ detail }) }),
    );
    await page.getByRole('button', { name: 'Pay order REFUSED-1' }).click();
    await page.getByRole('alert').getByText(detail).waitFor();
    await place('GOES-ON-1');
    await row(page, 'GOES-ON-1').waitFor();
    expect(await page.getByRole('alert').getByText(detail).isVisible()).toBe(true);
  });

  it('shows markup in an order as the text that it is', async () => {
    const evil = '<img src=x onerror="document.title=\'pwned\'"><script>document.title="pwned"</script>';
    const orderId = await place('<b>XSS</b>/1?#%', {
      country: evil.slice(0, 90),
      lines: [{ ...line, description: evil }],
    });
    const page = await browser.page(`${shop.url}/#/orders/${encodeURIComponent(orderId)}`);
    await page.getByRole('cell', { name: evil }).waitFor();
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe(`Order ${orderId}`);
    expect(await page.locator('main img, main script, main b').count()).toBe(0);
    await page.goto(shop.url);
    await row(page, orderId).waitFor();
    expect(await page.title()).toBe('Orders · Order desk');
  });

  it.each(['light', 'dark'] as const)('can be read in %s colours', async (colorScheme) => {
    const page = await browser.page(shop.url, { colorScheme, reducedMotion: 'reduce' });
    for (const [view, shown] of [
      ['orders', 'Next'],
      ['orders/LIVE-1', 'Tracking 3SBOL0042'],
      ['revenue', 'By country'],
      ['operations', 'Consumer groups'],
      ['new', 'Unit price'],
    ] as const) {
      await page.goto(`${shop.url}/#/${view}`);
      await page.getByText(shown).first().waitFor();
      const { checked, faint } = await faintTexts(page);
      expect([view, faint]).toEqual([view, []]);
      expect(checked).toBeGreaterThan(15);
    }
  });

  it('fits into 360 pixels', async () => {
    const page = await browser.page(shop.url, {
      viewport: { width: 360, height: 740 },
      isMobile: true,
      hasTouch: true,
    });
    for (const view of [
      'orders',
      'orders/LIVE-1',
      'revenue',
      'operations',
      'new',
      `orders/${encodeURIComponent('<b>XSS</b>/1?#%')}`,
    ]) {
      await page.goto(`${shop.url}/#/${view}`);
      await page.locator('main .loading').first().waitFor({ state: 'detached' });
      expect([view, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([view, 360]);
    }
  });

  it('comes back after the server did, and redrives what had failed', async () => {
    const page = await browser.page(`${shop.url}/#/operations`, { refusals: true });
    // Of the orders that were shipped above: the notifier fails, again and again.
    const failed = page.getByRole('row').filter({ hasText: 'order.shipped' });
    await failed.filter({ hasText: 'KEYS-1' }).waitFor();
    await failed.filter({ hasText: 'LIVE-1' }).waitFor();
    await failed.filter({ hasText: 'LIVE-1' }).getByText('NOTIFIER=failing').waitFor();
    await page.locator('#failed-count', { hasText: '2 failed' }).waitFor();

    const port = Number(new URL(shop.url).port);
    await shop.stop();
    await page.locator('#sign-live', { hasText: 'Reconnecting' }).waitFor();
    shop = await serve(data, { port });
    await page.locator('#sign-live', { hasText: 'Live' }).waitFor();

    await page.getByRole('button', { name: 'Redrive order.shipped KEYS-1' }).click();
    await page.getByText('1 message redriven.').waitFor();
    await failed.filter({ hasText: 'KEYS-1' }).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: /^Discard all/ }).click();
    await page.getByRole('dialog').getByText('will never handle').waitFor();
    await page.getByRole('button', { name: 'Not now' }).click();
    await page.getByRole('button', { name: /^Redrive all/ }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Redrive all' }).click();
    await page.getByText('No failed messages').waitFor();
    await page.locator('#failed-count').waitFor({ state: 'hidden' });
    const notified = async (): Promise<string[]> => {
      const text = await readFile(join(data, 'notifications.jsonl'), 'utf8').catch(() => '');
      return text
        .split('\n')
        .filter(Boolean)
        .map((json) => (JSON.parse(json) as { orderId: string }).orderId)
        .toSorted();
    };
    await until('both are told', async () => (await notified()).join() === 'KEYS-1,LIVE-1');

    await page.goto(`${shop.url}/#/orders`);
    await settled(page);
    await place('AFTER-1');
    await row(page, 'AFTER-1').waitFor();
    expect(await page.locator('.feed-order').allTextContents()).toEqual(['AFTER-1']);
  });

  it('has asked no other host, and its console has no complaint', () => {
    expect(browser.complaints).toEqual([]);
    expect([...browser.hosts]).toEqual([new URL(shop.url).host]);
  });
});
