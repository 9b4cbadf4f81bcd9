/** Where a command writes: results to stdout, everything else to stderr. */
export interface Output {
  /** Text of a result, with its line ends. Nothing more comes once the reader has gone. */
  readonly result: (text: string) => void;
  /** One line for the user. */
  readonly notice: (line: string) => void;
}

const quietly =
  (stream: NodeJS.WriteStream): ((text: string) => void) =>
  (text) => {
    if (stream.writable) stream.write(text);
  };

/** A reader that closes its end early (`| head -1`) is no fault. */
export function standardOutput(): Output {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
  const notice = quietly(process.stderr);
  return { result: quietly(process.stdout), notice: (line) => notice(`${line}\n`) };
}
