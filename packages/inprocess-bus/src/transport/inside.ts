import type { Group } from './group.ts';
import type { Log } from './log.ts';
import type { Topic } from './topic.ts';

/** What the administration sees of a transport. */
export interface Inside {
  readonly topics: Map<string, Topic>;
  readonly groups: ReadonlyMap<string, Group>;
  readonly logs: ReadonlyMap<string, Log>;
  /** Found, or made. */
  topicOf(topic: string): Topic;
  groupOf(group: string): Group;
  isClosed(): boolean;
}

/** A property of the transport, so that what wraps it in a Proxy passes it on. */
export const inside: unique symbol = Symbol('inprocess-bus: inside');

/** Undefined where it is no transport of this package. */
export const insideOf = (transport: object): Inside | undefined =>
  (transport as { readonly [inside]?: Inside })[inside];
