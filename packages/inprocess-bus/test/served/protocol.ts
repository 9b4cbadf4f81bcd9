import type { BatchHandler, CheckpointedItem, CheckpointedOptions, Delivery, Message, Position } from '@bento-bus/core';
import type { ResolvedSubscribeOptions } from '@bento-bus/core/adapter';

/** What a client asks for. */
export type Request =
  | { readonly publish: string; readonly messages: readonly Message[] }
  | { readonly open: string; readonly options: Omit<CheckpointedOptions, 'signal'> }
  | {
      readonly subscribe: readonly string[];
      readonly options: Omit<ResolvedSubscribeOptions, 'use'>;
      readonly handler: BatchHandler;
      readonly exhausted: ((delivery: Delivery, reason: unknown) => Promise<void>) | undefined;
    };

/** What a client gets to close, and to publish a log with. */
export interface Handle {
  readonly close: () => Promise<void>;
  readonly resumeAfter?: Position;
  readonly publish?: (items: readonly CheckpointedItem[], through: Position) => Promise<void>;
}
