import { existsSync, readFileSync } from 'node:fs';
import { BentoError } from '@bento-bus/core';
import { parseDotenv } from './dotenv.ts';
import { type Field, Refusal } from './fields.ts';

/** Settings by name. */
export type Fields = Readonly<Record<string, Field<unknown>>>;
/** The values: undefined only where a field has no default. */
export type ConfigOf<F extends Fields> = {
  readonly [K in keyof F]: F[K] extends Field<infer T>
    ? F[K] extends { readonly default: T }
      ? T
      : T | undefined
    : never;
};

/** Where settings are looked for. */
export interface ConfigSources {
  /** @default process.env */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** A `.env` file; it may be missing. */
  readonly envFile?: string;
  /** A JSON file; it may be missing unless `fileRequired`. */
  readonly file?: string;
  /** The user named the file: it must be there. @default false */
  readonly fileRequired?: boolean;
  /** Values by the names of the environment's variables, looked at last: what a launcher found out. @default none */
  readonly found?: Readonly<Record<string, string | undefined>>;
}

/**
 * Reads settings: the environment wins over `.env`, that over the file, that over `found`, that over the default. Empty counts as not set.
 * Throws one `CONFIGURATION` error that lists every fault with the variable's name (and the file's path), what is there and what is
 * wanted; values of secrets are never shown. Unknown keys of the file are faults too: a typo must not pass for a default.
 */
export function loadConfig<const F extends Fields>(fields: F, sources: ConfigSources = {}): ConfigOf<F> {
  const faults: string[] = [];
  const env = sources.env ?? process.env;
  const envFile = readEnvFile(sources.envFile, faults);
  const file = readFile(sources, faults);
  const config: Record<string, unknown> = {};
  for (const [name, wanted] of Object.entries(fields)) {
    config[name] = wanted.default;
    const found = lookUp(wanted, env, envFile, file) ?? launched(wanted, sources.found);
    if (found === undefined) continue;
    const value = wanted.parse(found.raw);
    if (!(value instanceof Refusal)) {
      config[name] = value;
      continue;
    }
    const shown = wanted.secret === true ? '' : ` is ${show(found.raw)}`;
    faults.push(`${wanted.env}${found.where}${shown}: ${value.reason ?? `wanted is ${wanted.wanted}`}`);
  }
  faults.push(...unknownKeys(fields, file.content, sources.file));
  if (faults.length > 0) {
    throw new BentoError(
      'CONFIGURATION',
      `runtime: cannot use the configuration: ${faults.join('; ')}. Correct ${faults.length === 1 ? 'it' : 'them'} and start again.`,
    );
  }
  return config as ConfigOf<F>;
}

/**
 * As it was written, but for what may be credentials: all before the last @ of a text. A password may hold any character, and what is
 * refused need not be a URL.
 */
const show = (raw: unknown): string =>
  JSON.stringify(raw).replaceAll(/"(?:[^"\\]|\\.)*"/g, (text) => text.replace(/^"([a-z\d+.-]*:\/\/)?.*@/i, '"$1***@'));

interface Found {
  readonly raw: unknown;
  readonly where: string;
}

function lookUp(
  wanted: Field<unknown>,
  env: Readonly<Record<string, string | undefined>>,
  envFile: { readonly name: string; readonly content: Readonly<Record<string, string | undefined>> },
  file: { readonly name: string; readonly content: unknown },
): Found | undefined {
  if (isSet(env[wanted.env])) return { raw: env[wanted.env], where: '' };
  if (isSet(envFile.content[wanted.env])) return { raw: envFile.content[wanted.env], where: ` (in ${envFile.name})` };
  if (wanted.path === undefined) return undefined;
  const raw = wanted.path
    .split('.')
    .reduce<unknown>((at, key) => (isObject(at) && Object.hasOwn(at, key) ? at[key] : undefined), file.content);
  return isSet(raw) ? { raw, where: ` (${wanted.path} in ${file.name})` } : undefined;
}

const launched = (wanted: Field<unknown>, found: ConfigSources['found'] = {}): Found | undefined =>
  isSet(found[wanted.env]) ? { raw: found[wanted.env], where: ' (found by the launcher)' } : undefined;

const isSet = (raw: unknown): boolean => raw !== undefined && raw !== null && raw !== '';
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function readEnvFile(
  name: string | undefined,
  faults: string[],
): { name: string; content: Readonly<Record<string, string | undefined>> } {
  if (name === undefined || !existsSync(name)) return { name: '', content: {} };
  try {
    const { values, badLines } = parseDotenv(readFileSync(name, 'utf8'));
    for (const line of badLines)
      faults.push(
        `${name} line ${line} is not understood: wanted is NAME=value, with the value in quotes if it holds a #`,
      );
    return { name, content: values };
  } catch (error) {
    faults.push(`${name} cannot be read (${messageOf(error)})`);
    return { name, content: {} };
  }
}

function readFile({ file, fileRequired = false }: ConfigSources, faults: string[]): { name: string; content: unknown } {
  if (file === undefined) return { name: '', content: {} };
  if (!existsSync(file)) {
    if (fileRequired) faults.push(`${file} does not exist`);
    return { name: file, content: {} };
  }
  try {
    const content: unknown = JSON.parse(readFileSync(file, 'utf8').replace(/^\ufeff/, ''));
    if (isObject(content)) return { name: file, content };
    faults.push(`${file} does not hold a JSON object`);
  } catch (error) {
    faults.push(`${file} cannot be read as JSON (${jsonFault(error)})`);
  }
  return { name: file, content: {} };
}

/** JSON.parse quotes the text around a fault, where a password may stand; only the place is told on. */
const jsonFault = (error: unknown): string =>
  error instanceof SyntaxError
    ? (/at position \d+/.exec(error.message)?.[0] ?? 'its syntax is wrong')
    : messageOf(error);

const messageOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error);

function unknownKeys(fields: Fields, content: unknown, file: string | undefined): string[] {
  const known = Object.values(fields).flatMap(({ path }) => path ?? []);
  return leaves(content)
    .filter((path) => !known.some((wanted) => path === wanted || path.startsWith(`${wanted}.`)))
    .map((path) => {
      const near = known.toSorted((a, b) => distance(path, a) - distance(path, b))[0];
      return `${file} has ${path}, which is not a setting${near !== undefined && distance(path, near) <= 3 ? ` (${near}?)` : ''}`;
    });
}

const leaves = (value: unknown, prefix = ''): string[] =>
  isObject(value)
    ? Object.entries(value).flatMap(([key, inner]) => leaves(inner, prefix === '' ? key : `${prefix}.${key}`))
    : prefix === ''
      ? []
      : [prefix];

/** Levenshtein: edits from one word to the other. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, change));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
