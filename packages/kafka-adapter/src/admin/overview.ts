import type { BrokerMetadata } from 'kafkajs';

/** A cluster as one of its brokers sees it. */
export interface Overview {
  /** Those that are at work, as far as the controller knows. */
  readonly brokers: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[];
  /** Below 0: there is none. */
  readonly controllerId: number;
  readonly topics: readonly {
    readonly topic: string;
    /** The brokers made it for themselves. */
    readonly isInternal: boolean;
    /** `leader` below 0: none. The others are ids of brokers: who should have it, and who has all of it. */
    readonly partitions: readonly {
      readonly leader: number;
      readonly replicas: readonly number[];
      readonly isr: readonly number[];
    }[];
  }[];
}

/** `controllerId` and `isInternal` are left out of kafkajs' types. */
export function overviewOf(answer: BrokerMetadata): Overview {
  const { brokers, topicMetadata } = answer;
  const { controllerId = -1 } = answer as { readonly controllerId?: number };
  const topics = topicMetadata.map((found) => ({
    topic: found.topic,
    isInternal: (found as { readonly isInternal?: boolean }).isInternal === true,
    partitions: found.partitionMetadata.map(({ leader, replicas, isr }) => ({ leader, replicas, isr })),
  }));
  return { brokers, controllerId, topics };
}
