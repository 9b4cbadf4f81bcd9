import { randomUUID } from 'node:crypto';
import { closeOnce } from './adapter/drain.ts';
import { BusSubscriptions, type Subscribed } from './bus-subscriptions.ts';
import type { Codec, Encoded } from './codec.ts';
import { configurationError } from './configuration.ts';
import { BentoError, ValidationError } from './errors.ts';
import type { EventDefinition } from './events.ts';
import { headerNames } from './headers.ts';
import { type Logger, silentLogger } from './logger.ts';
import type { BusSubscribeOptions, EventHandler, MessageBus, TopicPublishOptions } from './message-bus.ts';
import type { Middleware } from './middleware.ts';
import type { Transport } from './transport.ts';
import { isPromise, validate } from './validation.ts';

/** What a message bus is made of. */
export interface MessageBusOptions {
  /** Carries the messages. The bus does not close it. */
  readonly transport: Transport;
  readonly codec: Codec;
  /** CloudEvents source of what this bus publishes: the service's name or a URI. */
  readonly source: string;
  /** Around every handler, outside of the subscription's own `use`. @default none */
  readonly use?: readonly Middleware[];
  /** @default silentLogger */
  readonly logger?: Logger;
  /** Epoch milliseconds. @default Date.now */
  readonly now?: () => number;
  /** Ids of messages. @default randomUUID */
  readonly newId?: () => string;
}

/** Where a message goes, and as what. */
interface Route {
  readonly topic: string;
  readonly type: string;
  readonly version: number;
  readonly key: string | undefined;
}

/**
 * A typed message bus over a transport. What travels is the schema's input, checked before it is sent; handlers get the schema's output,
 * upcast and checked again on arrival. Close ends its subscriptions. Throws a `CONFIGURATION` error that names what is missing.
 */
export function createMessageBus(options: MessageBusOptions): MessageBus {
  check(options);
  const { transport, codec, source, use = [], logger = silentLogger, now = Date.now, newId = randomUUID } = options;
  const subscriptions = new BusSubscriptions(transport, codec, use, logger);

  const send = (
    { topic, type, key }: Route,
    headers: Readonly<Record<string, string>>,
    { body, headers: ofCodec }: Encoded,
    { id = newId() }: TopicPublishOptions,
  ): Promise<void> => {
    const all = ofCodec === undefined ? headers : { ...headers, ...ofCodec };
    // Two literals: V8 takes far longer to add a property to a spread.
    const message =
      key === undefined
        ? { id, type, source, time: now(), headers: all, body }
        : { id, type, source, time: now(), key, headers: all, body };
    return transport.publish(topic, [message]);
  };

  const encode = (route: Route, data: unknown, given: TopicPublishOptions): Promise<void> => {
    const { topic, type, version } = route;
    const headers = headersOf(codec.contentType, version, given);
    const due = dueOf(route, given, now);
    if (due !== undefined) headers[headerNames.deliverAt] = String(due);
    const encoded = codec.encode(data, { topic, type, version, headers });
    if (!isPromise(encoded)) return send(route, headers, encoded, given);
    return encoded.then((settled) => send(route, headers, settled, given));
  };

  const publish = (what: EventDefinition | string, data: unknown, given: TopicPublishOptions = {}): Promise<void> => {
    // No async function: what fails at once rejects, what is synchronous costs no promise of its own.
    try {
      if (subscriptions.closed) throw closedError(typeof what === 'string' ? what : what.type);
      if (typeof what === 'string') {
        return encode(
          { topic: what, type: given.type ?? what, version: given.version ?? 1, key: given.key },
          data,
          given,
        );
      }
      const output = validate(what.schema, data, `core: cannot publish "${what.type}"`);
      if (!isPromise(output)) return encode(routeOf(what, output, given), data, given);
      return output.then((settled) => encode(routeOf(what, settled, given), data, given));
    } catch (error) {
      return Promise.reject(error);
    }
  };

  return {
    publish,
    subscribe: (what: Subscribed, handler: EventHandler<never>, given: BusSubscribeOptions) =>
      subscriptions.open(what, handler, given),
    subscribeBatch: (definitions, handler, given) => subscriptions.openBatch(definitions, handler, given),
    ...closeOnce(() => subscriptions.close()),
  };
}

function routeOf(definition: EventDefinition, output: unknown, given: TopicPublishOptions): Route {
  const { topic, type, version } = definition;
  const key = given.key ?? definition.key?.(output);
  if (key !== undefined && typeof key !== 'string') {
    const text = `its key is no string but ${String(key)}`;
    throw new ValidationError(`core: cannot publish "${type}": ${text}. Correct the definition's key function.`, [
      { path: '', message: text },
    ]);
  }
  return { topic, type, version, key };
}

/** When it may be delivered, epoch milliseconds. */
function dueOf(
  { topic, type }: Route,
  { delayMs, deliverAt }: TopicPublishOptions,
  now: () => number,
): number | undefined {
  if (delayMs === undefined && deliverAt === undefined) return undefined;
  const faults: string[] = [];
  if (delayMs !== undefined && deliverAt !== undefined) faults.push('give delayMs or deliverAt, not both');
  const bound = (name: string, value: number | undefined): void => {
    if (value !== undefined && !(Number.isFinite(value) && value >= 0 && value <= latestTime))
      faults.push(`${name} must be a number of milliseconds from 0, not ${String(value)}`);
  };
  bound('delayMs', delayMs);
  bound('deliverAt', deliverAt);
  if (faults.length > 0) throw configurationError(`core: cannot publish "${type}" to "${topic}"`, faults);
  return Math.ceil(deliverAt ?? now() + (delayMs as number));
}

/** The last time that a Date can say. */
const latestTime = 8.64e15;

const traceHeaders = [headerNames.traceparent, headerNames.tracestate] as const;

function headersOf(
  contentType: string,
  version: number,
  { headers: given, cause }: TopicPublishOptions,
): Record<string, string> {
  const headers: Record<string, string> = {};
  // As they would arrive: backends carry names in lower case.
  for (const name in given) headers[name.toLowerCase()] = given[name] as string;
  headers[headerNames.contentType] = contentType;
  headers[headerNames.eventVersion] = String(version);
  if (cause !== undefined) {
    headers[headerNames.correlationId] = cause.correlationId;
    headers[headerNames.causationId] = cause.id;
    for (const name of traceHeaders) {
      const carried = cause.headers?.[name];
      if (carried !== undefined) headers[name] ??= carried;
    }
  }
  return headers;
}

function check({ transport, codec, source, use = [] }: { readonly [K in keyof MessageBusOptions]: unknown }): void {
  const faults: string[] = [];
  if (!has(transport, 'publish', 'subscribe')) faults.push('transport must be a Transport, as an adapter makes it');
  if (!has(codec, 'encode', 'decode')) faults.push('codec must be a Codec, as @bento-bus/codecs makes them');
  if (typeof source !== 'string' || source === '') faults.push("source must be this service's name, not empty");
  if (!Array.isArray(use) || !use.every((one) => typeof one === 'function'))
    faults.push('use must be a list of middleware functions');
  if (faults.length > 0) throw configurationError('core: cannot create the message bus', faults);
}

const has = (value: unknown, ...methods: readonly string[]): boolean =>
  typeof value === 'object' &&
  value !== null &&
  methods.every((method) => typeof (value as Record<string, unknown>)[method] === 'function');

const closedError = (what: string): BentoError =>
  new BentoError('CLOSED', `core: cannot publish "${what}": the bus is closed. Publish before close().`);
