import { Presets, SingleBar } from 'cli-progress';
import { printCount } from './table.ts';

/** Says on stderr how far the work is: a bar on a terminal, else a line every few seconds. */
export interface Progress {
  /** `done` of `total` of a stage; a new label begins a new stage. */
  update(label: string, done: number, total: number): void;
  /** Ends the stage at hand. */
  stop(): void;
}

const lineEveryMs = 5_000;

const lineProgress = (out: NodeJS.WriteStream, now: () => number): Progress => {
  let current = '';
  let last = now();
  return {
    update(label, done, total) {
      if (label !== current) {
        current = label;
        last = now();
      }
      if (now() - last < lineEveryMs) return;
      last = now();
      out.write(`${label}: ${printCount(done)} of ${printCount(total)}\n`);
    },
    stop() {
      current = '';
    },
  };
};

const barProgress = (out: NodeJS.WriteStream): Progress => {
  let current = '';
  let bar: SingleBar | undefined;
  const stop = (): void => {
    bar?.stop();
    bar = undefined;
    current = '';
  };
  return {
    update(label, done, total) {
      // Nothing to do is no bar.
      if (total === 0) return;
      if (label !== current || bar === undefined) {
        stop();
        current = label;
        bar = new SingleBar(
          {
            stream: out,
            format: `${label} {bar} {percentage}% {value} of {total}, {duration_formatted}`,
            formatValue: (value, _options, type) =>
              type === 'value' || type === 'total' ? printCount(value) : `${value}`,
            fps: 10,
            // Signals are the application's.
            gracefulExit: false,
            // A process that is killed could not show it again.
            hideCursor: null,
          },
          Presets.shades_classic,
        );
        bar.start(total, done);
      } else {
        bar.setTotal(total);
        bar.update(done);
      }
    },
    stop,
  };
};

export const createProgress = (
  out: NodeJS.WriteStream = process.stderr,
  now: () => number = () => performance.now(),
): Progress => (out.isTTY ? barProgress(out) : lineProgress(out, now));
