import { inspect } from 'node:util';
import { isBentoError, type LogFields, type Logger } from '@bento-bus/core';

/** Levels, quietest last. */
export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;
/** One of {@link logLevels}. */
export type LogLevel = (typeof logLevels)[number];

/** Options of {@link createConsoleLogger}. */
export interface ConsoleLoggerOptions {
  /** Lines below it are left out. @default 'warn' */
  readonly level?: LogLevel;
  /** `'pretty'` for people, `'json'` (one object a line) for machines. @default 'pretty' on a terminal, else 'json' */
  readonly format?: 'pretty' | 'json';
  /** @default process.stderr, so that standard output holds results only */
  readonly stream?: { readonly isTTY?: boolean; write(text: string): unknown };
}

/** A logger without a dependency. Errors among the fields show code and message, and their stack at level `debug` only. */
export function createConsoleLogger(options: ConsoleLoggerOptions = {}): Logger {
  const { level = 'warn', stream = process.stderr } = options;
  const format = options.format ?? (stream.isTTY === true ? 'pretty' : 'json');
  const least = logLevels.indexOf(level);
  const write =
    (name: LogLevel) =>
    (message: string, fields: LogFields = {}) => {
      if (logLevels.indexOf(name) < least) return;
      const shown = Object.fromEntries(
        Object.entries(fields).map(([key, value]) => [key, showable(value, least === 0)]),
      );
      const time = new Date().toISOString();
      if (format === 'json') stream.write(`${toJson({ time, level: name, message, ...shown })}\n`);
      else stream.write(`${onOneLine(`${time} ${name.toUpperCase().padEnd(5)} ${message}${pretty(shown)}`)}\n`);
    };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

function showable(value: unknown, withStack: boolean): unknown {
  if (typeof value !== 'object' || value === null || !('message' in value && 'stack' in value)) return value;
  return {
    ...(isBentoError(value) && { code: value.code, retryable: value.retryable }),
    message: String(value.message),
    ...('cause' in value && value.cause !== undefined && { cause: showable(value.cause, withStack) }),
    ...('errors' in value &&
      Array.isArray(value.errors) && { errors: value.errors.map((error) => showable(error, withStack)) }),
    ...(withStack && { stack: value.stack }),
  };
}

/** A log line must not fail: what JSON cannot say is shown as text. */
function toJson(line: Readonly<Record<string, unknown>>): string {
  try {
    return JSON.stringify(line, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value));
  } catch {
    return JSON.stringify({
      ...line,
      ...Object.fromEntries(Object.entries(line).map(([key, value]) => [key, inspect(value)])),
    });
  }
}

/** A name or an error out of a hostile message must neither begin a line nor steer the terminal. */
const onOneLine = (text: string): string =>
  text.replaceAll(/\p{Cc}/gu, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);

const pretty = (fields: LogFields): string =>
  Object.entries(fields)
    .map(
      ([key, value]) =>
        ` ${key}=${typeof value === 'string' ? value : inspect(value, { breakLength: Number.POSITIVE_INFINITY, depth: 4 })}`,
    )
    .join('');
