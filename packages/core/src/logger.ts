/** Fields of a log line; `correlationId` and `messageId` where there is a message. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Where packages log. The shape of `console`-like loggers with fields last; pino fits through one adapter line. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

const nothing = (): void => {};
/** Logs nothing; the default everywhere. */
export const silentLogger: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
