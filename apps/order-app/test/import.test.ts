import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, chown, copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Figures, Folders, generator, importJson, root, run, sample } from './cli.ts';
import { header, row, writeCsv } from './csv.ts';

const folders = new Folders();
afterAll(() => folders.remove());

/** Real invoices of a shop; where they are not there, the tests of them are skipped. */
const realInvoices = join(root, '../shared/data/online-retail-sample.csv');
const withRealInvoices = existsSync(realInvoices) ? describe : describe.skip;

const rejectsHeader = `Line,Reason,${header}`;
const exactly = ({ seconds, ...figures }: Figures): Omit<Figures, 'seconds'> => {
  expect(seconds).toBeGreaterThan(0);
  return figures;
};

withRealInvoices('an import of real invoices', () => {
  it('is exact and rejects the malformed ones', async () => {
    const folder = await folders.make();
    const file = join(folder, 'retail.csv');
    await copyFile(realInvoices, file);
    await chmod(file, 0o644);
    // Worked out by hand with awk and with Python's csv and decimal modules: lines 121, 172, 175 and 179 have seven fields.
    const expected = {
      orders: 19,
      creditNotes: 1,
      lines: 135,
      rejectedInvoices: 3,
      rejectedRows: 47,
      revenue: '4757.16',
      byCountry: { France: '855.86', 'United Kingdom': '3901.30' },
      newEvents: 20,
    };
    expect(exactly(await importJson(file, join(folder, 'data')))).toEqual(expected);
    const rejects = (await readFile(join(folder, 'retail.rejects.csv'), 'utf8')).trimEnd().split('\n');
    expect(rejects[0]).toBe(rejectsHeader);
    expect(rejects).toHaveLength(1 + 47);
    expect(rejects.filter((line) => line.includes(',7 fields instead of 8,'))).toEqual([
      '121,7 fields instead of 8,536381,21175,GIN + TONIC DIET METAL   2,12/1/10 9:41,2.1,15311,United Kingdom',
      '172,7 fields instead of 8,536385,22663,JUMBO BAG DOLLY GIRL DE  10,12/1/10 9:56,1.95,17420,United Kingdom',
      '175,7 fields instead of 8,536385,22662,LUNCH BAG DOLLY GIRL DE  10,12/1/10 9:56,1.65,17420,United Kingdom',
      '179,7 fields instead of 8,536387,79321,CHILLI  192,12/1/10 9:58,3.82,16029,United Kingdom',
    ]);
    expect(rejects[1]).toMatch(/^108,"rejected with its invoice, line 121: 7 fields instead of 8",536381,22139,/);
    expect(exactly(await importJson(file, join(folder, 'data')))).toEqual({ ...expected, newEvents: 0 });
  });
});

