import type { Type } from 'protobufjs';
import type { FieldPlan, Symbols } from './fields.ts';

/** What the code of a message names besides itself: other messages, and enums. Gives the names that they have in it. */
export interface Scope {
  message(type: Type): string;
  symbols(symbols: Symbols): string;
}

/** A property in code. */
export const property = (object: string, name: string): string => `${object}[${JSON.stringify(name)}]`;

export const tagOf = ({ id }: FieldPlan, wire: number): number => ((id << 3) | wire) >>> 0;
