import { BentoError } from '@bento-bus/core';

/** The file cannot be imported as a whole; nothing of it was, unless the text says otherwise. */
export class ImportFileError extends BentoError {
  constructor(file: string, cause: string, advice: string, options?: ErrorOptions) {
    super('VALIDATION', `order-app: cannot import "${file}": ${cause}. ${advice}`, false, options);
  }
}
