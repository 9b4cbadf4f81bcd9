import { Secret } from './secret.ts';

/** Where one setting comes from and how it is read. Made by the functions of {@link field}. */
export interface Field<T> {
  /** Environment variable; also its name in `.env` and in every error. */
  readonly env: string;
  /** Place in the configuration file, with dots: `messaging.backend`. */
  readonly path?: string;
  /** What stands in the documentation and in `--help`. */
  readonly about: string;
  /** Used where nothing is set, see {@link withDefault}; without it the value is undefined. */
  readonly default?: T;
  readonly secret?: boolean;
  /** What is wanted, for the error: "a whole number from 1 to 65535". */
  readonly wanted: string;
  /** The value, or a {@link Refusal}. */
  readonly parse: (raw: unknown) => T | Refusal;
}

/** Why a value is refused, beside "wanted". */
export class Refusal {
  readonly reason: string | undefined;

  constructor(reason?: string) {
    this.reason = reason;
  }
}

/** What every kind of field takes. */
export interface FieldOptions<T> {
  readonly env: string;
  readonly path?: string;
  readonly about: string;
  /** A further rule: what is wrong with the value, or undefined. */
  readonly check?: (value: T) => string | undefined;
}

const make = <T>(
  options: FieldOptions<T>,
  wanted: string,
  read: (text: string) => T | Refusal,
  secret = false,
): Field<T> => {
  const { check, ...rest } = options;
  return {
    ...rest,
    secret,
    wanted,
    parse: (raw) => {
      if (typeof raw !== 'string' && typeof raw !== 'number' && typeof raw !== 'boolean') return new Refusal();
      // Spaces around a password belong to it.
      const value = read(secret ? String(raw) : String(raw).trim());
      if (value instanceof Refusal) return value;
      const fault = check?.(value);
      return fault === undefined ? value : new Refusal(fault);
    },
  };
};

/** The same field with a value for where nothing is set, so that its type has no undefined. */
export const withDefault = <T>(wanted: Field<T>, value: NoInfer<T>): Field<T> & { readonly default: T } => ({
  ...wanted,
  default: value,
});

const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** The kinds of settings. An empty value counts as not set. */
export const field: {
  string(options: FieldOptions<string>): Field<string>;
  /** A whole number within bounds. */
  integer(options: FieldOptions<number> & { readonly min?: number; readonly max?: number }): Field<number>;
  /** true, 1, yes, on / false, 0, no, off. */
  boolean(options: FieldOptions<boolean>): Field<boolean>;
  oneOf<const V extends string>(values: readonly V[], options: FieldOptions<V>): Field<V>;
  url(protocols: readonly string[], options: FieldOptions<string>): Field<string>;
  /** `a,b,c` in the environment, an array of strings in the file. */
  list(options: FieldOptions<readonly string[]>): Field<readonly string[]>;
  /** `200ms`, `5s`, `10m`, `1h`, `1d`, or a number of milliseconds. The value is whole milliseconds. */
  duration(options: FieldOptions<number>): Field<number>;
  /** Never printed, see {@link Secret}. */
  secret(options: FieldOptions<Secret>): Field<Secret>;
} = {
  string: (options) => make(options, 'a text', (text) => text),
  integer: ({ min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER, ...options }) =>
    make(options, `a whole number from ${min} to ${max}`, (text) => {
      const value = Number(text);
      return /^[+-]?\d+$/.test(text) && value >= min && value <= max ? value : new Refusal();
    }),
  boolean: (options) =>
    make(options, 'true or false', (text) => {
      if (/^(?:true|1|yes|on)$/i.test(text)) return true;
      return /^(?:false|0|no|off)$/i.test(text) ? false : new Refusal();
    }),
  oneOf: (values, options) =>
    make(options, `one of ${values.join(', ')}`, (text) => values.find((value) => value === text) ?? new Refusal()),
  url: (protocols, options) =>
    make(options, `a URL that begins with ${protocols.map((name) => `${name}://`).join(' or ')}`, (text) =>
      URL.canParse(text) && protocols.includes(new URL(text).protocol.slice(0, -1)) ? text : new Refusal(),
    ),
  list: (options) => {
    const base = make<readonly string[]>(options, 'a list, separated by commas', (text) => {
      const words = text.split(',').map((word) => word.trim());
      return words.includes('') ? new Refusal() : words;
    });
    // A JSON array of the file; its rules are those of the text.
    return { ...base, parse: (raw) => base.parse(Array.isArray(raw) ? raw.join(',') : raw) };
  },
  duration: (options) =>
    make(options, 'a time like 200ms, 5s, 10m, 1h or a number of milliseconds', (text) => {
      const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text);
      const value = Math.round(Number(match?.[1]) * (units[match?.[2] ?? 'ms'] ?? 1));
      return Number.isSafeInteger(value) ? value : new Refusal();
    }),
  secret: (options) => make(options, 'a text', (text) => new Secret(text), true),
};
