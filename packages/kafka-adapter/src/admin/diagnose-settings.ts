import type { Finding } from '@bento-bus/core';

/** What a broker is set to, by names; of an old broker, without those that it does not know. */
export type Settings = ReadonlyMap<string, string>;

/** What rules need to know beside the settings. */
export interface ClusterFacts {
  /** How many brokers there are. */
  readonly brokers: number;
  /** Names of topics that the brokers made for themselves. */
  readonly internal: ReadonlySet<string>;
}

type Complaint = readonly [level: 'warning' | 'fault', why: string, advice: string];

/** Undefined: fine. */
type Rule = (value: string, cluster: ClusterFacts, settings: Settings) => Complaint | undefined;

/** Of the transport, by default. */
const [sessionTimeoutMs, maxMessageBytes] = [30_000, 1_000_000];
/** Of every producer of a log. */
const transactionTimeoutMs = 60_000;
/** A group's progress is one metadata text of a commit. */
const metadataBytes = 4_096;

const atLeast =
  (least: number, level: Complaint[0], why: string, advice: string): Rule =>
  (value) =>
    Number(value) < least ? [level, why, advice] : undefined;

/** Replicas of a topic that the brokers make for themselves when it is needed first. */
const replicasOf =
  (topic: string, purpose: string): Rule =>
  (value, { brokers, internal }) => {
    const replicas = Number(value);
    if (replicas > brokers && !internal.has(topic))
      return [
        'fault',
        `there are ${brokers} brokers, so "${topic}" cannot be made, and ${purpose} does not work`,
        `Set it to ${Math.min(3, brokers)}, or start more brokers.`,
      ];
    return replicas === 1 && brokers > 1
      ? ['warning', `${purpose} stops when the one broker that has it is gone`, `Set it to ${Math.min(3, brokers)}.`]
      : undefined;
  };

/** How many replicas must have what is confirmed. */
const inSync =
  (replicasBy: string, what: string): Rule =>
  (value, { brokers }, settings) => {
    const least = Number(value);
    const replicas = Number(settings.get(replicasBy) ?? brokers);
    if (least > Math.min(replicas, brokers))
      return [
        'fault',
        `${what} has ${Math.min(replicas, brokers)} replicas, so nothing can be stored in it`,
        `Set it below ${replicasBy}.`,
      ];
    if (brokers === 1) return undefined;
    if (least === 1)
      return [
        'warning',
        'what is confirmed may be on one broker only, and lost with it',
        `Set it to 2, with ${replicasBy} at 3.`,
      ];
    return least === replicas
      ? [
          'warning',
          `${what} has ${replicas} replicas, so nothing is stored while one broker is away`,
          `Set ${replicasBy} higher, or this lower.`,
        ]
      : undefined;
  };

/** Hours, minutes or milliseconds: the finest that is set counts. Infinity: for ever. */
function retentionMinutes(settings: Settings): number {
  const units = [
    ['log.retention.ms', 1 / 60_000],
    ['log.retention.minutes', 1],
    ['log.retention.hours', 60],
  ] as const;
  const [name, factor] = units.find(([one]) => settings.has(one)) ?? ['', 0];
  const value = Number(settings.get(name) ?? 0);
  return value < 0 ? Number.POSITIVE_INFINITY : value * factor;
}

