import type { MessagingAdmin, Transport } from '@bento-bus/core';
import type { Needs } from '../scenario.ts';
import type { TransportHarness } from '../transport/harness.ts';

/** An administration under test, with the transport of the same options: what one makes and moves, the other one uses. */
export interface AdminHarness extends TransportHarness {
  /** A new client, of the backend of this transport. The kit closes it. */
  readonly createAdmin: (transport: Transport) => Promise<MessagingAdmin>;
  /** How many partitions topics are made with; 1: a topic cannot have more. @default 3 */
  readonly partitions?: number;
  /**
   * A setting of topics by the broker's own name, with two values that differ from its default, as `describeTopic` gives them back.
   * @default none: topics have no settings, and any is refused
   */
  readonly setting?: { readonly name: string; readonly values: readonly [string, string] };
  /** Names that the broker does not take for a topic. @default none beside the empty one */
  readonly refusedNames?: readonly string[];
  /** What becomes of a request to move or delete a group whose members are at work: refused with `GROUP_CONFLICT`, or they are cut off and come back. */
  readonly membersAtWork: 'refused' | 'cut off';
}

/** What a scenario may require of a harness. */
export type AdminNeed = 'refused' | 'cut off' | 'time' | 'partitions' | 'settings';

const members =
  (expected: AdminHarness['membersAtWork']) =>
  ({ membersAtWork }: AdminHarness): string | undefined =>
    membersAtWork === expected ? undefined : `members at work are ${membersAtWork}`;

export const adminNeeds: Needs<AdminHarness, AdminNeed> = {
  refused: members('refused'),
  'cut off': members('cut off'),
  partitions: ({ partitions }) => (partitions === 1 ? 'topics have one partition' : undefined),
  settings: ({ setting }) => (setting === undefined ? 'topics have no settings' : undefined),
  time: ({ capabilities }) =>
    capabilities.startPositions.includes('time') ? undefined : "startPositions do not include 'time'",
};
