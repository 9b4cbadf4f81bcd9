import type { Delivery } from '../message.ts';
import type { BatchHandler, DeliveryHandler, Outcome } from '../transport.ts';
import type { Clock } from './clock.ts';
import { laneKey } from './lane-key.ts';
import { allFailed, checkedOutcomes, notHandled, notHandledError } from './outcomes.ts';

/** How long a batch waits for deliveries that are late in their middleware, at least. Milliseconds. */
const leastPatience = 100;

/** A delivery on its way through its middleware. */
interface Member {
  readonly index: number;
  readonly key: string;
  /** As the middleware hands it on; at first as it came. */
  delivery: Delivery;
  state: 'before' | 'waiting' | 'handling' | 'after' | 'ended';
  /** It did not get its turn: an earlier one of its key did not succeed. */
  refused: boolean;
  outcome: Outcome | undefined;
  succeed: () => void;
  fail: (error: unknown) => void;
}

/**
 * Lets every delivery of a batch pass the middleware by itself and hands those that reach the innermost handler on together.
 * They are handed on once each has arrived or ended; late ones are waited for up to `patienceMs`, so that middleware which lets
 * deliveries wait for each other cannot block the batch. One call of the batch handler at a time; a delivery whose middleware tries it
 * again comes in a further call. Once a delivery has failed, later ones of its key in the batch are refused.
 */
export class BatchChain {
  readonly #handler: BatchHandler;
  readonly #ordering: 'key' | 'none';
  readonly #patienceMs: number;
  readonly #clock: Clock;
  readonly #passing = new Map<string, { readonly pass: Pass; readonly member: Member }>();

  constructor(
    handler: BatchHandler,
    options: { readonly ordering: 'key' | 'none'; readonly waitMs: number },
    clock: Clock,
  ) {
    this.#handler = handler;
    this.#ordering = options.ordering;
    this.#patienceMs = Math.max(options.waitMs, leastPatience);
    this.#clock = clock;
  }

  /** What the middleware finds innermost. */
  readonly innermost: DeliveryHandler = async (delivery, signal) => {
    const found = this.#passing.get(identityOf(delivery));
    if (found !== undefined) return found.pass.arrive(found.member, delivery);
    // Made up by a middleware: a batch of its own.
    const [outcome] = checkedOutcomes(await this.#handler([delivery], signal), [delivery]);
    if (outcome?.ok === false) throw outcome.error;
    return undefined;
  };

  async handle(
    batch: readonly Delivery[],
    signal: AbortSignal,
    chainOf: (topic: string) => DeliveryHandler,
  ): Promise<readonly Outcome[]> {
    const pass = new Pass((deliveries) => this.#handler(deliveries, signal));
    const members = batch.map((delivery, index) => pass.add(delivery, index, laneKey(delivery, this.#ordering)));
    for (const member of members) this.#passing.set(identityOf(member.delivery), { pass, member });
    const cancel = this.#clock.schedule(() => pass.hurry(), this.#patienceMs);
    try {
      await Promise.all(
        members.map((member) => pass.run(member, async () => chainOf(member.delivery.topic)(member.delivery, signal))),
      );
    } finally {
      cancel();
      for (const delivery of batch) this.#passing.delete(identityOf(delivery));
    }
    return members.map((member) => member.outcome as Outcome);
  }
}

/** What middleware leaves as it is. */
const identityOf = ({ topic, position, message }: Delivery): string => `${topic}\n${position}\n${message.id}`;

/** One batch on its way. */
class Pass {
  readonly #members: Member[] = [];
  readonly #handler: (deliveries: readonly Delivery[]) => Promise<readonly Outcome[]>;
  /** Index of the first delivery of a key that did not succeed. Never taken back: those refused after it would be overtaken. */
  readonly #failedAt = new Map<string, number>();
  #busy = false;
  #hurried = false;

  constructor(handler: (deliveries: readonly Delivery[]) => Promise<readonly Outcome[]>) {
    this.#handler = handler;
  }

  add(delivery: Delivery, index: number, key: string): Member {
    const idle = { refused: false, outcome: undefined, succeed: nothing, fail: nothing };
    const member: Member = { index, key, delivery, state: 'before', ...idle };
    this.#members.push(member);
    return member;
  }

  /** Runs one delivery's middleware to its end. */
  async run(member: Member, chain: () => Promise<void>): Promise<void> {
    try {
      await chain();
      member.outcome = { ok: true };
    } catch (error) {
      member.outcome = { ok: false, error };
      this.#failed(member);
    }
    // Whatever the middleware made of the refusal: nobody has handled it.
    if (member.refused) member.outcome = notHandled;
    member.state = 'ended';
    this.#advance();
  }

  arrive(member: Member, delivery: Delivery): Promise<void> {
    member.delivery = delivery;
    return new Promise((resolve, reject) => {
      member.succeed = resolve;
      member.fail = reject;
      member.state = 'waiting';
      this.#advance();
    });
  }

  /** Waits for late ones no longer. */
  hurry(): void {
    this.#hurried = true;
    this.#advance();
  }

  #advance(): void {
    if (this.#busy) return;
    const late = new Set<string>();
    const ready: Member[] = [];
    for (const member of this.#members) {
      if (member.state === 'before') late.add(member.key);
      else if (member.state === 'waiting' && this.#isBehindFailure(member)) refuse(member);
      // Never before an earlier one of its key.
      else if (member.state === 'waiting' && !late.has(member.key)) ready.push(member);
    }
    if (ready.length > 0 && (late.size === 0 || this.#hurried)) void this.#dispatch(ready);
  }

  async #dispatch(ready: readonly Member[]): Promise<void> {
    this.#busy = true;
    const deliveries = ready.map((member) => member.delivery);
    for (const member of ready) member.state = 'handling';
    let outcomes: readonly Outcome[];
    try {
      outcomes = checkedOutcomes(await this.#handler(deliveries), deliveries);
    } catch (error) {
      outcomes = allFailed(deliveries, error);
    }
    for (const [index, member] of ready.entries()) {
      const outcome = outcomes[index] as Outcome;
      if (member.state === 'ended') continue;
      member.state = 'after';
      if (this.#isBehindFailure(member)) refuse(member);
      else if (outcome.ok) member.succeed();
      else {
        this.#failed(member);
        member.fail(outcome.error);
      }
    }
    this.#busy = false;
    this.#advance();
  }

  #failed({ key, index }: Member): void {
    this.#failedAt.set(key, Math.min(index, this.#failedAt.get(key) ?? index));
  }

  #isBehindFailure({ key, index }: Member): boolean {
    return (this.#failedAt.get(key) ?? index) < index;
  }
}

function refuse(member: Member): void {
  member.refused = true;
  member.state = 'after';
  member.fail(notHandledError);
}

const nothing = (): void => {};
