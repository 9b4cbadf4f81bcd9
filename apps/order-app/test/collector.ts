import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

/** What of a span in OTLP is looked at. */
export interface ExportedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
}
type Attributes = readonly { readonly key: string; readonly value: { readonly stringValue?: string } }[];
interface ExportRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: Attributes };
    readonly scopeSpans: readonly { readonly spans: readonly ExportedSpan[] }[];
  }[];
}

/** Takes traces as a collector of OpenTelemetry does: OTLP, as JSON over HTTP. */
export class Collector {
  readonly spans: ExportedSpan[] = [];
  /** Attributes of the process that exported last. */
  resource: Readonly<Record<string, string | undefined>> = {};
  /** Paths, and what else was asked for, in their order. */
  readonly requests: { readonly path: string; readonly authorization?: string }[] = [];
  /** Longest that somebody has waited for an answer in vain. Milliseconds. */
  heldMs = 0;
  readonly #server: Server;

  private constructor(answers: boolean) {
    this.#server = createServer((request, response) => void this.#take(request, response, answers));
  }

  /** `answers` false: it takes all and says nothing. */
  static async start(answers = true): Promise<Collector> {
    const collector = new Collector(answers);
    await new Promise<void>((resolve) => {
      collector.#server.listen(0, '127.0.0.1', resolve);
    });
    return collector;
  }

  /** Names from each span called `name` up to the first of its trace that has come. */
  waysOf(name: string): string[][] {
    const up = ({ name: own, traceId, parentSpanId }: ExportedSpan): string[] => {
      const above = this.spans.find((span) => span.traceId === traceId && span.spanId === parentSpanId);
      return above === undefined ? [own] : [own, ...up(above)];
    };
    return this.spans.filter((span) => span.name === name).map(up);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }

  async #take(request: IncomingMessage, response: ServerResponse, answers: boolean): Promise<void> {
    const began = performance.now();
    const { authorization } = request.headers;
    this.requests.push({
      path: `${request.method} ${request.url}`,
      ...(authorization !== undefined && { authorization }),
    });
    const { resourceSpans } = (await json(request)) as ExportRequest;
    for (const { resource, scopeSpans } of resourceSpans) {
      this.resource = Object.fromEntries(resource.attributes.map(({ key, value }) => [key, value.stringValue]));
      this.spans.push(...scopeSpans.flatMap(({ spans }) => spans));
    }
    if (answers) response.setHeader('content-type', 'application/json').end('{"partialSuccess":{}}');
    else
      response.once('close', () => {
        this.heldMs = Math.max(this.heldMs, performance.now() - began);
      });
  }
}
