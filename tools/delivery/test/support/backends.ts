import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { uniqueName } from '@bento-bus/conformance';
import type { Transport } from '@bento-bus/core';
import { createInProcessTransport } from '@bento-bus/inprocess-bus';
import { startKafka, startPulsar } from '@bento-bus/stack';
import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import { openTransport } from './open-transport.ts';

/** A server that can be made to fail. */
interface Server {
  readonly name: string;
  readonly running: boolean;
  readonly dir: string;
  kill(): Promise<void>;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Where the scenarios run. */
export interface Backend {
  readonly name: BackendName;
  /** A client of its own, closed after the test. In process all are one. */
  open(): Promise<Transport>;
  /** A topic of its own. */
  topic(): string;
  /** Undefined in process. */
  readonly server: Server | undefined;
  /** For child processes: the environment by which {@link openTransport} finds the server. */
  readonly environment: Readonly<Record<string, string>>;
}

export type BackendName = 'inprocess' | 'kafka' | 'pulsar';

/** Starts the server before the tests of a file, and stops it after them. */
export function useBackend(name: BackendName): Backend {
  const opened: Transport[] = [];
  let server: Server | undefined;
  let environment: Record<string, string> = {};
  let shared: Transport | undefined;
  beforeAll(async () => {
    if (name === 'kafka') {
      const kafka = await startKafka();
      server = kafka;
      environment = { DELIVERY_KAFKA: kafka.brokers };
    } else if (name === 'pulsar') {
      const pulsar = await startPulsar();
      server = pulsar;
      environment = { DELIVERY_PULSAR: pulsar.webUrl, DELIVERY_PULSAR_SERVICE: pulsar.serviceUrl };
    }
  }, 90_000);
  // One that has died, or that a test could not start again, would cost every test after it its whole time limit.
  beforeEach(async () => {
    if (server === undefined || server.running) return;
    const log = readFileSync(join(server.dir, 'server.log'), 'utf8').slice(-2_000);
    process.stderr.write(`${server.name} is gone and is started again; it said last:\n${log}\n`);
    await server.restart();
  }, 100_000);
  afterEach(async () => {
    shared = undefined;
    await Promise.all(opened.splice(0).map((transport) => transport.close()));
  }, 30_000);
  afterAll(async () => {
    await server?.stop();
  }, 30_000);
  return {
    name,
    get server() {
      return server;
    },
    get environment() {
      return environment;
    },
    topic: () => uniqueName('delivery'),
    open: async () => {
      if (name === 'inprocess' && shared !== undefined) return shared;
      const transport =
        name === 'inprocess' ? createInProcessTransport() : openTransport({ ...process.env, ...environment });
      if (name === 'inprocess') shared = transport;
      opened.push(transport);
      return transport;
    },
  };
}
