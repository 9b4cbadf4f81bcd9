/** What a codec may know about the message at hand. */
export interface CodecContext {
  readonly topic: string;
  readonly type: string;
  readonly version: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** An encoded body and the headers that its reader needs. */
export interface Encoded {
  readonly body: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Values to bytes and back. A promise only when a registry must be asked or a large body compressed. Refusals are `CodecError`. */
export interface Codec {
  readonly contentType: string;
  encode(value: unknown, context: CodecContext): Encoded | Promise<Encoded>;
  decode(body: Uint8Array, context: CodecContext): unknown;
}
