import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { CodecError } from '@bento-bus/core';
import { damaged, randomOf } from './damage.ts';
import type { Subject } from './subjects.ts';

export interface Report {
  readonly refused: number;
  readonly accepted: number;
  /** The slowest body, the best of three. Milliseconds. */
  readonly slowest: number;
  /** What the heap kept. Bytes. */
  readonly grown: number;
}

/** No body may take longer. Milliseconds. */
const longest = 100;

/** From here on a body is decoded again, so that the time is its own. Milliseconds. */
const suspicious = 20;

setFlagsFromString('--expose_gc');
const collect = runInNewContext('gc') as () => void;

/** Decodes damaged bodies. Throws for the first one that does what none may do, with its seed and its bytes. */
export async function fuzz(subject: Subject, iterations: number, seed: number): Promise<Report> {
  const random = randomOf(seed);
  const bodies = await subject.bodies(seed);
  for (const body of bodies) await subject.codec.decode(body, subject.context);
  const prototypes = fingerprint();
  let [refused, accepted, slowest] = [0, 0, 0];
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < iterations; i += 1) {
    const body = damaged(bodies[i % bodies.length] as Buffer, bodies, random);
    const fail = (what: string, cause?: unknown): never => {
      const shown = body.toString('base64').slice(0, 2_000);
      throw new Error(`${subject.name}, seed ${seed}, iteration ${i}: ${what}. Body: ${shown}`, { cause });
    };
    let took = Number.POSITIVE_INFINITY;
    // A machine that does something else meanwhile is slow once, a body always.
    for (let attempt = 0; attempt < 3 && took > suspicious; attempt += 1) {
      const begin = performance.now();
      try {
        const value = await subject.codec.decode(body, subject.context);
        took = Math.min(took, performance.now() - begin);
        if (attempt > 0) continue;
        accepted += 1;
        const strange = notPlain(value);
        if (strange !== undefined) fail(strange);
      } catch (error) {
        took = Math.min(took, performance.now() - begin);
        if (!(error instanceof CodecError)) fail('an error of another kind', error);
        if (attempt === 0) refused += 1;
      }
    }
    if (took > longest) fail(`it took ${took} ms`);
    slowest = Math.max(slowest, took);
    if (fingerprint() !== prototypes) fail('a prototype has changed');
  }
  collect();
  return { refused, accepted, slowest, grown: process.memoryUsage().heapUsed - before };
}

const fingerprint = (): string =>
  [Object.prototype, Array.prototype, Buffer.prototype, Function.prototype]
    .map((prototype) => Object.getOwnPropertyNames(prototype).length)
    .join();

/** What is no data: an object with a prototype of somebody's making. */
function notPlain(value: unknown): string | undefined {
  const open: unknown[] = [value];
  while (open.length > 0) {
    const one = open.pop();
    if (typeof one !== 'object' || one === null || Buffer.isBuffer(one)) continue;
    if (!Array.isArray(one) && Object.getPrototypeOf(one) !== Object.prototype) return 'a value has another prototype';
    for (const item of Object.values(one)) open.push(item);
  }
  return undefined;
}
