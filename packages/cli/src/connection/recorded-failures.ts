import { BentoError, isBentoError, type ReadModelStore, type RowOf } from '@bento-bus/core';
import { type FailedEvent, failedEvents } from '@bento-bus/eventsourcing';

/** What can be seen of projections without their application: those that have recorded failures. */
export interface RecordedFailures {
  readonly names: readonly string[];
  failed(projection: string): Promise<readonly FailedEvent[]>;
}

/** Failures read at once. */
const most = 1_000;

export async function recordedFailures(readModels: ReadModelStore): Promise<RecordedFailures> {
  const rows = await recorded(readModels);
  return {
    names: [...new Set(rows.map(({ projection }) => projection))].toSorted(),
    failed: async (projection) => rows.filter((row) => row.projection === projection),
  };
}

/** The table is the application's to make: here it is only read. */
async function recorded(readModels: ReadModelStore): Promise<readonly RowOf<typeof failedEvents>[]> {
  try {
    return await readModels.find(failedEvents, { where: { state: 'failed' }, limit: most });
  } catch (error) {
    if (!isBentoError(error, 'CONFIGURATION')) throw error;
    throw new BentoError(
      'CONFIGURATION',
      'bento: cannot look at projections: the store has no table of what they could not take in. Start the application once, which makes it, or set CLICKHOUSE_DATABASE to the one that it uses.',
      false,
      { cause: error },
    );
  }
}
