/** A binary heap: the smallest element first, `before` decides. Equal elements come in no particular order. */
export interface Heap<T> {
  readonly size: number;
  push(element: T): void;
  peek(): T | undefined;
  pop(): T | undefined;
}

export function createHeap<T>(before: (a: T, b: T) => boolean): Heap<T> {
  const elements: T[] = [];
  const at = (index: number): T => elements[index] as T;

  return {
    get size() {
      return elements.length;
    },
    peek: () => elements[0],
    push(element) {
      let index = elements.push(element) - 1;
      while (index > 0) {
        const parent = (index - 1) >> 1;
        if (!before(element, at(parent))) break;
        elements[index] = at(parent);
        index = parent;
      }
      elements[index] = element;
    },
    pop() {
      const first = elements[0];
      const last = elements.pop();
      if (elements.length === 0 || last === undefined) return first;
      let index = 0;
      for (;;) {
        let child = 2 * index + 1;
        if (child >= elements.length) break;
        if (child + 1 < elements.length && before(at(child + 1), at(child))) child++;
        if (!before(at(child), last)) break;
        elements[index] = at(child);
        index = child;
      }
      elements[index] = last;
      return first;
    },
  };
}
