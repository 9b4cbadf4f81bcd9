import type { ServerResponse } from 'node:http';

/** Answers that go on until they are ended: a server that closes would wait for them. */
export class Streams {
  readonly #open = new Set<ServerResponse>();

  add(response: ServerResponse): void {
    this.#open.add(response);
    response.once('close', () => this.#open.delete(response));
  }

  /** Ends them all: who asked comes again, elsewhere. */
  close(): void {
    for (const response of this.#open) {
      response.end();
      response.destroy();
    }
  }
}
