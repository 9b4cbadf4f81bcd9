import type { Driver } from './driver.ts';
import { createKafkaJsDriver } from './kafkajs/driver.ts';
import type { ResolvedOptions } from './options.ts';

/** The Kafka client that a transport works with, as `platformatic()` of `@bento-bus/kafka-adapter/platformatic` makes it. */
export interface KafkaDriver {
  /** Of the package. */
  readonly name: string;
}

const makers = new WeakMap<object, (options: ResolvedOptions) => Driver>();

/** What users hold has no more to it than a name: the port may change. */
export function driverOf(name: string, make: (options: ResolvedOptions) => Driver): KafkaDriver {
  const driver = { name };
  makers.set(driver, make);
  return driver;
}

export const isDriver = (value: unknown): boolean => makers.has(value as object);

/** The driver that the options ask for. */
export function createDriver(options: ResolvedOptions): Driver {
  const make = options.driver && makers.get(options.driver);
  return (make ?? createKafkaJsDriver)(options);
}
