import { exitCodes } from '@bento-bus/runtime/terminal';
import type { GlobalOptions, Session } from './session.ts';

/** Empties the read models and fills them from the events. */
export const rebuild = (session: Session, options: GlobalOptions): Promise<number> =>
  session.run(options, async ({ app, output, progress, signal, caughtUp }) => {
    await app.rebuild(signal);
    await caughtUp();
    progress.stop();
    output.notice('The read models are built anew.');
    return exitCodes.ok;
  });
