import type { GroupMember } from '@bento-bus/core';
import type { InternalBroker } from '../kafkajs/internals.ts';
import type { KnownGroup, TopicPlace } from './connection.ts';
import { type AdminContext, placeOf } from './context.ts';
import { type GroupProgress, progressOf } from './progress.ts';

/** A group on a topic. */
export interface Found {
  readonly place: TopicPlace;
  readonly coordinator: InternalBroker;
  readonly progress: readonly GroupProgress[];
  readonly members: readonly GroupMember[];
}

/** The group on the topic, whether it has anything to do with it or not; `UNKNOWN_TOPIC` where there is no such topic. */
export async function findGroup(context: AdminContext, what: string, topic: string, group: string): Promise<Found> {
  const { connection, prefix } = context;
  const place = await placeOf(context, what, topic);
  const coordinator = await connection.coordinator(prefix + group);
  const [progress, known] = await Promise.all([
    progressOn(coordinator, prefix + group, place),
    connection.known(coordinator, [prefix + group]),
  ]);
  return { place, coordinator, progress, members: known.flatMap((one) => membersOn(one, place.topic)) };
}

/** It has progress or members there. */
export const exists = ({ progress, members }: Found): boolean =>
  members.length > 0 || progress.some(({ offset }) => offset >= 0);

/** By partition, ascending. */
export async function progressOn(
  coordinator: InternalBroker,
  groupId: string,
  { topic, leaders }: TopicPlace,
): Promise<readonly GroupProgress[]> {
  const partitions = [...leaders.keys()].map((partition) => ({ partition }));
  const { responses } = await coordinator.offsetFetch({ groupId, topics: [{ topic, partitions }] });
  return responses
    .flatMap((response) => response.partitions)
    .map(({ partition, offset, metadata }) => progressOf(partition, Number(offset), metadata ?? ''))
    .toSorted((a, b) => a.partition - b.partition);
}

/** Its members that read the topic. */
export const membersOn = ({ members }: KnownGroup, topic: string): readonly GroupMember[] =>
  members
    .filter(({ topics, assignment }) => topics.includes(topic) || assignment[topic] !== undefined)
    .map(({ id, address, assignment }) => ({
      id,
      address,
      partitions: (assignment[topic] ?? []).toSorted((a, b) => a - b),
    }));
