import { describe, expect, it } from '@jest/globals';
import { resolveOptions } from './options.ts';

const faultsOf = (options: object): string => {
  try {
    resolveOptions(options);
    return '';
  } catch (error) {
    return (error as Error).message;
  }
};

describe('options', () => {
  it('have defaults', () => {
    expect(resolveOptions({ brokers: 'a:9092, b:9092' })).toMatchObject({
      name: 'kafka',
      brokers: ['a:9092', 'b:9092'],
      createTopics: true,
      sessionTimeoutMs: 30_000,
      heartbeatIntervalMs: 3_000,
      commitIntervalMs: 100,
    });
    expect(resolveOptions({ brokers: ['a:1'], sessionTimeoutMs: 1_500 }).heartbeatIntervalMs).toBe(500);
  });

  it('are refused with every fault in one error', () => {
    const options = {
      brokers: ['nowhere'],
      name: '',
      commitIntervalMs: 0,
      partitions: 1.5,
      heartbeatIntervalMs: 40_000,
    };
    expect(faultsOf(options)).toMatch(
      /name must.*brokers must be.*partitions must.*commitIntervalMs must.*heartbeatIntervalMs \(40000\) must be less.*these 5 faults/,
    );
  });

  it('need exactly one of brokers and client', () => {
    expect(faultsOf({})).toMatch(/exactly one of brokers and client/);
    expect(faultsOf({ brokers: 'a:1', client: { consumer: () => {} } })).toMatch(/exactly one of brokers and client/);
    expect(faultsOf({ client: {} })).toMatch(/client must be a Kafka object/);
  });
});
