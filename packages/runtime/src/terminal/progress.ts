import { Presets, SingleBar } from 'cli-progress';
import { printCount } from './counts.ts';
import type { TextOutput } from './output.ts';

/** Says how far the work is: a bar on a terminal, elsewhere a line now and then, or nothing. */
export interface Progress {
  /** `done` of `total` of a stage; a total that is not known: how many so far. A new label begins a new stage. Nothing to do is no bar. */
  update(label: string, done: number, total?: number): void;
  /** Ends the stage at hand. */
  stop(): void;
}

/** Options of {@link createProgress}. */
export interface ProgressOptions {
  /** Where there is no terminal, a line of each stage so often. Milliseconds. @default none: it is silent there */
  readonly lineEveryMs?: number;
  /** Clock in milliseconds. @default performance.now */
  readonly now?: () => number;
}

const silent: Progress = { update: () => {}, stop: () => {} };

function lineProgress(out: TextOutput, everyMs: number, now: () => number): Progress {
  let current = '';
  let last = now();
  return {
    update(label, done, total) {
      if (label !== current) {
        current = label;
        last = now();
      }
      if (now() - last < everyMs) return;
      last = now();
      out.write(`${label}: ${printCount(done)}${total === undefined ? '' : ` of ${printCount(total)}`}\n`);
    },
    stop() {
      current = '';
    },
  };
}

function barProgress(out: TextOutput): Progress {
  let current = '';
  let bar: SingleBar | undefined;
  let isOpen = false;
  const stop = (): void => {
    bar?.stop();
    bar = undefined;
  };
  return {
    update(label, done, total) {
      if (total === 0) return;
      // The form of a bar is that of its beginning.
      if (label !== current || bar === undefined || isOpen !== (total === undefined)) {
        stop();
        current = label;
        isOpen = total === undefined;
        bar = new SingleBar(
          {
            // It writes, and asks for the width.
            stream: out as NodeJS.WriteStream,
            format:
              total === undefined
                ? `${label} {value}`
                : `${label} {bar} {percentage}% {value} of {total}, {duration_formatted}`,
            formatValue: (value, _options, type) =>
              type === 'value' || type === 'total' ? printCount(value) : `${value}`,
            fps: 10,
            // Signals are the program's.
            gracefulExit: false,
            // A process that is killed could not show it again.
            hideCursor: null,
          },
          Presets.shades_classic,
        );
        bar.start(total ?? done, done);
      } else {
        bar.setTotal(total ?? done);
        bar.update(done);
      }
    },
    stop,
  };
}

/** Progress on `out`, which is to be where results do not go. */
export function createProgress(out: TextOutput, options: ProgressOptions = {}): Progress {
  const { lineEveryMs, now = () => performance.now() } = options;
  if (out.isTTY === true) return barProgress(out);
  return lineEveryMs === undefined ? silent : lineProgress(out, lineEveryMs, now);
}
