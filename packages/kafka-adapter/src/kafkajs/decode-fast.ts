import { decodeFetch } from './fetch-decoder.ts';
import type { InternalBroker, InternalCluster } from './internals.ts';

const fetchKey = 1;
const fetchVersion = 11;

/** Fetched records are decoded by us, where we can. */
export function decodeFast(cluster: InternalCluster): void {
  const fast = new WeakSet<object>();
  const findBroker = cluster.findBroker.bind(cluster);
  cluster.findBroker = async (node) => {
    const broker = await findBroker(node);
    if (!fast.has(broker.connectionPool)) decodeBy(broker);
    fast.add(broker.connectionPool);
    return broker;
  };
}

function decodeBy({ connectionPool }: InternalBroker): void {
  const send = connectionPool.send.bind(connectionPool);
  connectionPool.send = (given) => {
    const { request, response } = given;
    if (request.apiKey !== fetchKey || request.apiVersion !== fetchVersion) return send(given);
    const decode = async (raw: Buffer): Promise<unknown> =>
      decodeFetch(raw) ?? withoutNulls((await response.decode(raw)) as SlowFetch);
    return send({ ...given, response: { ...response, decode } });
  };
}

/** What kafkajs' own decoder gives. */
interface SlowFetch {
  readonly responses: readonly {
    readonly partitions: readonly { readonly messages: readonly { readonly headers?: Record<string, unknown> }[] }[];
  }[];
}

/** A header may be null in Kafka; messages have none that are. */
function withoutNulls(fetch: SlowFetch): SlowFetch {
  const messages = fetch.responses.flatMap(({ partitions }) => partitions.flatMap((partition) => partition.messages));
  for (const { headers = {} } of messages)
    for (const name in headers) headers[name] = [headers[name]].flat().map((value) => value ?? '');
  return fetch;
}
