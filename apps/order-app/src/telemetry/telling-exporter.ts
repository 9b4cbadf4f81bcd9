import type { Logger } from '@bento-bus/core';
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-base';

/**
 * The same exporter; that it fails is a warning once, and told again only after an export has succeeded. Whoever asks
 * for an export hears of each as before.
 */
export class TellingExporter implements SpanExporter {
  readonly #exporter: SpanExporter;
  readonly #shown: string;
  readonly #logger: Logger;
  #isFailing = false;

  /** `url` is where the exporter sends to. */
  constructor(exporter: SpanExporter, url: string, logger: Logger) {
    this.#exporter = exporter;
    this.#logger = logger;
    const { origin, pathname } = new URL(url);
    // A password or a key of a URL belongs in no log.
    this.#shown = `${origin}${pathname}`;
  }

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    this.#exporter.export(spans, (result) => {
      if (result.code === ExportResultCode.SUCCESS) this.#isFailing = false;
      else this.tell(reasonOf(result.error));
      done(result);
    });
  }

  /** Once for each time that the collector is away. */
  tell(reason: string): void {
    if (this.#isFailing) return;
    this.#isFailing = true;
    this.#logger.warn('traces are lost: the collector does not take them', { url: this.#shown, reason });
  }

  async forceFlush(): Promise<void> {
    await this.#exporter.forceFlush?.();
  }

  shutdown(): Promise<void> {
    return this.#exporter.shutdown();
  }
}

/** One line, also for an answer by HTTP, and for a name with several addresses that all refuse: that error has no message. */
export function reasonOf(error: Error | undefined): string {
  if (error === undefined) return 'unknown';
  const { message, name } = error;
  const code = 'code' in error ? error.code : undefined;
  if (typeof code === 'number') return `it answered with status ${code}${message === '' ? '' : ` (${message})`}`;
  return message || (typeof code === 'string' && code !== '' ? code : name);
}
