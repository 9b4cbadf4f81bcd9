import { type Codec, configurationError, headerNames, type Message } from '@bento-bus/core';

/** Something that happened to a message. */
export interface HarnessRecord {
  readonly topic: string;
  readonly type: string;
  readonly id: string;
  readonly key?: string;
  readonly message: Message;
  /** When, by the transport's clock: epoch milliseconds. */
  readonly at: number;
  /** Whose: of deliveries, retries and dead letters. */
  readonly group?: string;
  /** Starts of the handler so far, as the handler was told; of copies: as their headers say. */
  readonly attempt?: number;
  /** What was thrown; of copies: its text, as their headers say. */
  readonly error?: unknown;
}

/** Records in the order in which things happened: an array, and ways to look at it. It does not change any more. */
export interface RecordList extends ReadonlyArray<HarnessRecord> {
  readonly ids: readonly string[];
  /** Those of one event type, given by name or definition. */
  ofType(type: string | { readonly type: string }): RecordList;
  /** The bodies, read with the harness's codec; null for tombstones. Rejects with `CONFIGURATION` where it was given none. */
  bodies(): Promise<unknown[]>;
}

/** A list of its own, so that what is recorded later does not show in it. */
export function recordList(records: readonly HarnessRecord[], codec: Codec | undefined): RecordList {
  const list = [...records];
  const methods: Omit<RecordList, keyof ReadonlyArray<HarnessRecord>> = {
    get ids() {
      return list.map(({ id }) => id);
    },
    ofType(type) {
      const name = typeof type === 'string' ? type : type.type;
      return recordList(
        list.filter((record) => record.type === name),
        codec,
      );
    },
    bodies: () => Promise.all(list.map(async (record) => bodyOf(record, codec))),
  };
  // Not enumerable: to an assertion it is an array like any other.
  for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(methods)))
    Object.defineProperty(list, name, { ...descriptor, enumerable: false });
  return list as unknown as RecordList;
}

function bodyOf({ topic, type, message: { body, headers } }: HarnessRecord, codec: Codec | undefined): unknown {
  if (codec === undefined)
    throw configurationError(`conformance: cannot read the body of "${type}"`, ['the harness was given no codec']);
  if (body === null) return null;
  const version = Number(headers[headerNames.eventVersion] ?? 1);
  return codec.decode(body, { topic, type, version, headers });
}
