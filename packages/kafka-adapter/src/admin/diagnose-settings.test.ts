import { describe, expect, it } from '@jest/globals';
import { judge } from './diagnose-settings.ts';
import { versionFinding } from './diagnose-version.ts';

/** As a broker of Kafka 4.4 has them if it is told nothing. */
const stock = {
  'auto.create.topics.enable': 'true',
  'default.replication.factor': '1',
  'min.insync.replicas': '1',
  'unclean.leader.election.enable': 'false',
  'offsets.retention.minutes': '10080',
  'log.retention.hours': '168',
  'offset.metadata.max.bytes': '4096',
  'message.max.bytes': '1048588',
  'transaction.max.timeout.ms': '900000',
  'group.min.session.timeout.ms': '6000',
  'group.max.session.timeout.ms': '1800000',
  'offsets.topic.replication.factor': '3',
  'transaction.state.log.replication.factor': '3',
  'transaction.state.log.min.isr': '2',
  'delete.topic.enable': 'true',
};
const single = {
  ...stock,
  ...Object.fromEntries(
    ['offsets.topic', 'transaction.state.log'].map((topic) => [`${topic}.replication.factor`, '1']),
  ),
  'transaction.state.log.min.isr': '1',
  'auto.create.topics.enable': 'false',
};
const three = {
  ...single,
  'default.replication.factor': '3',
  'min.insync.replicas': '2',
  'offsets.topic.replication.factor': '3',
  'transaction.state.log.replication.factor': '3',
  'transaction.state.log.min.isr': '2',
};

const complaints = (settings: Readonly<Record<string, string>>, brokers = 1, internal: readonly string[] = []) => {
  const all = new Map(Array.from({ length: brokers }, (_, id) => [id, new Map(Object.entries(settings))] as const));
  const findings = judge(all, { brokers, internal: new Set(internal) }).filter(({ level }) => level !== 'ok');
  expect(findings.filter(({ advice = '' }) => !advice.endsWith('.'))).toEqual([]);
  return Object.fromEntries(findings.map(({ check, level }) => [check.replace('kafka: ', ''), level]));
};

describe('the settings of brokers', () => {
  it('are fine on one broker for development, and on three for production', () => {
    expect(complaints(single)).toEqual({});
    expect(complaints(three, 3)).toEqual({});
  });

  it('as they come keep one broker from making its own topics, unless it has them', () => {
    expect(complaints(stock)).toEqual({
      'auto.create.topics.enable': 'warning',
      'offsets.topic.replication.factor': 'fault',
      'transaction.state.log.replication.factor': 'fault',
      'transaction.state.log.min.isr': 'fault',
    });
    expect(complaints(stock, 1, ['__consumer_offsets', '__transaction_state'])).toEqual({
      'auto.create.topics.enable': 'warning',
      'transaction.state.log.min.isr': 'fault',
    });
  });

  it.each([
    [
      { 'default.replication.factor': '1', 'min.insync.replicas': '1' },
      3,
      { 'default.replication.factor': 'warning', 'min.insync.replicas': 'warning' },
    ],
    [{ 'default.replication.factor': '5' }, 3, { 'default.replication.factor': 'fault' }],
    [{ 'min.insync.replicas': '3' }, 3, { 'min.insync.replicas': 'warning' }],
    [{ 'min.insync.replicas': '4' }, 3, { 'min.insync.replicas': 'fault' }],
    [{ 'unclean.leader.election.enable': 'true' }, 3, { 'unclean.leader.election.enable': 'warning' }],
    [{ 'offsets.retention.minutes': '1440' }, 3, { 'offsets.retention.minutes': 'warning' }],
    [{ 'log.retention.ms': '-1' }, 3, { 'offsets.retention.minutes': 'warning' }],
    [{ 'log.retention.ms': '60000', 'offsets.retention.minutes': '2' }, 3, {}],
    [{ 'offset.metadata.max.bytes': '1024' }, 3, { 'offset.metadata.max.bytes': 'warning' }],
    [{ 'message.max.bytes': '100000' }, 3, { 'message.max.bytes': 'warning' }],
    [{ 'transaction.max.timeout.ms': '30000' }, 3, { 'transaction.max.timeout.ms': 'fault' }],
    [{ 'group.min.session.timeout.ms': '45000' }, 3, { 'group.min.session.timeout.ms': 'fault' }],
    [{ 'group.max.session.timeout.ms': '10000' }, 3, { 'group.max.session.timeout.ms': 'fault' }],
    [
      { 'transaction.state.log.replication.factor': '1', 'transaction.state.log.min.isr': '1' },
      3,
      { 'transaction.state.log.replication.factor': 'warning', 'transaction.state.log.min.isr': 'warning' },
    ],
    [{ 'delete.topic.enable': 'false' }, 3, { 'delete.topic.enable': 'warning' }],
  ])('that hurt are found: %j', (settings, brokers, expected) => {
    expect(complaints({ ...three, ...settings }, brokers)).toEqual(expected);
  });

  it('that differ are told, as the worst of them', () => {
    const brokers = new Map([
      [1, new Map([['message.max.bytes', '1048588']])],
      [2, new Map([['message.max.bytes', '1000']])],
    ]);
    expect(judge(brokers, { brokers: 2, internal: new Set() })).toEqual([
      {
        check: 'kafka: message.max.bytes',
        level: 'warning',
        found: expect.stringMatching(/^1000: .*brokers differ: 1048588 on 1, 1000 on 2/),
        advice: expect.any(String),
      },
    ]);
  });
});

describe('the version of brokers', () => {
  it.each([
    [undefined, undefined, 'fault', /^older than 2\.4/],
    [new Map<string, number>(), undefined, 'ok', /^2\.4 or newer/],
    [new Map<string, number>(), '2.8-IV1', 'ok', /^2\.8;/],
    [new Map([['metadata.version', 21]]), '3.9-IV0', 'ok', /^3\.9;/],
    [new Map([['metadata.version', 27]]), undefined, 'ok', /^4\.1;/],
    [new Map([['metadata.version', 33]]), undefined, 'ok', /^4\.4;/],
    [new Map([['metadata.version', 34]]), undefined, 'warning', /^newer than 4\.4/],
  ] as const)('is told by their features: %p, %p', (features, protocol, level, found) => {
    expect(versionFinding(features, protocol)).toMatchObject({ level, found: expect.stringMatching(found) });
  });
});
