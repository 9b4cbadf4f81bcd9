// Samples two sides in turn and gives the median of each, so that what else the machine does falls on both.

/**
 * @typedef {object} Sides
 * @property {(operations: number) => void | Promise<void>} ours Does that many operations, to their end.
 * @property {(operations: number) => void | Promise<void>} reference The same by other means.
 * @property {() => void | Promise<void>} [close]
 */

/**
 * @typedef {object} Sampling
 * @property {number} [rounds] Samples a side. @default 31
 * @property {number} [sampleMs] A sample does as many operations as take about this long. @default 20
 * @property {number} [operations] Operations of each sample, instead: where both sides must do the same amount of work.
 */

const nanoseconds = async (run, operations) => {
  const start = process.hrtime.bigint();
  const pending = run(operations);
  if (pending !== undefined) await pending;
  return Number(process.hrtime.bigint() - start);
};

/** Grows the number of operations until a sample is long enough, the fastest of three: one hiccup must not end it. Warms the code up. */
async function calibrate(run, sampleMs) {
  for (let operations = 1; ; operations *= 2) {
    let took = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 3 && took >= sampleMs * 1e6; i += 1) took = Math.min(took, await nanoseconds(run, operations));
    if (took >= sampleMs * 1e6) return Math.max(1, Math.round((operations * sampleMs * 1e6) / took));
  }
}

const median = (values) => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

/**
 * Operations a second of both sides: the median of their samples.
 * @param {Sides} sides
 * @param {Sampling} [sampling]
 */
export async function measure(sides, { rounds = 31, sampleMs = 20, operations } = {}) {
  const runs = ['ours', 'reference'].map((name) => ({ name, run: sides[name], operations, samples: [] }));
  for (const side of runs) side.operations ??= await calibrate(side.run, sampleMs);
  // The first rounds warm up what calibration left cold.
  const warmUp = Math.ceil(rounds / 8);
  for (let round = -warmUp; round < rounds; round += 1) {
    // The order changes, so that neither side always runs into the other's garbage.
    for (const side of round % 2 === 0 ? runs : runs.toReversed()) {
      const took = await nanoseconds(side.run, side.operations);
      if (round >= 0) side.samples.push((side.operations / took) * 1e9);
    }
  }
  return Object.fromEntries(runs.map(({ name, samples }) => [name, median(samples)]));
}
