import { type Delivery, isBentoError, type Message } from '@bento-bus/core';
import { headerText, thrownText } from '@bento-bus/core/adapter';
import { copyHeaders } from '../copy-headers.ts';
import { attemptOf, type Facts, factsOf, placeOf, type TrailMessage, type TrailStep, toldOf } from './message.ts';

/** A step that may learn how it ended. */
export type OpenStep = { -readonly [K in keyof TrailStep]: TrailStep[K] };

/** What a handler or middleware failed with. */
export type Failure = { readonly error: unknown } | undefined;

/** One try. */
interface Try {
  readonly group: string;
  readonly delivery: Delivery;
  readonly began: number;
}

/** A delivery on its way through middleware. `told`: how its last try ended; `'moved'`: a copy of the message went on. */
interface Passage extends Try {
  told: 'handled' | 'failed' | 'moved' | undefined;
}

const none: readonly Passage[] = [];

/** One message in memory. */
export class Remembered {
  readonly facts: Facts;
  readonly #steps: OpenStep[] = [];
  readonly #maxSteps: number;
  /** Under way. Lists of one as a rule; a map for each message costs more than all else. */
  #passages: readonly Passage[] = none;
  #forgotten = 0;

  constructor(message: Message, topic: string, maxSteps: number) {
    this.facts = factsOf(message, message.headers[copyHeaders.originTopic] ?? topic);
    this.#maxSteps = maxSteps;
  }

  told(): TrailMessage {
    return toldOf(
      this.facts,
      this.#steps.map((step) => ({ ...step })),
      this.#forgotten,
    );
  }

  add<S extends OpenStep>(step: S): S {
    this.#steps.push(step);
    if (this.#steps.length > this.#maxSteps) {
      // The first says where it comes from.
      this.#steps.splice(1, 1);
      this.#forgotten += 1;
    }
    return step;
  }

  /** The message or a copy of it is on its way. A copy by the group that has it in hand says that this group failed. */
  sent(topic: string, message: Message, at: number): OpenStep {
    const step: OpenStep = placeOf(topic, message, at);
    const isCopy = step.kind === 'retry' || step.kind === 'dead-letter';
    const passage = isCopy
      ? this.#passages.find(({ group, told }) => group === step.group && told !== 'moved')
      : undefined;
    if (passage !== undefined) {
      const { errorCode, error } = step;
      // Middleware failed, not the handler. What only waits for others has no error.
      if (passage.told !== 'failed' && (errorCode ?? error) !== undefined)
        this.#told('failed', passage, {
          ...(errorCode !== undefined && { errorCode }),
          ...(error !== undefined && { error }),
        });
      passage.told = 'moved';
    }
    return this.add(step);
  }

  /** Into the middleware of a group. */
  enter(group: string, delivery: Delivery): Passage {
    const passage: Passage = { group, delivery, began: Date.now(), told: undefined };
    this.#passages = this.#passages === none ? [passage] : [...this.#passages, passage];
    return passage;
  }

  leave(passage: Passage, failure: Failure): void {
    this.#passages = this.#passages.length === 1 ? none : this.#passages.filter((one) => one !== passage);
    const { told } = passage;
    if (told === 'moved') return;
    if (failure === undefined && told === 'failed') this.#told('taken', passage, undefined);
    // Of middleware, before or after the handler.
    if (failure !== undefined && told !== 'failed') this.#told('failed', passage, errorOf(failure.error));
  }

  /** By the handler. */
  tried(one: Try, failure: Failure): void {
    const kind = failure === undefined ? 'handled' : 'failed';
    const { delivery, group } = one;
    const passage = this.#passages.find(
      ({ group: its, delivery: { topic, position } }) =>
        its === group && topic === delivery.topic && position === delivery.position,
    );
    // Middleware may have counted the tries before the copy into what it handed on.
    const attempt = attemptOf(passage === undefined ? delivery : passage.delivery);
    this.#told(kind, one, failure && errorOf(failure.error), attempt);
    if (passage !== undefined && passage.told !== 'moved') passage.told = kind;
  }

  #told(
    kind: 'handled' | 'failed' | 'taken',
    { group, delivery, began }: Try,
    error: Pick<TrailStep, 'error' | 'errorCode'> | undefined,
    attempt = attemptOf(delivery),
  ): void {
    const at = Date.now();
    const step = { kind, at, topic: delivery.topic, group, attempt, durationMs: at - began };
    this.add(error === undefined ? step : { ...step, ...error });
  }
}

/** Characters. */
const longestError = 500;

export function errorOf(error: unknown): Pick<TrailStep, 'error' | 'errorCode'> {
  const code = isBentoError(error) ? error.code : error instanceof Error ? error.name : typeof error;
  return { errorCode: code, error: headerText(thrownText(error), longestError) };
}
