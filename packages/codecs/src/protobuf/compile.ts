import { Buffer } from 'node:buffer';
import type { Type } from 'protobufjs';
import type { Scope } from './code.ts';
import { planOf } from './fields.ts';
import type { Longs, WireReader } from './reader.ts';
import { readerCode } from './reader-code.ts';
import type { WireWriter } from './writer.ts';
import { writerCode } from './writer-code.ts';

/** A message type as code. `depth`: messages that may still stand inside one another, this one included. */
export interface Compiled {
  /** `into`: a message that the fields are added to, as the wire format wants it of one that comes in pieces. */
  read(reader: WireReader, depth: number, into?: object): Record<string, unknown>;
  write(writer: WireWriter, value: unknown, depth: number): void;
}

/** Message types, compiled each once, with those that they hold. Throws for what is not supported. */
export class Compiler {
  readonly #longs: Longs;
  readonly #compiled = new Map<Type, Compiled>();

  constructor(longs: Longs) {
    this.#longs = longs;
  }

  of(type: Type): Compiled {
    const before = this.#compiled.get(type);
    if (before !== undefined) return before;
    // Known before it is made: messages hold themselves.
    const made = {} as { -readonly [K in keyof Compiled]: Compiled[K] };
    this.#compiled.set(type, made);
    const plan = planOf(type, this.#longs);
    made.read = this.#function('r, depth, m', (scope) => readerCode(plan, scope)) as Compiled['read'];
    made.write = this.#function('w, m, depth', (scope) => writerCode(type.name, plan, scope)) as Compiled['write'];
    return made;
  }

  /**
   * A function from text, as protobufjs and avsc make theirs: a loop over the plan takes several times as long. Names reach the text only
   * as JSON.
   */
  #function(parameters: string, codeIn: (scope: Scope) => string): unknown {
    const values: unknown[] = [Buffer];
    const add = (value: unknown): string => `x${values.push(value) - 1}`;
    const code = codeIn({ message: (type) => add(this.of(type)), symbols: add });
    const names = ['Buffer', ...values.slice(1).map((_, index) => `x${index + 1}`)];
    // oxlint-disable-next-line typescript/no-implied-eval, no-new-func -- the reason is above
    return new Function(...names, `"use strict"; return function (${parameters}) {\n${code}\n};`)(...values);
  }
}
