import { Buffer } from 'node:buffer';
import { BentoError } from '@bento-bus/core';
import type {
  Driver,
  DriverConsumer,
  DriverProducer,
  DriverReader,
  EncodedMessage,
  IncomingMessage,
  OutgoingMessage,
  ProducerEvents,
  ProducerOptions,
} from '../driver.ts';
import { because, SendFailure, toBentoError } from '../errors.ts';
import type { TopicName } from '../names.ts';
import { decodeMessageId, encodeMessageId } from '../position.ts';
import type { Security } from '../security/security.ts';
import { openSocket, type Socket, type SocketOptions } from './socket.ts';

export interface WebSocketDriverOptions {
  /** `ws://host:port`. */
  readonly url: string;
  readonly security: Security;
  readonly timeoutMs: number;
  readonly heartbeatMs: number;
}

/** A broker that is starting takes connections that it never answers: try again soon. Milliseconds. */
const handshakeMs = 5_000;
/** Room in a frame for the context that is added when it is sent. */
const contextBytes = 40;

/** Pulsar's WebSocket API: https://pulsar.apache.org/docs/4.0.x/client-libraries-websocket/. One socket a producer, consumer or reader. */
export function createWebSocketDriver(options: WebSocketDriverOptions): Driver {
  const { url, security, timeoutMs, heartbeatMs } = options;
  const sockets = new Set<Socket>();

  const open = async (
    path: string,
    query: Readonly<Record<string, string>>,
    rest: Pick<SocketOptions, 'what' | 'onMessage' | 'onClose'>,
  ): Promise<Socket> => {
    let socket: Socket | undefined;
    const headers = await security.headers().catch((error: unknown) => {
      throw because(error as BentoError, rest.what);
    });
    const opened = await openSocket({
      url: `${url}/ws/v2/${path}?${new URLSearchParams(query).toString()}`,
      headers,
      tls: security.tls(),
      timeoutMs: Math.min(timeoutMs, handshakeMs),
      heartbeatMs,
      ...rest,
      onClose: (error) => {
        if (socket !== undefined) sockets.delete(socket);
        rest.onClose(error);
      },
    });
    socket = opened;
    sockets.add(opened);
    return opened;
  };
  const closed = (socket: Socket): Promise<void> => {
    sockets.delete(socket);
    return socket.close();
  };

  return {
    kind: 'websocket',
    reconnects: false,
    encode,
    openProducer: async (topic, given, events): Promise<DriverProducer> => {
      const socket = await open(`producer/${topic.path}`, producerQuery(given), {
        what: `publish to "${topic.full}"`,
        onMessage: (text) => onReceipt(topic, text, events),
        onClose: events.onClose,
      });
      return {
        send: (sequence, { wire }) => socket.send(`${wire as string},"context":"${sequence}"}`),
        close: () => closed(socket),
      };
    },
    openConsumer: async (topic, given, events): Promise<DriverConsumer> => {
      const { subscription, type, name, queue } = given;
      const socket = await open(
        `consumer/${topic.path}/${encodeURIComponent(subscription)}`,
        { subscriptionType: type, consumerName: name, receiverQueueSize: String(queue), pullMode: 'true' },
        {
          what: `read "${topic.full}" as "${subscription}"`,
          onMessage: (text) => events.onMessage(incoming(JSON.parse(text) as WireMessage)),
          onClose: events.onClose,
        },
      );
      return {
        permit: (count) => socket.send(`{"type":"permit","permitMessages":${count}}`),
        ack: (handle) => socket.send(`{"messageId":"${handle as string}"}`),
        close: () => closed(socket),
      };
    },
    openReader: async (topic, readerName, after, events): Promise<DriverReader> => {
      const start = after === '' ? 'earliest' : encodeMessageId(after).toString('base64');
      const socket = await open(
        `reader/${topic.path}`,
        { messageId: start, readerName },
        {
          what: `read "${topic.full}"`,
          onMessage: (text, reader) => {
            const message = JSON.parse(text) as WireMessage;
            // Anything sent is a permit for the next one.
            reader.send(`{"messageId":"${message.messageId}"}`);
            events.onMessage(incoming(message));
          },
          onClose: events.onClose,
        },
      );
      return { close: () => closed(socket) };
    },
    close: async () => {
      await Promise.all([...sockets].map(closed));
    },
  };
}

/** The frame without its end: the context, which differs each time, comes last. */
function encode({ key, properties, body, deliverAt }: OutgoingMessage): EncodedMessage {
  const payload = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('base64');
  const due = deliverAt === undefined ? '' : `,"deliverAt":${deliverAt}`;
  const wire = `{"payload":"${payload}","key":${JSON.stringify(key)},"properties":${JSON.stringify(properties)}${due}`;
  return { wire, bytes: Buffer.byteLength(wire) + contextBytes };
}

function producerQuery({ name, batching = false, window }: ProducerOptions): Record<string, string> {
  const query: Record<string, string> = name === undefined ? {} : { producerName: name };
  if (!batching) return query;
  // More in flight than the broker's queue takes would fail at once.
  return {
    ...query,
    batchingEnabled: 'true',
    batchingMaxMessages: '1000',
    batchingMaxPublishDelay: '5',
    maxPendingMessages: String(window),
  };
}

interface Receipt {
  readonly result: string;
  readonly messageId?: string;
  readonly context?: string;
  readonly errorMsg?: string;
}

function onReceipt(topic: TopicName, text: string, events: ProducerEvents): void {
  const { result, messageId = '', context, errorMsg = 'no reason given' } = JSON.parse(text) as Receipt;
  const sequence = Number(context ?? Number.NaN);
  if (result === 'ok') {
    events.onAck(sequence, () => decodeMessageId(Buffer.from(messageId, 'base64')));
    return;
  }
  const what = `publish to "${topic.full}"`;
  // 3 and 7: the message itself cannot be read; the same one will fail again.
  const error = /:(3|7)$/.test(result)
    ? new BentoError('PUBLISH', `pulsar-adapter: cannot ${what}: ${errorMsg} (${result}). Correct the message.`)
    : toBentoError(new SendFailure(`${errorMsg} (${result})`), what);
  events.onFailure(sequence, error);
}

interface WireMessage {
  readonly messageId: string;
  readonly payload: string;
  readonly properties?: Readonly<Record<string, string>>;
  readonly publishTime: string;
  readonly key?: string;
}

const none: Readonly<Record<string, string>> = {};

const incoming = ({ messageId, payload, properties = none, publishTime, key }: WireMessage): IncomingMessage => ({
  position: decodeMessageId(Buffer.from(messageId, 'base64')),
  handle: messageId,
  key,
  properties,
  body: Buffer.from(payload, 'base64'),
  publishTime: Date.parse(publishTime),
});
