/** @import { StreamEvents } from "./types.ts" */

/** A browser gives up for good when an answer is no stream, such as that of a proxy while the server restarts. Milliseconds. */
const comeAgainMs = 2_000;
/** How long a page that is not seen goes on following. Milliseconds. */
const unseenMs = 60_000;

/** @typedef {'connecting' | 'connected' | 'reconnecting'} LiveState */
/** @typedef {StreamEvents & { state: LiveState, again: null }} LiveEvents */

/**
 * What happens, as it happens: events `order`, `groups`, `failed` with their data, `state` whenever
 * {@link Live.state} changes, and `again` after a gap, when what is shown may be old.
 */
class Live {
  /** @type {LiveState} */
  state = 'connecting';
  /** @type {EventSource | undefined} */
  #source;
  #target = new EventTarget();

  /**
   * Calls `listener` with the data of each such event, until `signal` ends it.
   * @template {keyof LiveEvents} N
   * @param {N} name
   * @param {(data: LiveEvents[N]) => unknown} listener
   * @param {AbortSignal} [signal]
   */
  on(name, listener, signal) {
    const heard = (/** @type {Event} */ event) => event instanceof CustomEvent && listener(event.detail);
    this.#target.addEventListener(name, heard, signal && { signal });
  }

  /**
   * @template {keyof LiveEvents} N
   * @param {N} name
   * @param {LiveEvents[N]} data
   */
  #tell(name, data) {
    this.#target.dispatchEvent(new CustomEvent(name, { detail: data }));
  }

  open() {
    this.#source?.close();
    const source = new EventSource('/api/stream');
    this.#source = source;
    source.addEventListener('open', () => {
      const gap = this.state === 'reconnecting';
      this.#become('connected');
      if (gap) this.#tell('again', null);
    });
    source.addEventListener('error', () => {
      this.#become('reconnecting');
      if (source.readyState === EventSource.CLOSED)
        setTimeout(() => this.#source === source && this.open(), comeAgainMs);
    });
    for (const name of /** @type {const} */ (['order', 'groups', 'failed']))
      source.addEventListener(name, ({ data }) => this.#tell(name, JSON.parse(data)));
  }

  /** Holds none of the browser's few connections to one server while nobody sees the page, and catches up afterwards. */
  followPage() {
    /** @type {number | undefined} */
    let timer;
    addEventListener('pagehide', () => this.#close());
    addEventListener('pageshow', ({ persisted }) => persisted && this.open());
    document.addEventListener('visibilitychange', () => {
      clearTimeout(timer);
      if (document.hidden) timer = setTimeout(() => this.#close(), unseenMs);
      else if (this.#source === undefined) this.open();
    });
  }

  #close() {
    this.#source?.close();
    this.#source = undefined;
    this.#become('reconnecting');
  }

  /** @param {LiveState} state */
  #become(state) {
    if (this.state === state) return;
    this.state = state;
    this.#tell('state', state);
  }
}

export const live = new Live();

/**
 * Calls `work` at most once in `everyMs`, soon after it is asked for; what is asked meanwhile is one call.
 * @param {() => void} work
 * @param {number} everyMs
 * @param {AbortSignal} signal
 */
export function throttled(work, everyMs, signal) {
  /** @type {number | undefined} */
  let timer;
  let last = Number.NEGATIVE_INFINITY;
  signal.addEventListener('abort', () => clearTimeout(timer));
  return () => {
    if (timer !== undefined || signal.aborted) return;
    const wait = Math.max(0, last + everyMs - performance.now());
    timer = setTimeout(() => {
      timer = undefined;
      last = performance.now();
      work();
    }, wait);
  };
}
