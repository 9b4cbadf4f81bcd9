import { Buffer } from 'node:buffer';
import type { Logger } from '@bento-bus/core';
import { withDeadline } from '@bento-bus/core/adapter';
import type { Admin } from '../admin.ts';
import type {
  ConsumerEvents,
  ConsumerOptions,
  Driver,
  DriverConsumer,
  DriverProducer,
  DriverReader,
  EncodedMessage,
  OutgoingMessage,
  ProducerEvents,
  ProducerOptions,
  SubscriptionType,
} from '../driver.ts';
import { because, toBentoError } from '../errors.ts';
import type { TopicName } from '../names.ts';
import { comparePositions, type MessagePosition } from '../position.ts';
import { pemFiles } from '../security/pem-files.ts';
import type { Security } from '../security/security.ts';
import type { NativeClient, NativeConsumerConfig, NativeOutgoing } from './client.ts';
import { clientConfig } from './client-config.ts';
import { batchSize, gatherMs, positionOf, pullingConsumer } from './consumer.ts';
import { loadNative } from './load.ts';
import { createRefusals } from './refusals.ts';

export interface NativeDriverOptions {
  readonly serviceUrl: string;
  /** Not closed with the driver. */
  readonly client?: NativeClient;
  readonly security: Security;
  readonly admin: Admin;
  readonly publishTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly logger: Logger;
}

/** A client that is collected as garbage takes its producers and consumers with it. */
const clients = new Set<NativeClient>();

/**
 * What a named producer has not stored by then is failed, never stored late: shorter than the broker takes to give its name to another
 * one while this process is stopped (twice keepAliveIntervalSeconds, 30).
 */
const namedTimeoutMs = 20_000;
const closeMs = 5_000;

const types: Readonly<Record<SubscriptionType, NativeConsumerConfig['subscriptionType']>> = {
  Key_Shared: 'KeyShared',
  Shared: 'Shared',
  Failover: 'Failover',
  Exclusive: 'Exclusive',
};

/** The driver on `pulsar-client`. Connections come back by themselves. Rejects with `UNSUPPORTED` where its addon does not load. */
export async function createNativeDriver(options: NativeDriverOptions): Promise<Driver> {
  const { logger, admin, requestTimeoutMs, publishTimeoutMs } = options;
  const native = await loadNative();
  const files = pemFiles(options.client === undefined ? options.security.tls() : {});
  const client = options.client ?? new native.Client(clientConfig(native, options, files, () => void refused.look()));
  const refused = createRefusals(() => admin.checkAccess());
  clients.add(client);
  const open = new Set<{ close(): Promise<unknown> }>();
  const tracked = <T extends { close(): Promise<unknown> }>(opened: T): T => {
    open.add(opened);
    return opened;
  };
  const closed = async (one: { close(): Promise<unknown> }): Promise<void> => {
    if (!open.delete(one)) return;
    await withDeadline(
      Promise.resolve(one.close()).catch(() => {}),
      closeMs,
      () => {},
    );
  };

  const openProducer = async (
    topic: TopicName,
    given: ProducerOptions,
    events: ProducerEvents,
  ): Promise<DriverProducer> => {
    const what = `publish to "${topic.full}"`;
    const { name, batching = false, window } = given;
    const config = {
      topic: topic.full,
      sendTimeoutMs: name === undefined ? publishTimeoutMs : Math.min(publishTimeoutMs, namedTimeoutMs),
      maxPendingMessages: window + 1,
      blockIfQueueFull: false,
      messageRoutingMode: 'UseSinglePartition' as const,
      ...(name === undefined
        ? {
            batchingEnabled: true,
            batchingType: batching ? ('DefaultBatching' as const) : ('KeyBasedBatching' as const),
            batchingMaxPublishDelayMs: 1,
            batchingMaxMessages: 1_000,
          }
        : { producerName: name, batchingEnabled: false }),
    };
    await refused.pass();
    const producer = tracked(await attempt(what, client.createProducer(config)));
    const unwatch = refused.watch((error) => {
      void closed(producer);
      events.onClose(because(error, what));
    });
    return {
      send: (sequence, { wire }) => {
        producer.send(wire as NativeOutgoing).then(
          (id) => events.onAck(sequence, () => positionOf(id)),
          (error: unknown) => events.onFailure(sequence, toBentoError(error, what)),
        );
      },
      close: () => {
        unwatch();
        return closed(producer);
      },
    };
  };

  const openConsumer = async (
    topic: TopicName,
    given: ConsumerOptions,
    events: ConsumerEvents,
  ): Promise<DriverConsumer> => {
    const what = `read "${topic.full}" as "${given.subscription}"`;
    await refused.pass();
    const subscribing = client.subscribe({
      topic: topic.full,
      subscription: given.subscription,
      subscriptionType: types[given.type],
      consumerName: given.name,
      receiverQueueSize: given.queue,
      batchIndexAckEnabled: true,
      batchReceivePolicy: { maxNumMessages: batchSize, maxNumBytes: 1_048_576, timeoutMs: gatherMs },
    });
    const consumer = tracked(await attempt(what, subscribing));
    const pulling = pullingConsumer(consumer, events, { what, logger, closeMs, close: () => closed(consumer) });
    const unwatch = refused.watch((error) => pulling.fail(because(error, what)));
    return {
      ...pulling,
      close: () => {
        unwatch();
        return pulling.close();
      },
    };
  };

  // Not a reader of the addon: its `readNext` takes a thread and crashes the process when it fails, its listener when it is closed.
  const openReader = async (
    topic: TopicName,
    name: string,
    after: MessagePosition,
    events: ConsumerEvents,
  ): Promise<DriverReader> => {
    await admin.deleteSubscription(topic, name);
    await admin.createSubscription(topic, name, after === '' ? 'earliest' : { position: after });
    let seen = after;
    const consumer = await openConsumer(
      topic,
      { subscription: name, type: 'Exclusive', name, queue: batchSize },
      {
        onMessage: (message) => {
          consumer.permit(1);
          consumer.ack(message.handle);
          if (seen !== '' && comparePositions(message.position, seen) <= 0) return;
          seen = message.position;
          events.onMessage(message);
        },
        onClose: events.onClose,
      },
    );
    consumer.permit(batchSize);
    return {
      close: async () => {
        await consumer.close();
        await admin.deleteSubscription(topic, name).catch((error: unknown) =>
          logger.debug('pulsar-adapter: a subscription of a reader is left', {
            topic: topic.full,
            subscription: name,
            error,
          }),
        );
      },
    };
  };

  return {
    kind: 'native',
    reconnects: true,
    encode,
    openProducer,
    openConsumer,
    openReader,
    close: async () => {
      await Promise.all(Array.from(open, closed));
      clients.delete(client);
      files.remove();
      if (options.client === undefined)
        await withDeadline(
          Promise.resolve(client.close()).catch(() => {}),
          requestTimeoutMs,
          () => {},
        );
    },
  };
}

/** Copied: not every fault of the addon is an `Error` of this realm. */
async function attempt<T>(what: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw toBentoError(error, what);
  }
}

function encode({ key, properties, body, deliverAt }: OutgoingMessage): EncodedMessage {
  const data = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  let bytes = data.length + key.length;
  for (const name in properties) bytes += name.length + (properties[name] as string).length;
  const wire: NativeOutgoing = {
    data,
    properties: { ...properties },
    partitionKey: key,
    ...(deliverAt !== undefined && { deliverAt }),
  };
  return { wire, bytes };
}
