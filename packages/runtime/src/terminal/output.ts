/** Where text goes; `process.stdout` and `process.stderr` are such. */
export interface TextOutput {
  write(text: string): unknown;
  /** True: a person reads it on a terminal. Colour, progress and questions are for them. */
  readonly isTTY?: boolean;
  /** Width of the terminal. @default 80 */
  readonly columns?: number;
  /** False: the reader has gone, nothing more is written. */
  readonly writable?: boolean;
}

/** Where a command writes: results to one stream, everything else to the other. Nothing more comes once the reader has gone. */
export interface Output {
  /** Text of a result, with its line ends. */
  readonly result: (text: string) => void;
  /** One line for the user. */
  readonly notice: (line: string) => void;
}

/** Writes as long as somebody reads. */
export const writerTo =
  (to: TextOutput): ((text: string) => void) =>
  (text) => {
    if (to.writable !== false) to.write(text);
  };

/** Results go to `out`, notices to `err`. */
export function createOutput(out: TextOutput, err: TextOutput): Output {
  const notice = writerTo(err);
  return { result: writerTo(out), notice: (line) => notice(`${line}\n`) };
}
