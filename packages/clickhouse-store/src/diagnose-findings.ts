import type { Finding } from '@bento-bus/core';
import { migrations, tables } from './tables.ts';

/** The version that this package is tested with, as an engine in the process; and the oldest that its client is made for. */
const tried = '26.7';
const oldest = [24, 8] as const;

export function versionFinding(version: string): Finding {
  const check = 'clickhouse: version';
  const found = `${version}; tried with ${tried}`;
  const [year = 0, month = 0] = version.split('.').map(Number);
  if (year > oldest[0] || (year === oldest[0] && month >= oldest[1])) return { check, level: 'ok', found };
  return { check, level: 'warning', found, advice: `Use ClickHouse ${oldest.join('.')} or newer.` };
}

/** `version`: as written in the database; undefined: nothing of this package is there. */
export function schemaFinding(database: string, version: number | undefined): Finding {
  const check = 'clickhouse: schema';
  const current = migrations.length;
  if (version === undefined)
    return {
      check,
      level: 'warning',
      found: `there is none in database "${database}" yet`,
      advice: 'Open the store once with a user that may create tables, or correct the name of the database.',
    };
  if (version === current) return { check, level: 'ok', found: `version ${version} in database "${database}"` };
  const found = `version ${version} in database "${database}", this code knows ${current}`;
  return version > current
    ? { check, level: 'fault', found, advice: 'Upgrade @bento-bus/clickhouse-store.' }
    : { check, level: 'warning', found, advice: 'Open the store once: it brings the schema up to date.' };
}

/** Batches whose numbers the server must remember: as the table is made. */
const window = 100_000;

/** `definition`: engine and settings of the log; undefined: it is not there. Exactly one writer gets a batch's number only inside the window. */
export function windowFinding(database: string, definition: string | undefined): readonly Finding[] {
  const check = 'clickhouse: deduplication window';
  if (definition === undefined) return [];
  const name = definition.startsWith('Replicated')
    ? 'replicated_deduplication_window'
    : 'non_replicated_deduplication_window';
  const blocks = Number(new RegExp(`(?<![a-z_])${name} = (\\d+)`).exec(definition)?.[1] ?? 0);
  if (blocks >= window) return [{ check, level: 'ok', found: `${blocks} batches` }];
  const why =
    blocks === 0
      ? 'two writers may both be told that they wrote a version'
      : 'a writer that was stopped may claim a number again';
  return [
    {
      check,
      level: blocks === 0 ? 'fault' : 'warning',
      found: `${blocks} batches: ${why}`,
      advice: `Run ALTER TABLE ${database}.${tables.events} MODIFY SETTING ${name} = ${window}.`,
    },
  ];
}

const [mebi, gibi] = [1_048_576, 1_073_741_824];

/** Rows: name, free and total bytes of each disk, as text. */
export function diskFinding(disks: readonly (readonly [name: string, free: string, total: string])[]): Finding {
  const check = 'clickhouse: disk';
  // Disks in object storage say that they are endless.
  const [fullest] = disks
    .map(([name, free, total]) => ({ name, free: Number(free), total: Number(total) }))
    .filter(({ total }) => total > 0 && total < 2 ** 62)
    .toSorted((a, b) => a.free - b.free);
  if (fullest === undefined) return { check, level: 'ok', found: 'no disk with a known size' };
  const { name, free, total } = fullest;
  const found = `"${name}" has ${free >= gibi ? `${(free / gibi).toFixed(1)} GiB` : `${Math.floor(free / mebi)} MiB`} of ${(total / gibi).toFixed(1)} GiB free`;
  const advice = 'Free space, or give it a larger disk.';
  if (free < 100 * mebi) return { check, level: 'fault', found: `${found}: writes fail, or will in a moment`, advice };
  if (free < gibi) return { check, level: 'warning', found, advice };
  return { check, level: 'ok', found };
}

/** From this many on ClickHouse slows down inserts: its `parts_to_delay_insert`. Source: https://clickhouse.com/docs/operations/settings/merge-tree-settings */
const manyParts = 1_000;

export function partsFinding(most: number): Finding {
  const check = 'clickhouse: parts';
  if (most < manyParts) return { check, level: 'ok', found: `at most ${most} in a partition of the log` };
  return {
    check,
    level: 'warning',
    found: `${most} in a partition of the log: the server merges slower than it is written to, and slows down inserts`,
    advice: 'See that merges run and have room; write larger batches, or from fewer processes.',
  };
}