/** By the broker's names. Sources: https://kafka.apache.org/documentation/#brokerconfigs, and what this package asks of a broker. */
const rules: Readonly<Record<string, Rule>> = {
  'auto.create.topics.enable': (value) =>
    value === 'true'
      ? [
          'warning',
          'a wrong name makes a topic, with the partitions and replicas of the defaults',
          'Set it to false: the transport makes its topics itself, unless createTopics is false.',
        ]
      : undefined,
  'default.replication.factor': (value, { brokers }) =>
    Number(value) > brokers
      ? [
          'fault',
          `there are ${brokers} brokers, so no topic can be made without replicationFactor`,
          `Set it to ${Math.min(3, brokers)}.`,
        ]
      : Number(value) === 1 && brokers > 1
        ? [
            'warning',
            'what is in a topic is lost with one broker',
            `Set it to ${Math.min(3, brokers)}, or give replicationFactor.`,
          ]
        : undefined,
  'min.insync.replicas': inSync('default.replication.factor', 'a topic of the defaults'),
  'unclean.leader.election.enable': (value) =>
    value === 'true'
      ? ['warning', 'a broker that was left behind may lead: what was confirmed is lost', 'Set it to false.']
      : undefined,
  'offsets.retention.minutes': (value, _, settings) => {
    const kept = retentionMinutes(settings);
    if (Number(value) >= kept) return undefined;
    const long = kept === Number.POSITIVE_INFINITY ? 'for ever' : `for ${kept} minutes`;
    return [
      'warning',
      `messages are kept ${long}, so a group that was away longer than this begins anew at its startPosition, with messages twice or never`,
      'Set it to as long as messages are kept, or to longer than any group is away.',
    ];
  },
  'offset.metadata.max.bytes': atLeast(
    metadataBytes,
    'warning',
    'progress of a group with much unfinished work is refused, and comes again after a restart',
    `Set it to ${metadataBytes}.`,
  ),
  'message.max.bytes': atLeast(
    maxMessageBytes,
    'warning',
    `the transport's default for maxMessageBytes is ${maxMessageBytes}: larger messages are refused by the broker`,
    'Set maxMessageBytes to this, or this to more.',
  ),
  'transaction.max.timeout.ms': atLeast(
    transactionTimeoutMs,
    'fault',
    `logs are published in transactions with a timeout of ${transactionTimeoutMs}`,
    `Set it to ${transactionTimeoutMs} or more.`,
  ),
  'group.min.session.timeout.ms': (value) =>
    Number(value) > sessionTimeoutMs
      ? [
          'fault',
          `members join with sessionTimeoutMs, by default ${sessionTimeoutMs}, and are refused`,
          'Set sessionTimeoutMs to no less than this.',
        ]
      : undefined,
  'group.max.session.timeout.ms': atLeast(
    sessionTimeoutMs,
    'fault',
    `members join with sessionTimeoutMs, by default ${sessionTimeoutMs}, and are refused`,
    'Set sessionTimeoutMs to no more than this.',
  ),
  'offsets.topic.replication.factor': replicasOf('__consumer_offsets', 'reading in groups'),
  'transaction.state.log.replication.factor': replicasOf('__transaction_state', 'publishing of logs'),
  'transaction.state.log.min.isr': inSync('transaction.state.log.replication.factor', '"__transaction_state"'),
  'delete.topic.enable': (value) =>
    value === 'false' ? ['warning', 'deleting a topic is refused', 'Set it to true, where topics may go.'] : undefined,
};

/** Names of the settings that are looked at. */
export const looked: readonly string[] = [
  ...Object.keys(rules),
  'log.retention.ms',
  'log.retention.minutes',
  'log.retention.hours',
  'inter.broker.protocol.version',
];

const rank = { ok: 0, warning: 1, fault: 2 } as const;

/** One finding a setting: where brokers differ, that of the one that is worst off. */
export function judge(brokers: ReadonlyMap<number, Settings>, cluster: ClusterFacts): readonly Finding[] {
  return Object.entries(rules).flatMap(([name, rule]) => {
    const check = `kafka: ${name}`;
    const values = new Map<string, number>();
    const found: Finding[] = [];
    for (const [id, settings] of brokers) {
      const value = settings.get(name);
      if (value === undefined || values.has(value)) continue;
      values.set(value, id);
      const complaint = rule(value, cluster, settings);
      if (complaint === undefined) found.push({ check, level: 'ok', found: value });
      else found.push({ check, level: complaint[0], found: `${value}: ${complaint[1]}`, advice: complaint[2] });
    }
    const [worst] = found.toSorted((a, b) => rank[b.level] - rank[a.level]);
    if (worst === undefined || values.size === 1) return worst ?? [];
    const others = Array.from(values, ([value, id]) => `${value} on ${id}`).join(', ');
    return [Object.assign({}, worst, { found: `${worst.found} (brokers differ: ${others})` })];
  });
}
