import { Buffer } from 'node:buffer';
import { type Codec, CodecError } from '../src/index.ts';

/** JSON for the tests; @bento-bus/codecs has the one that is safe with hostile input. */
export const json: Codec = {
  contentType: 'application/json',
  encode: (value) => ({ body: Buffer.from(JSON.stringify(value)) }),
  decode: (body) => {
    try {
      return JSON.parse(Buffer.from(body).toString());
    } catch (cause) {
      throw new CodecError('application/json', 'test: cannot decode the body', { cause });
    }
  },
};
