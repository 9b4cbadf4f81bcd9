import specs from '@asyncapi/specs';
import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';

type Faults = readonly string[];

/** Where a document is no AsyncAPI 3.0.0, by the specification's own JSON Schema. */
export function asyncApiFaults(document: unknown): Faults {
  validateDocument ??= withFormats(new Ajv({ strict: false, allErrors: true })).compile(
    specs.schemasWithoutId['3.0.0'] as object,
  );
  void validateDocument(document);
  return textsOf(validateDocument.errors);
}
let validateDocument: ReturnType<Ajv['compile']> | undefined;

/** Where a value is not what a JSON Schema of draft 2020-12 or draft-07 says. */
export function jsonSchemaFaults(schema: unknown, value: unknown): Faults {
  const validate = withFormats(new Ajv2020({ strict: false })).compile(schema as object);
  void validate(value);
  return textsOf(validate.errors);
}

function withFormats<A extends Ajv | Ajv2020>(ajv: A): A {
  // Its types are those of another copy of ajv.
  formats.default(ajv as never);
  return ajv;
}

const textsOf = (errors: Ajv['errors']): Faults =>
  (errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
