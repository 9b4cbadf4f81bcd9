import type { Finding } from '@bento-bus/core';

/** What a broker says of itself: of each feature, the highest level that its program knows. Undefined: it is older than 2.4. */
export type Features = ReadonlyMap<string, number> | undefined;

/**
 * The first level of `metadata.version` of a release, ascending. Source: `MetadataVersion` of Kafka 4.4.0; before 3.3 brokers have none.
 */
const releases: readonly (readonly [level: number, release: string])[] = [
  [1, '3.0'],
  [2, '3.1'],
  [3, '3.2'],
  [4, '3.3'],
  [8, '3.4'],
  [9, '3.5'],
  [12, '3.6'],
  [15, '3.7'],
  [20, '3.8'],
  [21, '3.9'],
  [22, '4.0'],
  [26, '4.1'],
  [28, '4.2'],
  [30, '4.3'],
  [31, '4.4'],
];
const newest = 33;
const tried = '4.4';

/** Which Kafka it is, and whether this package is known to work with it. `protocol`: `inter.broker.protocol.version`, of brokers before 4.0. */
export function versionFinding(features: Features, protocol: string | undefined): Finding {
  const check = 'kafka: version';
  if (features === undefined)
    return {
      check,
      level: 'fault',
      found: 'older than 2.4, which lacks requests that this package makes',
      advice: 'Use Kafka 2.4 or newer.',
    };
  const level = features.get('metadata.version');
  if (level !== undefined && level > newest)
    return {
      check,
      level: 'warning',
      found: `newer than ${tried}, the newest that this package was tried with`,
      advice: 'Upgrade @bento-bus/kafka-adapter, or try what you need on it first.',
    };
  const release = releases.findLast(([first]) => level !== undefined && level >= first)?.[1];
  const found = release ?? protocol?.replace(/-IV\d+$/, '');
  return {
    check,
    level: 'ok',
    found: found === undefined ? `2.4 or newer; tried with ${tried}` : `${found}; tried with ${tried}`,
  };
}
