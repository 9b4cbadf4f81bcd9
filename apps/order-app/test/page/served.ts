import { type Running, start, until } from '../cli.ts';

/** A shop that is served by a process of its own. */
export interface Served {
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts the compiled application, and waits until it answers. */
export async function serve(data: string, { port = 0, notifier = 'file' } = {}): Promise<Served> {
  const running: Running = start(['serve', '--data', data, '--port', String(port)], { env: { NOTIFIER: notifier } });
  const address = (): string | undefined => /http:\/\/[\d.]+:\d+/.exec(running.written.stderr)?.[0];
  await until(`serving; it says: ${running.written.stderr}`, () => {
    if (running.child.exitCode !== null) throw new Error(`it ended: ${running.written.stderr}`);
    return address() !== undefined;
  });
  return {
    url: address() ?? '',
    async stop() {
      running.child.kill('SIGTERM');
      await running.ended;
    },
  };
}
