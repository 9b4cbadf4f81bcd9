import { spawnSync } from 'node:child_process';
import { describe } from '@jest/globals';

/**
 * How a suite of the native driver is declared: visibly skipped, with the reason, where the addon does not load. It runs in processes of its
 * own, since inside jest errors of an addon come from another realm.
 */
export function nativeSuite(what: string): {
  readonly suite: typeof describe | typeof describe.skip;
  readonly name: string;
} {
  const probe = spawnSync(
    process.execPath,
    [
      '-e',
      "import('pulsar-client').catch((error) => { console.log(String(error.message).split('\\n')[0]); process.exit(1); })",
    ],
    { cwd: import.meta.dirname, encoding: 'utf8' },
  );
  return probe.status === 0
    ? { suite: describe, name: what }
    : { suite: describe.skip, name: `${what} (skipped: ${probe.stdout.trim()})` };
}
