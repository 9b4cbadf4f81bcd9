import { Presets, SingleBar } from 'cli-progress';
import type { TextOutput } from '../io.ts';
import { printCount } from './table.ts';

/** Says how far the work is, on a terminal; elsewhere nothing. */
export interface Progress {
  /** `done` of `total`; a total that is not known: how many so far. */
  update(label: string, done: number, total?: number): void;
  stop(): void;
}

const silent: Progress = { update: () => {}, stop: () => {} };

export function createProgress(out: TextOutput): Progress {
  if (out.isTTY !== true) return silent;
  let bar: SingleBar | undefined;
  return {
    update(label, done, total) {
      if (bar === undefined) {
        bar = new SingleBar(
          {
            stream: out as NodeJS.WriteStream,
            format: total === undefined ? `${label} {value}` : `${label} {bar} {percentage}% {value} of {total}`,
            formatValue: (value, _options, type) =>
              type === 'value' || type === 'total' ? printCount(value) : `${value}`,
            fps: 10,
            // Signals are the program's.
            gracefulExit: false,
            hideCursor: null,
          },
          Presets.shades_classic,
        );
        bar.start(total ?? done, done);
      }
      bar.setTotal(total ?? done);
      bar.update(done);
    },
    stop() {
      bar?.stop();
      bar = undefined;
    },
  };
}
