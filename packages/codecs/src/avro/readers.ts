import { type Fault, shorten } from '../fault.ts';
import { BoundedMap } from '../registry/cache.ts';
import type { WriterSchema } from '../registry/port.ts';
import type { Inner, Resolver } from './avsc.ts';
import { type LocalSchema, typeOfText } from './options.ts';
import type { TypeOptions } from './types.ts';

/** Something that reads a body, or why nothing does. */
type Reader = Pick<Inner, '_read'> | Fault;

/** Writers' schemas kept. Each is code that was made for it, so the oldest go. */
const most = 1_000;

/** Readers of bodies by the schemas that they were written with, each made once. */
export class Readers {
  readonly #types: TypeOptions;
  readonly #asWritten = new BoundedMap<string, Inner | Fault>(most);
  readonly #resolved = new WeakMap<LocalSchema, BoundedMap<string, Reader>>();

  constructor(types: TypeOptions) {
    this.#types = types;
  }

  /** `local`: what to read it as; as it was written without. */
  of(writer: WriterSchema, local: LocalSchema | undefined): Reader {
    if (local === undefined) return this.#typeOf(writer);
    if (writer.schema.text === local.text.text) return local.type;
    let readers = this.#resolved.get(local);
    if (readers === undefined) {
      readers = new BoundedMap(most);
      this.#resolved.set(local, readers);
    }
    let reader = readers.get(writer.id);
    if (reader === undefined) {
      const type = this.#typeOf(writer);
      reader = 'problem' in type ? type : resolve(writer, type, local.type);
      readers.set(writer.id, reader);
    }
    return reader;
  }

  #typeOf({ id, schema }: WriterSchema): Inner | Fault {
    let type = this.#asWritten.get(id);
    if (type === undefined) {
      type = made(
        () => typeOfText(schema.text, this.#types),
        (why) => ({
          problem: `the schema ${id} of its writer is no Avro schema (${why})`,
          advice: 'Correct it in the registry.',
        }),
      );
      this.#asWritten.set(id, type);
    }
    return type;
  }
}

const resolve = ({ id }: WriterSchema, writer: Inner, local: Inner): Reader =>
  made<Pick<Inner, '_read'>>(
    () =>
      local.equals(writer)
        ? local
        : // Of a resolver that avsc gives away, its reader is never null.
          (local.createResolver(writer, { ignoreNamespaces: true }) as Resolver & Pick<Inner, '_read'>),
    (why) => ({
      problem: `what the schema ${id} of its writer has cannot be read as the schema of its version (${why})`,
      advice: 'Give the schema of its version a default for each field that it adds.',
    }),
  );

function made<T>(make: () => T, faultOf: (why: string) => Fault): T | Fault {
  try {
    return make();
  } catch (error) {
    return faultOf(shorten(error instanceof Error ? error.message : String(error)));
  }
}
