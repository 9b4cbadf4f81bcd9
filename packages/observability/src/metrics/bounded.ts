/** What stands for values beyond the bound. */
const other = 'other';

/** Lets so many different values through, and `other` for all further ones: labels must not grow without end. */
export class Bounded {
  readonly #known = new Set<string>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  of(value: string): string {
    if (this.#known.has(value)) return value;
    if (this.#known.size >= this.#most) return other;
    this.#known.add(value);
    return value;
  }
}
