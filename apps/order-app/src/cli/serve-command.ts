import { resolve } from 'node:path';
import { exitCodes } from '@bento-bus/runtime/terminal';
import { importInvoices } from '../import/import-invoices.ts';
import { InvoiceFile } from '../import/invoice-file.ts';
import type { OrderApp } from '../order-app.ts';
import { startTelemetry } from '../telemetry/start-telemetry.ts';
import { sampleFile } from './import-command.ts';
import { configurationOf, type GlobalOptions, type Session, unlessServed } from './session.ts';

export interface ServeCommandOptions {
  /** Undefined: not given here. */
  readonly port?: number;
  readonly host?: string;
  readonly sample?: true;
}

/** Serves until a signal, then drains. */
export async function serveShop(session: Session, options: GlobalOptions, given: ServeCommandOptions): Promise<number> {
  const { output, signal } = session;
  const { config, runtime } = configurationOf(process.cwd());
  const dataDir = resolve(options.data);
  // Loaded here, so that --help need not wait for the engine.
  const { serve } = await import('../serve/serve.ts');
  const { port = config.port, host = config.host } = given;
  await using _telemetry = await startTelemetry(config);
  const opening = serve({
    config: { ...config, port, host },
    runtime,
    dataDir,
    ...(given.sample === true && { prepare: ({ app }) => importInto(app, dataDir, session, options) }),
  });
  await using served = await unlessServed(dataDir, opening);
  output.notice(`The order app answers at ${served.url} (Ctrl-C ends it)`);
  await new Promise<void>((resolveEnd) => {
    if (signal.aborted) resolveEnd();
    signal.addEventListener('abort', () => resolveEnd(), { once: true });
  });
  return exitCodes.ok;
}

async function importInto(app: OrderApp, dataDir: string, session: Session, options: GlobalOptions): Promise<void> {
  const { output, signal } = session;
  output.notice('Importing the sample');
  await using file = await InvoiceFile.open(sampleFile);
  await importInvoices({ file, dataDir, commands: app.commands, signal, onProgress: () => {} });
  if (!signal.aborted) await app.caughtUp({ timeoutMs: options.timeout * 1_000, signal, onProgress: () => {} });
}
