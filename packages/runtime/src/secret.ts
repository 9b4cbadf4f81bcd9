import { inspect } from 'node:util';

/** A value that does not print: not by `String`, `JSON.stringify`, template or `console.log`. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself, for the client that needs it. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }
}

// Not a method: isolatedDeclarations takes no computed names in a class.
Object.defineProperty(Secret.prototype, inspect.custom, { value: () => '[secret]' });
