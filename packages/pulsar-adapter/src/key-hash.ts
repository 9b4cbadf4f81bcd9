/**
 * The partition of a key as Pulsar's Java and Go clients choose it by default, and its WebSocket service: `JavaStringHash`, that is
 * `String.hashCode() & Integer.MAX_VALUE` modulo the number of partitions. (The C++ client and those made of it default to `BoostHash`:
 * give them `hashingScheme: 'JavaStringHash'` where they publish to the same topic.)
 * Source: pulsar-client, `JavaStringHash.java` and `SinglePartitionMessageRouterImpl.java`.
 */
export function partitionOf(key: string, partitions: number): number {
  let hash = 0;
  for (let i = 0; i < key.length; i += 1) hash = (Math.imul(hash, 31) + key.charCodeAt(i)) | 0;
  return (hash & 0x7fffffff) % partitions;
}
