// A process of the kit: the scenarios about killed processes start it. It subscribes, publishes a log, and writes down what happens.
import { setImmediate, setTimeout } from 'node:timers/promises';
import { isNativeError } from 'node:util/types';
import { canPublishCheckpointed, type DeliveryHandler, type Middleware, type Transport } from '@bento-bus/core';
import { aborted } from '../gate.ts';
import { seededRandom } from '../seeded-random.ts';
import type { TransportModule } from '../transport/harness.ts';
import { ledgerWriter } from './ledger.ts';
import { itemsOf, type Load, type MemberSpec, type Spec } from './spec.ts';

const { name, ledger, module, members, work, log, seed } = JSON.parse(process.argv[2] ?? '') as Spec;
const note = ledgerWriter(ledger, name);
const random = seededRandom(seed);
const chunk = 10;
let running = 0;
let onStart = (): void => {};

const die = (): void => {
  note('kill');
  process.kill(process.pid, 'SIGKILL');
};

const handlerOf = ({ group }: MemberSpec): DeliveryHandler => {
  let handled = 0;
  const act = async (id: string, signal: AbortSignal): Promise<void> => {
    if (work.kills?.includes(id) === true) die();
    if (handled >= (work.holdsAfter ?? Number.POSITIVE_INFINITY)) {
      note('held', { group, id });
      await aborted(signal);
      signal.throwIfAborted();
    }
    await (work.upToMs === undefined ? setImmediate() : setTimeout(random() * work.upToMs));
    if (work.fails?.includes(id) === true) throw new Error('fails, as it was told to');
  };
  return async ({ message: { id }, attempt }, signal) => {
    note('start', { group, id, attempt });
    running += 1;
    onStart();
    try {
      await act(id, signal);
    } catch (error) {
      note('failed', { group, id, attempt });
      throw error;
    } finally {
      running -= 1;
    }
    handled += 1;
    note('end', { group, id, attempt });
    if (work.killsAfter?.includes(id) === true) {
      await setTimeout(work.lingersMs);
      die();
    }
  };
};

const hook: Middleware = (next, subscription) => {
  const { group } = subscription;
  subscription.onExhausted(async ({ message: { id }, attempt }, reason) =>
    note('exhausted', { group, id, attempt, text: isNativeError(reason) ? reason.message : String(reason) }),
  );
  return next;
};

async function publishLog(transport: Transport, load: Load): Promise<void> {
  if (!canPublishCheckpointed(transport)) throw new Error('the client cannot publish a log');
  const items = itemsOf(load);
  note('opening');
  const head = items.at(-1)?.position ?? '';
  const publisher = await transport.openCheckpointed(load.name, { topics: load.topics, head });
  note('published', { text: publisher.resumeAfter });
  const missing = items.filter(({ position }) => position > publisher.resumeAfter);
  while (missing.length > 0) {
    const next = missing.splice(0, chunk);
    const through = next.at(-1)?.position ?? '';
    await publisher.publish(next, through);
    note('published', { text: through });
  }
}

// Without its parent nobody would end it.
process.once('disconnect', () => process.exit(1));
const { createTransport } = (await import(module)) as TransportModule;
const transport = await createTransport(process.env);
const closing = new AbortController();
process.once('SIGTERM', () => {
  void (async () => {
    closing.abort();
    if (work.closesBusy === true && running === 0)
      await new Promise<void>((resolve) => {
        onStart = resolve;
      });
    await transport.close();
    note('closed');
    // What still runs now would keep every program from ending.
    process.channel?.unref();
  })();
});
for (const member of members) {
  const { topics, ...options } = member;
  const subscription = await transport.subscribe(topics, handlerOf(member), { ...options, use: [hook] });
  subscription.closed.catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
}
note('ready');
try {
  if (log !== undefined) await publishLog(transport, log);
} catch (error) {
  if (!closing.signal.aborted) throw error;
}
