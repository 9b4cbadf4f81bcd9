import { connect } from 'node:tls';
import { withDeadline } from '@bento-bus/core/adapter';
import { isTlsFault } from '../errors.ts';
import type { InternalBroker, InternalCluster, InternalConnectionPool } from './internals.ts';

/**
 * What nothing but other options can mend is not tried again: kafkajs takes TLS that fails, and a broker that hangs up since it was shown no
 * credentials, for a connection that was lost.
 */
export function failFast(cluster: InternalCluster): void {
  const { brokerPool } = cluster;
  /** What brokers have answered before, they hang up on for other reasons. */
  let isWelcome = false;
  const create = brokerPool.createBroker.bind(brokerPool);
  brokerPool.createBroker = (options) => {
    const broker = create(options);
    const explain = async (error: unknown): Promise<unknown> => {
      const found = error as { readonly name?: string; readonly code?: unknown; retriable?: boolean };
      if (isTlsFault(found.code)) {
        found.retriable = false;
        return error;
      }
      if (isWelcome || (found.name !== 'KafkaJSConnectionClosedError' && found.code !== 'ECONNRESET')) return error;
      return (await missing(broker, brokerPool.connectionPoolBuilder)) ?? error;
    };
    const explained =
      <A extends unknown[], R>(work: (...args: A) => Promise<R>) =>
      async (...args: A): Promise<R> => {
        try {
          return await work(...args);
        } catch (error) {
          throw await explain(error);
        }
      };
    broker.connect = explained(broker.connect.bind(broker));
    // The first request that needs credentials.
    const metadata = broker.metadata.bind(broker);
    broker.metadata = explained(async (topics) => {
      const answer = await metadata(topics);
      isWelcome = true;
      return answer;
    });
    return broker;
  };
  const find = cluster.findGroupCoordinatorMetadata.bind(cluster);
  cluster.findGroupCoordinatorMetadata = async (request) => {
    try {
      return await find(request);
    } catch (error) {
      if ((error as { readonly name?: string }).name !== 'KafkaJSGroupCoordinatorNotFound') throw error;
      // Why it was not found, that it may not be seen above all, is what kafkajs keeps to itself.
      const [nodeId = ''] = cluster.getNodeIds();
      return (await cluster.findBroker({ nodeId })).findGroupCoordinator(request);
    }
  };
}

/** How long a broker may take to answer. Milliseconds. */
const patienceMs = 2_000;

/** What the broker demands and was not given, as far as it can be found out by asking it. */
async function missing(
  { connectionPool }: InternalBroker,
  builder: InternalCluster['brokerPool']['connectionPoolBuilder'],
): Promise<Error | undefined> {
  const { host, port, ssl, sasl } = connectionPool;
  if (!ssl && (await speaksTls(host, port))) return demands('TLS_MISSING', 'The broker speaks TLS only');
  if (sasl) return undefined;
  const pool = await builder.build({ host, port });
  try {
    const demanded = await withDeadline(handshake(pool), patienceMs, () => undefined);
    return demanded && demands('CREDENTIALS_MISSING', `The broker demands credentials, by ${demanded.join(' or ')}`);
  } catch {
    return undefined;
  } finally {
    // It waits for what was not answered.
    pool.destroy().catch(() => {});
  }
}

const demands = (type: string, message: string): Error => Object.assign(new Error(message), { type, retriable: false });

/** The mechanisms of a broker that demands SASL. Source: https://kafka.apache.org/protocol, "SaslHandshake API". */
async function handshake(pool: InternalConnectionPool): Promise<readonly string[] | undefined> {
  const buffer = Buffer.from('\0\x05PLAIN');
  return (await pool.send({
    request: { apiKey: 17, apiVersion: 1, apiName: 'SaslHandshake', encode: async () => ({ buf: buffer, buffer }) },
    response: { decode: async (raw: Buffer) => mechanismsIn(raw), parse: async (found: unknown) => found },
  })) as readonly string[] | undefined;
}

const noSuchMechanism = 33;

function mechanismsIn(raw: Buffer): readonly string[] | undefined {
  const error = raw.readInt16BE(0);
  if (error !== 0 && error !== noSuchMechanism) return undefined;
  const found: string[] = [];
  let at = 6;
  for (let left = raw.readInt32BE(2); left > 0; left -= 1) {
    const end = at + 2 + raw.readInt16BE(at);
    found.push(raw.toString('utf8', at + 2, end));
    at = end;
  }
  return found;
}

/** Somebody answers with TLS, whether we would be let in or not. */
export const speaksTls = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    // Nothing is sent, so nobody has to be who they say.
    const socket = connect({ host, port, rejectUnauthorized: false });
    const end = (speaks: boolean): void => {
      socket.destroy();
      resolve(speaks);
    };
    socket.setTimeout(patienceMs, () => end(false));
    socket.once('secureConnect', () => end(true));
    socket.on('error', (error: NodeJS.ErrnoException) => end(/ALERT/.test(error.code ?? '')));
  });
