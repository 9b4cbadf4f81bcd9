import { types } from 'node:util';
import type { CodecContext, CodecError } from '@bento-bus/core';
import { codecError, type Fault, loneSurrogate, tooDeep, tooLarge, unsafeKey } from './fault.ts';
import type { JsonCodecOptions } from './options.ts';

const wholeString: RegExp = /^\P{Cs}*$/u;
const identifier: RegExp = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;
const child = (path: string, key: string): string =>
  identifier.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;

/**
 * JSON text of a value by the codec's rule, or a `CodecError` that knows the path. Slower than `JSON.stringify`, and only for
 * values that `isPlainJson` does not vouch for; for plain data both write the same text.
 */
export function writeExactly(value: unknown, limits: Required<JsonCodecOptions>, context: CodecContext): string {
  const writer = new Writer(limits, context);
  const text = writer.write(value, '$', '');
  if (text === undefined)
    throw writer.refuse({ at: '$', problem: 'undefined is no message', advice: 'Pass null or an object.' });
  return text;
}

class Writer {
  private readonly limits: Required<JsonCodecOptions>;
  private readonly open: { readonly value: object; readonly path: string }[] = [];
  private readonly context: CodecContext;
  private length = 0;

  constructor(limits: Required<JsonCodecOptions>, context: CodecContext) {
    this.limits = limits;
    this.context = context;
  }

  refuse(fault: Fault): CodecError {
    return codecError('encode', this.context, fault);
  }

  /** Undefined only for undefined. */
  write(value: unknown, path: string, key: string): string | undefined {
    if (value === undefined) return undefined;
    if (value === null || typeof value === 'boolean') return this.leaf(String(value));
    if (typeof value === 'string') return this.leaf(this.string(value, path));
    if (typeof value === 'bigint') return this.leaf(`"${value}"`);
    if (typeof value === 'object') return this.object(value, path, key);
    if (typeof value === 'number' && Number.isFinite(value))
      return this.leaf(Object.is(value, -0) ? '-0' : String(value));
    throw this.refuse({
      at: path,
      problem: `JSON has no ${typeof value === 'number' ? String(value) : typeof value}`,
      advice: 'Pass plain data; null where there is no value.',
    });
  }

  private object(value: object, path: string, key: string): string | undefined {
    const earlier = this.open.find((entry) => entry.value === value);
    if (earlier !== undefined)
      throw this.refuse({
        at: path,
        problem: `a cycle: this is ${earlier.path} again`,
        advice: 'Send an id instead of the object.',
      });
    if (this.open.length === this.limits.maxDepth) throw this.refuse(tooDeep(this.limits.maxDepth, path));
    this.open.push({ value, path });
    const text = this.contents(value, path, key);
    this.open.pop();
    return text;
  }

  private contents(value: object, path: string, key: string): string | undefined {
    if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value))
      throw this.refuse({ at: path, problem: 'JSON has no bytes', advice: "Pass them as toString('base64')." });
    if (types.isDate(value) && Number.isNaN(value.getTime()))
      throw this.refuse({ at: path, problem: 'an invalid Date', advice: 'Pass a valid one, or null.' });
    if ('toJSON' in value && typeof value.toJSON === 'function') {
      const json: unknown = value.toJSON(key);
      if (json !== value) return this.write(json, path, key);
    }
    if (Array.isArray(value)) return this.array(value, path);
    const prototype: unknown = Object.getPrototypeOf(value);
    // The root prototype of any realm: objects from a vm context are plain too.
    if (prototype !== null && Object.getPrototypeOf(prototype) !== null) throw this.refuse(notPlain(value, path));
    return this.record(value as Readonly<Record<string, unknown>>, path);
  }

  private array(items: readonly unknown[], path: string): string {
    const parts: string[] = [];
    for (let i = 0; i < items.length; i += 1) {
      const at = `${path}[${i}]`;
      const text = this.write(items[i], at, String(i));
      if (text === undefined)
        throw this.refuse({ at, problem: 'JSON has no undefined in an array', advice: 'Pass null, or leave it out.' });
      parts.push(text);
    }
    return this.leaf(`[${parts.join(',')}]`, parts.length + 1);
  }

  private record(record: Readonly<Record<string, unknown>>, path: string): string {
    const parts: string[] = [];
    for (const key of Object.keys(record)) {
      const at = child(path, key);
      const item = record[key];
      if (key === '__proto__' || (key === 'constructor' && hasPrototypeKey(item)))
        throw this.refuse(unsafeKey(key, at));
      const text = this.write(item, at, key);
      if (text !== undefined) parts.push(`${this.leaf(this.string(key, at))}:${text}`);
    }
    return this.leaf(`{${parts.join(',')}}`, parts.length * 2 + 1);
  }

  private string(value: string, path: string): string {
    if (!wholeString.test(value)) throw this.refuse(loneSurrogate(path));
    return JSON.stringify(value);
  }

  /** Counts what a piece of text adds, so that shared structure cannot grow without end. */
  private leaf(text: string, added: number = text.length): string {
    this.length += added;
    if (this.length > this.limits.maxBytes) throw this.refuse(tooLarge(this.limits.maxBytes));
    return text;
  }
}

const hasPrototypeKey = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, 'prototype');

function notPlain(value: object, at: string): Fault {
  if (types.isMap(value))
    return { at, problem: 'JSON has no Map', advice: 'Pass Object.fromEntries(map) or [...map].' };
  if (types.isSet(value)) return { at, problem: 'JSON has no Set', advice: 'Pass [...set].' };
  const name = (value as { constructor?: { name?: unknown } }).constructor?.name;
  return {
    at,
    problem: `an instance of ${typeof name === 'string' && name !== '' ? name : 'a class'}, which would come back as another thing`,
    advice: 'Pass a plain object such as { ...it }, or give the class a toJSON method.',
  };
}
