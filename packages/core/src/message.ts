/** Closing is idempotent: every call returns the same promise. Works with `await using`. */
export interface Closeable extends AsyncDisposable {
  close(): Promise<void>;
}

/**
 * What travels. `time` is epoch milliseconds. `body` null is a tombstone. `raw` keeps what strings cannot: original bytes of keys
 * and headers of foreign producers. Header names are lower case.
 */
export interface Message {
  readonly id: string;
  readonly type: string;
  readonly source: string;
  readonly time: number;
  readonly key?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | null;
  readonly raw?: { readonly key?: Uint8Array; readonly headers?: readonly (readonly [string, Uint8Array])[] };
}

/** One handing over of a message. `attempt`: starts of the handler for this message in this group, from 1. */
export interface Delivery {
  readonly topic: string;
  readonly message: Message;
  readonly attempt: number;
  /** Where the message stands in its topic, in the backend's own notation; opaque. */
  readonly position: string;
}
