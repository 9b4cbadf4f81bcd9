import { randomUUID } from 'node:crypto';
import type { CheckpointStore, EventStore, Position } from '@bento-bus/core';
import { closeOnce } from '@bento-bus/core/adapter';
import type { Projection } from './projection.ts';

/** Up to where the rows of a projection are known to be at their streams' versions. */
export interface Verified {
  readonly position: Position;
  /** Of the rows: a rebuild begins a new one. Undefined: the rows are being cleared, and nothing can be said of them. */
  readonly generation: string | undefined;
}

const clearing = 'clearing';
const firstGeneration = 'first';

/**
 * Remembers what was verified. Rows never go back, so it holds for ever, but for a rebuild; therefore the position is stored under the
 * rows' generation: who verified rows of before a rebuild, in whatever process, writes where nobody reads.
 */
export class VerifiedProgress {
  readonly #checkpoints: CheckpointStore;
  readonly #name: string;

  constructor(checkpoints: CheckpointStore, store: EventStore, { model, name }: Projection) {
    this.#checkpoints = checkpoints;
    this.#name = `projection/${store.identity}/${name}/${model.name}/v${model.version}`;
  }

  async read(): Promise<Verified> {
    const generation = (await this.#checkpoints.read(this.#name)) ?? firstGeneration;
    if (generation === clearing) return { position: '', generation: undefined };
    return { position: (await this.#checkpoints.read(this.#positionName(generation))) ?? '', generation };
  }

  async advance({ generation, position }: Verified): Promise<void> {
    if (generation !== undefined) await this.#checkpoints.write(this.#positionName(generation), position);
  }

  /** Before rows are cleared. A crash between here and {@link endClearing} shows: `read` gives no generation. */
  async beginClearing(): Promise<void> {
    await this.#checkpoints.write(this.#name, clearing);
  }

  async endClearing(): Promise<void> {
    await this.#checkpoints.write(this.#name, randomUUID());
  }

  #positionName(generation: string): string {
    return `${this.#name}/${generation}`;
  }
}

/** Checkpoints that end with the process. */
export function createInMemoryCheckpoints(): CheckpointStore {
  const values = new Map<string, string>();
  return {
    read: async (name) => values.get(name),
    write: async (name, value) => {
      values.set(name, value);
    },
    ...closeOnce(() => values.clear()),
  };
}
