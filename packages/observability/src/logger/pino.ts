import type { LogFields, Logger } from '@bento-bus/core';

/** What is needed of a logger of pino: its own, or a child of it. */
export interface PinoLogger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** A pino logger where packages log. A field `error` becomes `err`, which pino writes with its type, stack and causes. */
export function fromPino(pino: PinoLogger): Logger {
  return {
    debug: (message, fields) => pino.debug(withErr(fields), message),
    info: (message, fields) => pino.info(withErr(fields), message),
    warn: (message, fields) => pino.warn(withErr(fields), message),
    error: (message, fields) => pino.error(withErr(fields), message),
  };
}

function withErr(fields: LogFields = {}): object {
  if (!(fields['error'] instanceof Error)) return fields;
  const { error, ...others } = fields;
  return { ...others, err: error };
}
