/** Why a registry says no: the clause and the advice of an error. It is about a schema and not about one message. */
export class Refusal {
  readonly problem: string;
  readonly advice: string;

  constructor(problem: string, advice: string) {
    this.problem = problem;
    this.advice = advice;
  }
}

/** A Map that forgets what came first when it is full: its keys come from messages. */
export class BoundedMap<K, V> {
  readonly #map = new Map<K, V>();
  readonly #size: number;

  constructor(size: number) {
    this.#size = size;
  }

  get(key: K): V | undefined {
    return this.#map.get(key);
  }

  set(key: K, value: V): void {
    this.#map.delete(key);
    if (this.#map.size >= this.#size) this.#map.delete(this.#map.keys().next().value as K);
    this.#map.set(key, value);
  }

  delete(key: K): void {
    this.#map.delete(key);
  }
}

interface AnswersOptions {
  /** Most answers kept, and most refusals. */
  readonly size: number;
  /** How long a refusal is believed. Milliseconds. */
  readonly refusalMs: number;
}

/**
 * What a registry answered, by key. What never changes is kept as long as there is room, a {@link Refusal} for a while, a failure not at
 * all. Those who ask for one key at once share one question.
 */
export class Answers<K, V extends object> {
  readonly #kept: BoundedMap<K, V>;
  readonly #refused: BoundedMap<K, { readonly refusal: Refusal; readonly until: number }>;
  readonly #asked = new Map<K, Promise<V | Refusal>>();
  readonly #refusalMs: number;

  constructor({ size, refusalMs }: AnswersOptions) {
    this.#kept = new BoundedMap(size);
    this.#refused = new BoundedMap(size);
    this.#refusalMs = refusalMs;
  }

  get(key: K): V | Refusal | undefined {
    const kept = this.#kept.get(key);
    if (kept !== undefined) return kept;
    const refused = this.#refused.get(key);
    if (refused === undefined) return undefined;
    if (performance.now() < refused.until) return refused.refusal;
    this.#refused.delete(key);
    return undefined;
  }

  /** Asks, unless somebody is asking. */
  load(key: K, ask: () => Promise<V | Refusal>): Promise<V | Refusal> {
    const asked = this.#asked.get(key);
    if (asked !== undefined) return asked;
    const answer = ask()
      .then((value) => {
        if (value instanceof Refusal)
          this.#refused.set(key, { refusal: value, until: performance.now() + this.#refusalMs });
        else this.#kept.set(key, value);
        return value;
      })
      .finally(() => this.#asked.delete(key));
    this.#asked.set(key, answer);
    return answer;
  }
}
