import { exitCodes, facts, printCount } from '@bento-bus/runtime/terminal';
import type { Command } from 'commander';
import { example } from '../arguments.ts';
import type { Acting } from '../program.ts';

export function addRelay(program: Command, act: Acting): void {
  const relay = program.command('relay').description('the relay, which publishes the events of the store');
  example(
    relay
      .command('status')
      .description('how far the events are published; exits with 1 where the relay has stopped')
      .action(
        act(async (work) => {
          const status = await (await work.operations('relay')).relay();
          const { position, head, behind, state } = status;
          work.output.result(status, () =>
            facts([
              ['State', state === 'unknown' ? 'unknown (no application runs here)' : state],
              ['Published up to', position === '' ? 'nothing' : position],
              ["Store's last event", head === '' ? 'none' : head],
              ['Behind', behind === undefined ? 'more than 1,000 events' : printCount(behind)],
            ]),
          );
          return state === 'stopped' ? exitCodes.failure : exitCodes.ok;
        }),
      ),
    'bento relay status',
  );
}
