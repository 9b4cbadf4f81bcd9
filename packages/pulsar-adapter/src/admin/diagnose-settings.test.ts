import { describe, expect, it } from '@jest/globals';
import { judge, versionFinding } from './diagnose-settings.ts';

/** As a broker of Pulsar 4.2 has them if it is told nothing but to serve WebSockets. */
const stock = {
  webSocketServiceEnabled: 'true',
  topicLevelPoliciesEnabled: 'true',
  systemTopicEnabled: 'true',
  delayedDeliveryEnabled: 'true',
  brokerDeduplicationEnabled: 'false',
  transactionCoordinatorEnabled: 'false',
  brokerDeleteInactiveTopicsEnabled: 'true',
  brokerDeleteInactiveTopicsMode: 'delete_when_no_subscriptions',
  ttlDurationDefaultInSeconds: '0',
  subscriptionExpirationTimeMinutes: '0',
  backlogQuotaDefaultRetentionPolicy: 'producer_request_hold',
  backlogQuotaDefaultLimitBytes: '-1',
  backlogQuotaDefaultLimitSecond: '-1',
  allowAutoTopicCreation: 'true',
  allowAutoTopicCreationType: 'non-partitioned',
  subscriptionKeySharedEnable: 'true',
  subscriptionTypesEnabled: '[Failover, Shared, Key_Shared, Exclusive]',
  acknowledgmentAtBatchIndexLevelEnabled: 'true',
  maxMessageSize: '5242880',
  webSocketMaxTextFrameSize: '1048576',
};
const fine = { ...stock, brokerDeleteInactiveTopicsEnabled: 'false' };
const none = { namespaceDeduplicates: false, hasNative: false };

const complaints = (settings: Readonly<Record<string, string>>, facts: Partial<typeof none> = {}) => {
  const findings = judge(settings, { ...none, ...facts }).filter(({ level }) => level !== 'ok');
  expect(findings.filter(({ advice = '' }) => !advice.endsWith('.'))).toEqual([]);
  return Object.fromEntries(findings.map(({ check, level }) => [check.replace('pulsar: ', ''), level]));
};

describe('the settings of a broker', () => {
  it('are fine as they come, but that topics without groups are deleted', () => {
    expect(complaints(stock)).toEqual({ brokerDeleteInactiveTopicsEnabled: 'warning' });
    expect(complaints(fine)).toEqual({});
    expect(judge({}, none)).toEqual([]);
  });

  it.each([
    [{ webSocketServiceEnabled: 'false' }, 'fault'],
    [{ topicLevelPoliciesEnabled: 'false' }, 'fault'],
    [{ systemTopicEnabled: 'false' }, 'fault'],
    [{ delayedDeliveryEnabled: 'false' }, 'warning'],
    [{ brokerDeduplicationEnabled: 'true' }, 'warning'],
    [{ transactionCoordinatorEnabled: 'true' }, 'warning'],
    [{ ttlDurationDefaultInSeconds: '3600' }, 'warning'],
    [{ subscriptionExpirationTimeMinutes: '60' }, 'warning'],
    [
      { backlogQuotaDefaultRetentionPolicy: 'consumer_backlog_eviction', backlogQuotaDefaultLimitBytes: '1000' },
      'warning',
    ],
    [{ allowAutoTopicCreationType: 'partitioned' }, 'warning'],
    [{ subscriptionKeySharedEnable: 'false' }, 'fault'],
    [{ subscriptionTypesEnabled: '[Failover, Shared, Exclusive]' }, 'fault'],
    [{ subscriptionTypesEnabled: '[Failover, Key_Shared, Exclusive]' }, 'warning'],
    [{ acknowledgmentAtBatchIndexLevelEnabled: 'false' }, 'warning'],
    [{ maxMessageSize: '100000' }, 'warning'],
    [{ webSocketMaxTextFrameSize: '65536' }, 'warning'],
  ] as const)('that hurt are found: %j', (settings, level) => {
    const [name = ''] = Object.keys(settings);
    expect(complaints({ ...fine, ...settings })).toEqual({ [name]: level });
  });

  it('count for less where there is another way', () => {
    expect(complaints({ ...fine, webSocketServiceEnabled: 'false' }, { hasNative: true })).toEqual({
      webSocketServiceEnabled: 'warning',
    });
    expect(complaints({ ...fine, topicLevelPoliciesEnabled: 'false' }, { namespaceDeduplicates: true })).toEqual({
      topicLevelPoliciesEnabled: 'warning',
    });
  });
});

describe('the version of a broker', () => {
  it.each([
    ['4.2.4', 'ok'],
    ['4.2.0-SNAPSHOT', 'ok'],
    ['4.0.8', 'warning'],
    ['5.0.1', 'warning'],
    ['', 'warning'],
  ] as const)('%j is known, or said not to be', (version, level) => {
    expect(versionFinding(version)).toMatchObject({ level });
  });
});
