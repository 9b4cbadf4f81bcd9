// Makes invoices in the format of the UCI "Online Retail" data set: invented, the same for the same options on every machine.
//   node tools/generate-sample.mjs [--invoices 2000] [--lines 1-5] [--credit-notes 0.02] [--seed 1] [--out FILE]
// The sample of the order app: node tools/generate-sample.mjs --out apps/order-app/sample/invoices.csv
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';

/** mulberry32: a number in [0, 1) from 32 bits of state; integer arithmetic only, so the same everywhere. */
function seededRandom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const countries = [
  ...Array.from({ length: 12 }, () => 'United Kingdom'),
  'Germany',
  'Germany',
  'France',
  'France',
  'EIRE',
  'Spain',
  'Netherlands',
  'Belgium',
  'Switzerland',
  'Portugal',
  'Australia',
  'Norway',
  'Italy',
  'Finland',
  'Japan',
];
const colours = ['RED', 'WHITE', 'PINK', 'IVORY', 'BLUE', 'GREEN', 'BLACK', 'CREAM'];
const styles = ['RETROSPOT', 'VINTAGE', 'POLKADOT', 'HEART', 'PAISLEY', 'WOODEN', 'CERAMIC', 'ENAMEL'];
const things = ['MUG', 'LANTERN', 'LUNCH BOX', 'TEA TOWEL', 'CAKE STAND', 'DOORMAT', 'PHOTO FRAME', 'HAND WARMER'];
/** Descriptions that need quotes. */
const special = ['SET OF 3 TINS, ROUND', 'SIGN "HOME SWEET HOME"', 'RULER 12", WOOD', 'CRÈME BRÛLÉE DISH, SMALL'];

const csvField = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** Everything drawn at random comes from one sequence, so the options and the seed settle each byte. */
function* generateInvoices({ invoices, minLines, maxLines, creditNotes, seed }) {
  const random = seededRandom(seed);
  const below = (n) => Math.floor(random() * n);
  const pick = (list) => list[below(list.length)];
  const catalogue = Array.from({ length: 400 }, (_, i) => ({
    sku: `${20_000 + 7 * i}${random() < 0.15 ? 'A' : ''}`,
    description: i % 25 === 24 ? pick(special) : `${pick(colours)} ${pick(styles)} ${pick(things)}`,
    cents: 20 + below(1_200),
  }));
  const customers = Array.from({ length: Math.max(10, Math.ceil(invoices / 6)) }, (_, i) => ({
    id: `${12_000 + i}`,
    country: pick(countries),
  }));
  yield 'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n';
  let time = Date.UTC(2010, 11, 1, 8, 0);
  for (let i = 0; i < invoices; i += 1) {
    const credit = random() < creditNotes;
    const { id, country } = pick(customers);
    const customer = random() < 0.05 ? '' : id;
    time += 60_000 * below(45);
    const at = new Date(time);
    const date = `${at.getUTCMonth() + 1}/${at.getUTCDate()}/${`${at.getUTCFullYear()}`.slice(2)} ${at.getUTCHours()}:${`${at.getUTCMinutes()}`.padStart(2, '0')}`;
    let rows = '';
    for (let left = minLines + below(maxLines - minLines + 1); left > 0; left -= 1) {
      const { sku, description, cents } = pick(catalogue);
      const quantity = (credit ? -1 : 1) * (1 + below(24));
      const price = random() < 0.01 ? '0' : `${Math.floor(cents / 100)}.${`${cents % 100}`.padStart(2, '0')}`;
      rows += `${credit ? 'C' : ''}${600_000 + i},${sku},${csvField(description)},${quantity},${date},${price},${customer},${country}\n`;
    }
    yield rows;
  }
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      invoices: { type: 'string', default: '2000' },
      lines: { type: 'string', default: '1-5' },
      'credit-notes': { type: 'string', default: '0.02' },
      seed: { type: 'string', default: '1' },
      out: { type: 'string' },
    },
  });
  const [, min, max = min] = /^(\d+)(?:-(\d+))?$/.exec(values.lines) ?? [];
  const options = {
    invoices: Number(values.invoices),
    minLines: Number(min),
    maxLines: Number(max),
    creditNotes: Number(values['credit-notes']),
    seed: Number(values.seed),
  };
  const whole = Number.isSafeInteger(options.invoices) && Number.isSafeInteger(options.seed);
  const lines = options.minLines >= 1 && options.minLines <= options.maxLines;
  if (!whole || options.invoices < 0 || !lines || !(options.creditNotes >= 0 && options.creditNotes <= 1))
    throw new Error(
      '--invoices and --seed are whole numbers, --lines N or N-M from 1, --credit-notes a share from 0 to 1',
    );
  return { ...options, out: values.out };
}

try {
  const { out, ...options } = readOptions();
  const target = out === undefined ? process.stdout : createWriteStream(out);
  await pipeline(Readable.from(generateInvoices(options)), target, { end: out !== undefined });
} catch (error) {
  // A reader that closes its end early (`| head`) is no fault.
  if (error.code !== 'EPIPE') process.stderr.write(`generate-sample: ${error.message}\n`);
  process.exitCode = error.code === 'EPIPE' ? 0 : 1;
}
