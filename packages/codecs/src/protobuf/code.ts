import type { Type } from 'protobufjs';
import type { FieldPlan, Symbols } from './fields.ts';

/** What the code of a message names besides itself: other messages, and enums. Gives the names that they have in it. */
export interface Scope {
  message(type: Type): string;
  symbols(symbols: Symbols): string;
}

/** A property in code, to be set. */
export const property = (object: string, name: string): string => `${object}[${JSON.stringify(name)}]`;

/** What a message has in a field. What every object has is no field of this one. */
export const fieldOf = (message: string, name: string): string =>
  name in {}
    ? `(Object.hasOwn(${message}, ${JSON.stringify(name)}) ? ${property(message, name)} : undefined)`
    : property(message, name);

export const tagOf = ({ id }: FieldPlan, wire: number): number => ((id << 3) | wire) >>> 0;
