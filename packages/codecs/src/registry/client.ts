import type { CodecContext } from '@bento-bus/core';
import type { SchemaRegistry, SchemaText } from './port.ts';

/** Whether a schema may follow those that a registry has; if not, what the registry says. */
export type Compatibility = { readonly compatible: true } | { readonly compatible: false; readonly reason: string };

/** A registry that can also be asked beforehand, in a build for example. */
export interface SchemaRegistryClient extends SchemaRegistry {
  /** Registers nothing. Rejects as `mark` does when the registry is down. `message`: index path of the protobuf message. */
  compatible(schema: SchemaText, context: CodecContext, message?: readonly number[]): Promise<Compatibility>;
}
