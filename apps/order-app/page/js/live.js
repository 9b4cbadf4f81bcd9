/** A browser gives up for good when an answer is no stream, such as that of a proxy while the server restarts. Milliseconds. */
const comeAgainMs = 2_000;
/** How long a page that is not seen goes on following. Milliseconds. */
const unseenMs = 60_000;

/**
 * What happens, as it happens: events `order`, `groups`, `failed` with the data as `detail`, `state` whenever
 * {@link Live.state} changes, and `again` after a gap, when what is shown may be old.
 */
class Live extends EventTarget {
  /** @type {'connecting' | 'connected' | 'reconnecting'} */
  state = 'connecting';
  #source;

  open() {
    this.#source?.close();
    const source = new EventSource('/api/stream');
    this.#source = source;
    source.addEventListener('open', () => {
      const gap = this.state === 'reconnecting';
      this.#become('connected');
      if (gap) this.dispatchEvent(new Event('again'));
    });
    source.addEventListener('error', () => {
      this.#become('reconnecting');
      if (source.readyState === EventSource.CLOSED)
        setTimeout(() => this.#source === source && this.open(), comeAgainMs);
    });
    for (const name of ['order', 'groups', 'failed'])
      source.addEventListener(name, ({ data }) =>
        this.dispatchEvent(new CustomEvent(name, { detail: JSON.parse(data) })),
      );
  }

  /** Holds none of the browser's few connections to one server while nobody sees the page, and catches up afterwards. */
  followPage() {
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

  #become(state) {
    if (this.state === state) return;
    this.state = state;
    this.dispatchEvent(new Event('state'));
  }
}

export const live = new Live();

/** Calls `work` at most once in `everyMs`, soon after it is asked for; what is asked meanwhile is one call. */
export function throttled(work, everyMs, signal) {
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
