import type { Transport } from '@bento-bus/core';
import { connect } from './harness.ts';

/** For the kit's processes: a client of the broker whose address they get. */
export const createTransport = (environment: Readonly<Record<string, string | undefined>>): Transport =>
  connect(environment['KAFKA_BROKERS'] as string);
