import type { Cursor } from '../transport/cursor.ts';
import type { Group } from '../transport/group.ts';
import type { Inside } from '../transport/inside.ts';
import type { Entry, Topic } from '../transport/topic.ts';
import { conflict, unknownGroup, unknownTopic } from './checks.ts';

/** What the parts of an admin share. */
export interface AdminContext {
  readonly inside: Inside;
  /** Runs a call as long as admin and transport are open. */
  readonly call: <T>(what: string, work: () => T | Promise<T>) => Promise<T>;
}

/** A group's place in a topic. */
export interface Place {
  readonly group: Group;
  readonly cursor: Cursor;
}

/** As `Delivery.position`. */
export const positionOf = ({ position, offset }: Entry): string => position ?? String(offset);

export function topicAt({ inside }: AdminContext, what: string, topic: string): Topic {
  const found = inside.topics.get(topic);
  if (found === undefined) throw unknownTopic(what, topic);
  return found;
}

/** `UNKNOWN_TOPIC`, or `UNKNOWN_GROUP` where the group has nothing to do with the topic. */
export function placeAt(context: AdminContext, what: string, topic: string, name: string): Place {
  topicAt(context, what, topic);
  const group = context.inside.groups.get(name);
  const cursor = group?.find(topic);
  if (group === undefined || cursor === undefined) throw unknownGroup(what, name, topic);
  return { group, cursor };
}

/** `GROUP_CONFLICT` where somebody reads it, is about to, or moves it. */
export function checkIdle(what: string, { group, cursor }: Place): void {
  if (cursor.busy > 0 || group.membersOn(cursor.topic.name).length > 0) throw conflict(what, group.name);
}