describe('an import', () => {
  describe('of the sample', () => {
    let data: string;
    let first: Figures;
    // Worked out with Python's csv and decimal modules.
    const expected = {
      orders: 1968,
      creditNotes: 32,
      lines: 5850,
      rejectedInvoices: 0,
      rejectedRows: 0,
      revenue: '440751.03',
      byCountry: {
        Australia: '19038.08',
        Belgium: '13517.19',
        EIRE: '14468.81',
        Finland: '17317.54',
        France: '40519.43',
        Germany: '37229.89',
        Italy: '14495.47',
        Japan: '18810.42',
        Netherlands: '8327.31',
        Norway: '16927.29',
        Portugal: '17500.49',
        Spain: '24676.24',
        Switzerland: '13863.08',
        'United Kingdom': '184059.79',
      },
      newEvents: 2000,
    };
    beforeAll(async () => {
      data = join(await folders.make(), 'data');
      first = await importJson(sample, data);
    });

    it('is exact', () => {
      expect(exactly(first)).toEqual(expected);
      expect(Object.keys(first.byCountry)).toEqual(Object.keys(expected.byCountry));
    });

    it('adds nothing the second time', async () => {
      expect(exactly(await importJson(sample, data))).toEqual({ ...expected, newEvents: 0 });
    });

    it('is what a call without arguments does, with a table for people', async () => {
      const { code, stdout, stderr } = await run(['--data', data]);
      expect({ code, stderr }).toEqual({
        code: 0,
        stderr: `This is the sample; \`--help\` shows what else there is.\nImporting 2,000 invoices from ${sample}\nSee it on a page: \`npm start -- serve\`, then open http://127.0.0.1:3000\n`,
      });
      expect(stdout).toMatch(/^Orders +1,968$/m);
      expect(stdout).toMatch(/^Revenue +440751\.03$/m);
      expect(stdout).toMatch(/^United Kingdom +[\d,]+ +184059\.79$/m);
    });

    it('is what the generator makes', async () => {
      const made = execFileSync(process.execPath, [generator], { maxBuffer: 1e7 });
      expect(made.equals(await readFile(sample))).toBe(true);
    });
  });

  it('takes an invoice as a whole, however its rows are scattered', async () => {
    const folder = await folders.make();
    const file = join(folder, 'scattered.csv');
    await writeCsv(file, [
      { invoice: '1', quantity: '2', price: '0.005', date: '1/31/11 9:00' },
      { invoice: '2', quantity: '1', price: '3', country: 'Spain' },
      { invoice: 'C3', quantity: '-4', price: '100' },
      { invoice: '1', quantity: '3', price: '1.25', date: '2/1/11 9:00', description: '"two\nlines, ""quoted"""' },
      { invoice: '2', quantity: '7', price: '0.105', country: 'Spain' },
      { invoice: '1', quantity: '1', price: '0' },
    ]);
    // 2 x 0.005 + 3 x 1.25 = 3.76; 3 + 7 x 0.105 = 3.735, half up 3.74; the sum is 7.495, half up 7.50.
    expect(exactly(await importJson(file, join(folder, 'data')))).toEqual({
      orders: 2,
      creditNotes: 1,
      lines: 5,
      rejectedInvoices: 0,
      rejectedRows: 0,
      revenue: '7.50',
      byCountry: { France: '3.76', Spain: '3.74' },
      newEvents: 3,
    });
    const show = await run(['show', '1', '--data', join(folder, 'data'), '--json']);
    expect(JSON.parse(show.stdout)).toEqual({
      orderId: '1',
      status: 'placed',
      customerId: '17850',
      country: 'France',
      placedAt: '2011-01-31T09:00:00.000Z',
      lineCount: 3,
      total: '3.76',
      tracking: '',
      lines: [
        { sku: 'A1', description: 'MUG', quantity: 2, unitPrice: '0.005', amount: '0.01' },
        { sku: 'A1', description: 'two\nlines, "quoted"', quantity: 3, unitPrice: '1.25', amount: '3.75' },
        { sku: 'A1', description: 'MUG', quantity: 1, unitPrice: '0', amount: '0.00' },
      ],
    });
  });

  it('rejects rows with the other rows of their invoice, and imports the rest', async () => {
    const folder = await folders.make();
    const file = join(folder, 'mixed.csv');
    const lines = [
      row({ invoice: '1' }),
      row({ invoice: '2', quantity: '-1' }),
      row({ invoice: '3', customer: '' }),
      row({ invoice: '' }),
      row({ invoice: '2', price: '2.00' }),
      row({ invoice: '4', description: '"first\nsecond"', country: '' }),
      row({ invoice: '3', customer: '99' }),
      row({ invoice: '5', description: '12" RULER' }),
      row({ invoice: '6', country: 'Spain' }),
      row({ invoice: '6', country: 'Italy' }),
      row({ invoice: 'C7', quantity: '5' }),
      '8',
    ];
    await writeCsv(file, lines);
    const figures = await importJson(file, join(folder, 'data'));
    expect(figures).toMatchObject({ orders: 1, creditNotes: 0, lines: 1, revenue: '1.00', newEvents: 1 });
    expect(figures).toMatchObject({ rejectedInvoices: 7, rejectedRows: 11 });
    expect(await readFile(join(folder, 'mixed.rejects.csv'), 'utf8')).toBe(
      `${[
        rejectsHeader,
        `3,Quantity -1 of an order is negative,${lines[1]}`,
        `4,"rejected with its invoice, line 9: CustomerID ""99"" differs from """" in an earlier row of the invoice",${lines[2]}`,
        `5,InvoiceNo is empty,${lines[3]}`,
        `6,"rejected with its invoice, line 3: Quantity -1 of an order is negative",${lines[4]}`,
        `7,Country is empty,${lines[5]}`,
        `9,"CustomerID ""99"" differs from """" in an earlier row of the invoice",${lines[6]}`,
        `10,a quote stands inside a field; quote the whole field and double the quotes in it,${row({ invoice: '5', description: '"12"" RULER"' })}`,
        `11,"rejected with its invoice, line 12: Country ""Italy"" differs from ""Spain"" in an earlier row of the invoice",${lines[8]}`,
        `12,"Country ""Italy"" differs from ""Spain"" in an earlier row of the invoice",${lines[9]}`,
        `13,Quantity 5 of a credit note is not negative,${lines[10]}`,
        '14,1 fields instead of 8,8',
      ].join('\n')}\n`,
    );
  });

  it('skips an invoice that is known, rejects it when it differs, and removes rejects that are none any more', async () => {
    const folder = await folders.make();
    const data = join(folder, 'data');
    const file = join(folder, 'SHOP.CSV');
    const rejects = join(folder, 'SHOP.rejects.csv');
    const good = [{ invoice: '1' }, { invoice: '2' }, { invoice: 'C3', quantity: '-1' }] as const;
    await writeCsv(file, good);
    await importJson(file, data);

    await writeCsv(file, [
      { invoice: '1' },
      { invoice: '2', price: '9' },
      { invoice: '4' },
      { invoice: 'C3', quantity: '-2' },
    ]);
    expect(await importJson(file, data)).toMatchObject({
      orders: 3,
      creditNotes: 1,
      revenue: '3.00',
      newEvents: 1,
      rejectedInvoices: 2,
      rejectedRows: 2,
    });
    expect((await readFile(rejects, 'utf8')).split('\n').slice(1, 3)).toEqual([
      `3,"already imported, differs",${row({ invoice: '2', price: '9' })}`,
      `5,"already imported, differs",${row({ invoice: 'C3', quantity: '-2' })}`,
    ]);

    await writeCsv(file, good);
    expect(await importJson(file, data)).toMatchObject({ newEvents: 0, rejectedInvoices: 0, rejectedRows: 0 });
    expect(existsSync(rejects)).toBe(false);
  });

  it('writes the rejects into the data directory where the folder of the file cannot be written to', async () => {
    const folder = await folders.make();
    const shop = join(folder, 'shop');
    const data = join(folder, 'data');
    await mkdir(shop);
    await mkdir(data);
    await writeCsv(join(shop, 'shop.csv'), [{ invoice: '1', quantity: '0' }]);
    // Root may write anywhere, so the application runs as nobody.
    const uid = process.getuid?.() === 0 ? 65_534 : undefined;
    await chmod(folder, 0o755);
    await chmod(shop, 0o555);
    if (uid !== undefined) await chown(data, uid, uid);
    const options = uid === undefined ? {} : { uid };
    expect(await importJson(join(shop, 'shop.csv'), data, options)).toMatchObject({ rejectedRows: 1 });
    expect(await readdir(shop)).toEqual(['shop.csv']);
    expect(await readFile(join(data, 'shop.rejects.csv'), 'utf8')).toBe(
      `${rejectsHeader}\n2,Quantity is 0,${row({ invoice: '1', quantity: '0' })}\n`,
    );
    await chmod(shop, 0o755);
  });

  it('overwrites no file that only has the name of its rejects', async () => {
    const folder = await folders.make();
    await writeCsv(join(folder, 'shop.csv'), [{ invoice: '1', quantity: '0' }]);
    await writeFile(join(folder, 'shop.rejects.csv'), 'my notes');
    expect(await importJson(join(folder, 'shop.csv'), join(folder, 'data'))).toMatchObject({ rejectedRows: 1 });
    expect(await readFile(join(folder, 'shop.rejects.csv'), 'utf8')).toBe('my notes');
    expect(await readFile(join(folder, 'data', 'shop.rejects.csv'), 'utf8')).toContain('Quantity is 0');
  });

  it('by `npm start` takes the paths of the user and prints the figures last', async () => {
    const folder = await folders.make();
    await writeCsv(join(folder, 'shop.csv'), [{ invoice: '1', price: '2' }]);
    const args = ['--prefix', root, 'start', '--', 'import', 'shop.csv', '--json', '--data', 'mine'];
    const stdout = execFileSync('npm', args, {
      cwd: folder,
      env: { PATH: process.env['PATH'] },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const figures = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Figures;
    expect(figures).toMatchObject({ orders: 1, revenue: '2.00', newEvents: 1 });
    expect((await readdir(folder)).toSorted()).toEqual(['mine', 'shop.csv']);
  });

  it('takes a file with a byte order mark, CRLF and no rows', async () => {
    const folder = await folders.make();
    const file = join(folder, 'none');
    await writeFile(file, `\u{feff}${header}\r\n`);
    expect(await importJson(file, join(folder, 'data'))).toMatchObject({ orders: 0, revenue: '0.00', byCountry: {} });
  });
});
