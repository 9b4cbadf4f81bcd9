import { createJsonCodec } from '@bento-bus/codecs';
import { eventually } from '@bento-bus/conformance';
import { BentoError, createMessageBus, type Message, type MessageBus, type Transport } from '@bento-bus/core';
import { type RequestsOptions, requestHeaders, withRequests } from '@bento-bus/dispatcher';
import { createInProcessTransport, createVirtualClock } from '@bento-bus/inprocess-bus';
import { numbersOn } from './catalogue.ts';

export const number = numbersOn('numbers');
export const group = 'numbers';
export const codec = createJsonCodec();
export const until = (what: string, check: () => boolean): Promise<void> =>
  eventually(check, { what, deadlineMs: 15_000 });

/** Time that only the test moves; what was published, by topic; and a transport whose publishes the test can refuse. */
export async function rig(options: Partial<RequestsOptions> = {}) {
  const clock = createVirtualClock();
  const inner = createInProcessTransport({ clock });
  const published: { readonly topic: string; readonly message: Message }[] = [];
  const state: { refuse?: (topic: string) => BentoError | undefined } = {};
  const transport: Transport = {
    ...inner,
    publish: async (topic, messages) => {
      const refusal = state.refuse?.(topic);
      if (refusal !== undefined) throw refusal;
      for (const message of messages) published.push({ topic, message });
      await inner.publish(topic, messages);
    },
  };
  const open = (): MessageBus => createMessageBus({ transport, codec, source: '/tests', now: () => clock.now() });
  const bus = withRequests(open(), { source: '/shop: EU', instance: 'one', clock, ...options });
  const replyTopic = 'bento-reply-shop-EU-one';
  const replies: Message[] = [];
  const spy = { group: 'spy', ordering: 'none', concurrency: 100 } as const;
  await inner.subscribe([replyTopic], async ({ message }) => void replies.push(message), spy);
  const repliesOf = (kind: string): readonly Message[] =>
    replies.filter(({ headers }) => headers[requestHeaders.reply] === kind);
  return { clock, transport, published, state, open, bus, replyTopic, repliesOf };
}

/** Runs what needs no time. */
export const settle = (clock: { advance(ms: number): Promise<void> }): Promise<void> => clock.advance(0);

export const answered = { from: 'x', number: 1, by: 'me' };
