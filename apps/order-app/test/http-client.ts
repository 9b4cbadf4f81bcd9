import { z } from 'zod';

/** A schema of the OpenAPI document. */
type JsonSchema = Parameters<typeof z.fromJSONSchema>[0];
type Content = Readonly<Record<string, { readonly schema: JsonSchema }>>;

/** What of an OpenAPI 3.1 document is looked at. */
export interface Document {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}
interface Operation {
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly schema: JsonSchema;
  }[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Content }>>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // oxlint-disable-next-line typescript/no-explicit-any -- each answer is looked at by its test, after the document has been
  readonly json: any;
}

/** Speaks to a shop, and checks every answer against the shop's own document. */
export class Client {
  readonly url: string;
  readonly document: Document;
  readonly #seen = new Set<string>();

  private constructor(url: string, document: Document) {
    this.url = url;
    this.document = document;
  }

  static async of(url: string): Promise<Client> {
    const answer = await fetch(`${url}/openapi.json`);
    return new Client(url, (await answer.json()) as Document);
  }

  get(path: string, headers?: Record<string, string>): Promise<Answer> {
    return this.#call('GET', path, headers === undefined ? {} : { headers });
  }

  post(path: string, body: unknown = {}, headers: Record<string, string> = {}): Promise<Answer> {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    return this.#call('POST', path, { body: text, headers: { 'content-type': 'application/json', ...headers } });
  }

  /** Routes that have answered well, sorted. */
  succeeded(): readonly string[] {
    return [...this.#seen].toSorted();
  }

  async #call(method: string, path: string, init: RequestInit): Promise<Answer> {
    const answer = await fetch(this.url + path, { method, ...init });
    const text = await answer.text();
    const type = answer.headers.get('content-type')?.split(';')[0] ?? '';
    const json: unknown = type.endsWith('json') ? JSON.parse(text) : text;
    this.#check(method, path.replace(/\?.*$/, ''), answer.status, type, json);
    return { status: answer.status, headers: answer.headers, json };
  }

  #check(method: string, path: string, status: number, type: string, body: unknown): void {
    const found = Object.keys(this.document.paths).find((known) =>
      new RegExp(`^${known.replaceAll(/\{[^}]+\}/g, '[^/]+')}$`).test(path),
    );
    const operation = found === undefined ? undefined : this.document.paths[found]?.[method.toLowerCase()];
    if (found === undefined || operation === undefined) return;
    if (status < 300) this.#seen.add(`${method} ${found}`);
    const response = operation.responses[status] ?? operation.responses['default'];
    const schema = response?.content?.[type]?.schema;
    if (schema === undefined) throw new Error(`${method} ${found} ${status} as ${type} is not in the document`);
    const checked = z.fromJSONSchema(schema).safeParse(body);
    if (!checked.success) throw new Error(`${method} ${found} ${status}: ${checked.error.message}`);
  }
}

/** An event of a stream. */
export interface ServerSent {
  readonly event: string;
  readonly id: string | undefined;
  // oxlint-disable-next-line typescript/no-explicit-any -- as of an answer
  readonly data: any;
}

/** Follows a stream of server-sent events. */
export class Stream {
  readonly events: ServerSent[] = [];
  /** Resolves when the server has ended it. */
  readonly ended: Promise<void>;
  readonly #controller = new AbortController();

  private constructor(body: ReadableStream<Uint8Array>, controller: AbortController) {
    this.#controller = controller;
    this.ended = this.#read(body);
  }

  static async open(url: string, lastEventId?: string): Promise<Stream> {
    const controller = new AbortController();
    const answer = await fetch(`${url}/api/stream`, {
      signal: controller.signal,
      headers: lastEventId === undefined ? {} : { 'last-event-id': lastEventId },
    });
    if (answer.body === null || !answer.headers.get('content-type')?.startsWith('text/event-stream'))
      throw new Error(`no stream: ${answer.status}`);
    return new Stream(answer.body, controller);
  }

  of(event: string): readonly ServerSent[] {
    return this.events.filter((one) => one.event === event);
  }

  close(): void {
    this.#controller.abort();
  }

  async #read(body: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    let text = '';
    try {
      for await (const part of body) {
        text += decoder.decode(part, { stream: true });
        const blocks = text.split('\n\n');
        text = blocks.pop() ?? '';
        for (const block of blocks) this.#take(block);
      }
    } catch {
      // Cut off, by either side.
    }
  }

  #take(block: string): void {
    const fields = new Map(block.split('\n').map((line) => line.split(/: (.*)/s).slice(0, 2) as [string, string]));
    const event = fields.get('event');
    if (event === undefined) return;
    this.events.push({ event, id: fields.get('id'), data: JSON.parse(fields.get('data') ?? 'null') });
  }
}
