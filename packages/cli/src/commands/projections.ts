import { exitCodes, printCount, table } from '@bento-bus/runtime/terminal';
import type { Command } from 'commander';
import { example, yesOption } from '../arguments.ts';
import { isoTime, printTime } from '../output/time.ts';
import type { Acting } from '../program.ts';

export function addProjections(program: Command, act: Acting): void {
  const projections = program.command('projections').description('projections, which fill the read models');
  example(
    projections
      .command('status')
      .description(
        'events that projections could not take in; exits with 1 where there are any. Without the application only those projections are known',
      )
      .action(
        act(async (work) => {
          const all = await (await work.operations('projections')).projections();
          const rows = all.flatMap(({ projection, failed }) =>
            failed.map(({ stream, eventType, reason, failedAt }) => [
              projection,
              `${stream.type}/${stream.id}`,
              eventType,
              printTime(failedAt),
              reason,
            ]),
          );
          const json = all.map(({ projection, failed }) => ({
            projection,
            failed: failed.map(({ failedAt, ...one }) => ({ ...one, failedAt: isoTime(failedAt) })),
          }));
          work.output.result(json, () => {
            const counts = table(
              [{ title: 'Projection' }, { title: 'Failed', align: 'right' }],
              all.map(({ projection, failed }) => [projection, printCount(failed.length)]),
            );
            const columns = [
              { title: 'Projection' },
              { title: 'Stream' },
              { title: 'Event' },
              { title: 'Failed (UTC)' },
              { title: 'Reason' },
            ];
            return rows.length === 0 ? counts : `${counts}\n${table(columns, rows)}`;
          });
          return rows.length === 0 ? exitCodes.ok : exitCodes.failure;
        }),
      ),
    'bento projections status',
  );
  example(
    projections
      .command('rebuild')
      .description('empty the read model of a projection and fill it from the events')
      .argument('<projection>')
      .addOption(yesOption())
      .action(
        act(
          async (work, projection: string, options: { readonly yes?: boolean }) => {
            await work.confirm(`empty the read model of "${projection}" and fill it anew`, options);
            const operations = await work.operations('application');
            let events = 0;
            await operations.rebuild(projection, {
              signal: work.signal,
              onProgress: (progress) => {
                ({ events } = progress);
                work.progress.update(`Rebuilding ${projection}, events:`, events);
              },
            });
            work.progress.stop();
            work.output.result({ projection, rebuilt: true }, () => `Rebuilt "${projection}".\n`);
          },
          { endless: true },
        ),
      ),
    'bento projections rebuild orders --yes',
  );
}
