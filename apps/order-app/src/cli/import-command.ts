import { fileURLToPath } from 'node:url';
import { exitCodes, printCount } from '@bento-bus/runtime/terminal';
import { GetSummary } from '../application/queries.ts';
import { type ImportOutcome, importInvoices } from '../import/import-invoices.ts';
import { InvoiceFile } from '../import/invoice-file.ts';
import type { GlobalOptions, Session } from './session.ts';
import { reportJson, reportText } from './summary.ts';

/** 2,000 invented invoices, made by tools/generate-sample.mjs. */
export const sampleFile = fileURLToPath(new URL('../../sample/invoices.csv', import.meta.url));

export const importSample = async (session: Session, options: GlobalOptions): Promise<number> => {
  session.output.notice('This is the sample; `--help` shows what else there is.');
  const exitCode = await importFile(session, options, sampleFile);
  if (exitCode === exitCodes.ok)
    session.output.notice('See it on a page: `npm start -- serve`, then open http://127.0.0.1:3000');
  return exitCode;
};

/** Imports a file, waits for the read model, prints what it holds. */
export async function importFile(session: Session, options: GlobalOptions, path: string): Promise<number> {
  const start = performance.now();
  // Before anything is made in the data directory.
  await using file = await InvoiceFile.open(path);
  return await session.run(options, async ({ app, dataDir, output, progress, signal, json, caughtUp }) => {
    const outcome = await importInvoices({
      file,
      dataDir,
      commands: app.commands,
      signal,
      onProgress: (done, total) => {
        if (done === 0) output.notice(`Importing ${printCount(total)} invoices from ${path}`);
        progress.update('Importing invoices', done, total);
      },
    });
    if (!outcome.interrupted) await caughtUp(outcome.newEvents).catch(unlessInterrupted(signal));
    progress.stop();
    if (signal.aborted) {
      output.notice(interruption(outcome));
      return exitCodes.failure;
    }
    const { rejects, rejectedInvoices } = outcome;
    if (rejects !== undefined) {
      const { path: where, rows } = rejects;
      output.notice(`Rejected ${printCount(rows)} rows of ${printCount(rejectedInvoices)} invoices: see ${where}`);
    }
    const summary = await app.queries.execute(new GetSummary());
    const report = { outcome, summary, seconds: (performance.now() - start) / 1_000 };
    output.result(json ? reportJson(report) : reportText(report));
    return exitCodes.ok;
  });
}

const unlessInterrupted =
  (signal: AbortSignal) =>
  (error: unknown): void => {
    if (!signal.aborted) throw error;
  };

const interruption = ({ done, total, newEvents }: ImportOutcome): string =>
  `Interrupted: ${printCount(done)} of ${printCount(total)} invoices are done, ${printCount(newEvents)} of them new. Run the same command again for the rest.`;
