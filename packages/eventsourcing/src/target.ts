import type { CheckpointStore, EventStore, ReadModelStore } from '@bento-bus/core';
import { Applier } from './applier.ts';
import type { FailureLog } from './failed-events.ts';
import type { EventFailure } from './fold.ts';
import { Gate } from './gate.ts';
import type { PlacedEvent } from './placed-event.ts';
import { modelsOf, type Projection } from './projection.ts';
import { VerifiedProgress } from './verified-progress.ts';

/** What all targets of a projector share. */
export interface TargetContext {
  readonly store: EventStore;
  readonly readModels: ReadModelStore;
  readonly checkpoints: CheckpointStore;
  readonly failures: FailureLog;
}

/** A projection at work: its rows, their progress, and the rule that nobody applies while they are cleared. */
export class Target {
  readonly projection: Projection;
  readonly verified: VerifiedProgress;
  readonly #context: TargetContext;
  readonly #applier: Applier;
  readonly #gate = new Gate();

  constructor(projection: Projection, context: TargetContext) {
    const { checkpoints, readModels, store } = context;
    this.projection = projection;
    this.verified = new VerifiedProgress(checkpoints, store, projection);
    this.#context = context;
    this.#applier = new Applier(projection, store, readModels);
  }

  /** Failures, at most one a stream; all the rest survives a crash. */
  apply(events: readonly PlacedEvent[]): Promise<readonly EventFailure[]> {
    return this.#gate.together(() => this.#applier.apply(events));
  }

  /**
   * Empties the models. Rows go before facts: after a crash in between, rows are made again and their facts with them, while a row
   * without its facts would never be looked at again.
   */
  clear(): Promise<void> {
    const { failures, readModels } = this.#context;
    return this.#gate.alone(async () => {
      await this.verified.beginClearing();
      for (const model of modelsOf(this.projection)) await readModels.clear(model);
      await failures.supersede(this.projection);
      await this.verified.endClearing();
    });
  }
}
