import type { Finding } from '@bento-bus/core';

/** What the broker is set to, by its names. */
export type Settings = Readonly<Record<string, string>>;

/** What rules need to know beside the settings. */
export interface BrokerFacts {
  /** The namespace has a policy of deduplication. */
  readonly namespaceDeduplicates: boolean;
  /** The native driver can be used in this process. */
  readonly hasNative: boolean;
}

type Complaint = readonly [level: 'warning' | 'fault', why: string, advice: string];

/** Undefined: fine. */
type Rule = (value: string, facts: BrokerFacts, settings: Settings) => Complaint | undefined;

/** `maxMessageBytes` of the transport, by default. */
const maxMessageBytes = 1_048_576;

const unless =
  (fine: string, ...complaint: Complaint): Rule =>
  (value) =>
    value === fine ? undefined : complaint;

const ifAbove =
  (most: number, ...complaint: Complaint): Rule =>
  (value) =>
    Number(value) > most ? complaint : undefined;

const tooSmall: Rule = (value) =>
  Number(value) < maxMessageBytes
    ? [
        'warning',
        `the transport's default for maxMessageBytes is ${maxMessageBytes}: larger messages are refused by the broker`,
        'Set maxMessageBytes to this, or this to more.',
      ]
    : undefined;

const topicPolicies: Rule = (value, { namespaceDeduplicates }, { brokerDeduplicationEnabled }) => {
  if (value === 'true') return undefined;
  const level = namespaceDeduplicates || brokerDeduplicationEnabled === 'true' ? 'warning' : 'fault';
  return [
    level,
    'topics cannot have settings of their own, so a log cannot have deduplication and retention set where it is published',
    'Set topicLevelPoliciesEnabled and systemTopicEnabled to true, or set deduplication and retention on the namespace.',
  ];
};

/** By the broker's names. Sources: https://pulsar.apache.org/reference/#/4.2.x/config/reference-configuration-broker, and what was measured on 4.2.4. */
const rules: Readonly<Record<string, Rule>> = {
  webSocketServiceEnabled: (value, { hasNative }) => {
    if (value === 'true') return undefined;
    return hasNative
      ? ['warning', 'the driver websocket does not work', "Set it to true, or leave driver at 'auto' or 'native'."]
      : [
          'fault',
          'the driver websocket does not work, and the native one is not installed here',
          'Set it to true, or install pulsar-client.',
        ];
  },
  topicLevelPoliciesEnabled: topicPolicies,
  systemTopicEnabled: topicPolicies,
  delayedDeliveryEnabled: unless(
    'true',
    'warning',
    'delayed messages are delivered at once, and fill the members that hold them until they are due',
    'Set it to true.',
  ),
  brokerDeduplicationEnabled: unless(
    'false',
    'warning',
    'with the option batching of the WebSocket driver confirmed messages can be dropped',
    'Set it to false, as the transport sets it on the topics of logs; or never set batching.',
  ),
  transactionCoordinatorEnabled: unless(
    'false',
    'warning',
    'about one new topic in a hundred stays unreadable until it is unloaded (seen with 4.2), and nothing here needs it',
    'Set it to false.',
  ),
  brokerDeleteInactiveTopicsEnabled: (value, _, { brokerDeleteInactiveTopicsMode: mode }) => {
    if (value !== 'true') return undefined;
    const which =
      mode === 'delete_when_subscriptions_caught_up'
        ? 'topics whose groups have read everything are deleted while nobody is connected, with all progress'
        : 'topics without groups are deleted while nobody publishes, with what they are to keep';
    return ['warning', which, 'Set it to false, or set inactiveTopicPolicies on the namespace.'];
  },
  ttlDurationDefaultInSeconds: ifAbove(
    0,
    'warning',
    'what a group has not acknowledged in that time is lost, dead letters and records of attempts too',
    'Set it to 0, and messageTTL on the namespaces that want it.',
  ),
  subscriptionExpirationTimeMinutes: ifAbove(
    0,
    'warning',
    'a group that was away that long has no progress any more, and nothing is kept for it',
    'Set it to 0.',
  ),
  backlogQuotaDefaultRetentionPolicy: (value, _, settings) =>
    value === 'consumer_backlog_eviction' &&
    (Number(settings['backlogQuotaDefaultLimitBytes']) > 0 || Number(settings['backlogQuotaDefaultLimitSecond']) > 0)
      ? [
          'warning',
          'the oldest messages of a group that falls behind are dropped unread',
          'Set it to producer_request_hold, so that publishers wait.',
        ]
      : undefined,
  defaultRetentionTimeInMinutes: () => undefined,
  allowAutoTopicCreation: () => undefined,
  allowAutoTopicCreationType: (value, _, { allowAutoTopicCreation }) =>
    allowAutoTopicCreation === 'true' && value === 'partitioned'
      ? [
          'warning',
          'a topic that another client names first has the partitions of defaultNumPartitions, whatever the option partitions says',
          'Create topics before they are used, or set it to non-partitioned.',
        ]
      : undefined,
  subscriptionKeySharedEnable: unless(
    'true',
    'fault',
    "subscriptionType 'Key_Shared', the default, is refused",
    "Set it to true, or subscriptionType to 'Failover'.",
  ),
  subscriptionTypesEnabled: (value) => {
    const missing = ['Key_Shared', 'Shared', 'Failover', 'Exclusive'].filter(
      (type) =>
        !value
          .replace(/[[\]\s]/g, '')
          .split(',')
          .includes(type),
    );
    if (missing.length === 0) return undefined;
    // A reader of its own topics is Exclusive.
    const level = missing.includes('Key_Shared') || missing.includes('Exclusive') ? 'fault' : 'warning';
    return [level, `subscriptions of type ${missing.join(', ')} are refused`, 'Add them.'];
  },
  acknowledgmentAtBatchIndexLevelEnabled: unless(
    'true',
    'warning',
    'with the native driver messages of a batch come again until all of it is acknowledged',
    'Set it to true.',
  ),
  maxMessageSize: tooSmall,
  webSocketMaxTextFrameSize: tooSmall,
};

/** A finding for each setting that is looked at and that this broker has. */
export function judge(settings: Settings, facts: BrokerFacts): readonly Finding[] {
  return Object.entries(rules).flatMap(([name, rule]): Finding[] => {
    const value = settings[name];
    if (value === undefined) return [];
    const check = `pulsar: ${name}`;
    const complaint = rule(value, facts, settings);
    if (complaint === undefined) return [{ check, level: 'ok', found: value }];
    const [level, why, advice] = complaint;
    return [{ check, level, found: `${value}: ${why}`, advice }];
  });
}

const tried = [4, 2] as const;

/** Whether this package is known to work with it. */
export function versionFinding(version: string): Finding {
  const check = 'pulsar: version';
  const found = `${version}; tried with ${tried.join('.')}`;
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major === tried[0] && minor === tried[1]) return { check, level: 'ok', found };
  const advice = 'Try what you need on it first, or use a broker of that version.';
  return { check, level: 'warning', found: `${found} only`, advice };
}
