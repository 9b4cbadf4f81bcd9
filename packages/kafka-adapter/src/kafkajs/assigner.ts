import { type Assigner, AssignerProtocol, type GroupMember } from 'kafkajs';
import type { TopicPartition } from '../driver.ts';

/** What a member tells the leader: its topics with their partitions, and what it had before. */
interface Claim {
  readonly member: string;
  readonly generation: number;
  readonly topics: Readonly<Record<string, readonly number[]>>;
  readonly owned: readonly TopicPartition[];
}

/** What a member had, and when. */
export interface Owned {
  readonly generation: number;
  readonly partitions: readonly TopicPartition[];
}

const name = 'bento-sticky';

/**
 * Spreads partitions evenly and leaves them where they are as far as that allows. Each member says itself what its topics have, so that
 * members of one group may read different topics. The same claims give the same assignment.
 */
export function createAssigner(partitionsOf: (topic: string) => readonly number[], owned: () => Owned): Assigner {
  return {
    name,
    version: 1,
    protocol({ topics }) {
      const { generation, partitions } = owned();
      const claim: Omit<Claim, 'member'> = {
        generation,
        topics: Object.fromEntries(topics.map((topic) => [topic, partitionsOf(topic)])),
        owned: partitions,
      };
      const userData = Buffer.from(JSON.stringify(claim));
      return { name, metadata: AssignerProtocol.MemberMetadata.encode({ version: 1, topics, userData }) };
    },
    assign: async ({ members }) =>
      [...assign(members.map(claimOf))].map(([memberId, partitions]) => {
        const assignment: Record<string, number[]> = {};
        for (const { topic, partition } of partitions) (assignment[topic] ??= []).push(partition);
        const encoded = { version: 1, assignment, userData: Buffer.alloc(0) };
        return { memberId, memberAssignment: AssignerProtocol.MemberAssignment.encode(encoded) };
      }),
  };
}

/** Who gets what. */
export function assign(given: readonly Claim[]): ReadonlyMap<string, readonly TopicPartition[]> {
  const claims = given.toSorted((a, b) => (a.member < b.member ? -1 : 1));
  const result = new Map(claims.map(({ member }) => [member, [] as TopicPartition[]]));
  const load = (member: string): number => (result.get(member) as TopicPartition[]).length;
  const readers = (topic: string): readonly Claim[] => claims.filter(({ topics }) => topic in topics);

  const owner = new Map<string, Claim>();
  for (const claim of claims)
    for (const { topic, partition } of claim.owned) {
      const at = `${topic} ${partition}`;
      if (topic in claim.topics && claim.generation > (owner.get(at)?.generation ?? -1)) owner.set(at, claim);
    }

  const free: TopicPartition[] = [];
  for (const topic of [...new Set(claims.flatMap(({ topics }) => Object.keys(topics)))].toSorted()) {
    const known = new Set(readers(topic).flatMap(({ topics }) => topics[topic] as readonly number[]));
    for (const partition of [...known].toSorted((a, b) => a - b)) {
      const before = owner.get(`${topic} ${partition}`);
      if (before === undefined) free.push({ topic, partition });
      else (result.get(before.member) as TopicPartition[]).push({ topic, partition });
    }
  }
  const least = (topic: string): string =>
    readers(topic).reduce(
      (best, { member }) => (load(member) < load(best) ? member : best),
      readers(topic)[0]?.member as string,
    );
  for (const one of free) (result.get(least(one.topic)) as TopicPartition[]).push(one);

  // Each move makes the loads more even, so this ends.
  for (let moved = true; moved; ) {
    moved = false;
    for (const { member } of claims.toSorted((a, b) => load(b.member) - load(a.member))) {
      const mine = result.get(member) as TopicPartition[];
      const index = mine.findLastIndex(({ topic }) => load(least(topic)) + 1 < mine.length);
      if (index < 0) continue;
      const [one] = mine.splice(index, 1) as [TopicPartition];
      (result.get(least(one.topic)) as TopicPartition[]).push(one);
      moved = true;
      break;
    }
  }
  return result;
}

function claimOf({ memberId, memberMetadata }: GroupMember): Claim {
  const { topics = [], userData } = AssignerProtocol.MemberMetadata.decode(memberMetadata) ?? {};
  try {
    return { ...(JSON.parse(String(userData)) as Omit<Claim, 'member'>), member: memberId };
  } catch {
    // A later version of this package, or another one under our name.
    return {
      member: memberId,
      generation: -1,
      topics: Object.fromEntries(topics.map((topic) => [topic, []])),
      owned: [],
    };
  }
}
