import { createPulsarTransport, type PulsarTransport, type PulsarTransportOptions } from '@bento-bus/pulsar-adapter';
import { startPulsar } from '@bento-bus/stack';

/** A broker for one suite. */
export interface Broker {
  readonly serviceUrl: string;
  readonly webUrl: string;
  restart(): Promise<void>;
  kill(): Promise<void>;
  /** It holds its connections and answers nothing. */
  pause(): void;
  resume(): void;
  stop(): Promise<void>;
}

const notOurs = (): never => {
  throw new Error('the broker of the environment is not ours to restart');
};

/** The broker named by `PULSAR_WEB_URL` and `PULSAR_SERVICE_URL`, which is not stopped; else one started for the suite. */
export async function startBroker({
  own = false,
  config = {},
}: {
  own?: boolean;
  config?: Record<string, string>;
} = {}): Promise<Broker> {
  const { PULSAR_WEB_URL: webUrl, PULSAR_SERVICE_URL: serviceUrl } = process.env;
  if (!own && webUrl && serviceUrl) {
    return {
      webUrl,
      serviceUrl,
      restart: notOurs,
      kill: notOurs,
      pause: notOurs,
      resume: notOurs,
      stop: async () => {},
    };
  }
  return startPulsar({ config });
}

/** A transport on the broker. */
export const connect = (broker: Broker, options: PulsarTransportOptions = {}): PulsarTransport =>
  createPulsarTransport({ serviceUrl: broker.serviceUrl, webUrl: broker.webUrl, driver: 'websocket', ...options });
