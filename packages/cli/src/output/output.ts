import picocolors from 'picocolors';
import type { BentoIo, TextOutput } from '../io.ts';

/** Colours that do nothing where nobody looks. */
export type Colours = ReturnType<typeof picocolors.createColors>;

/** Only on a terminal that can, and where NO_COLOR (https://no-color.org) does not forbid it. */
const coloursFor = ({ isTTY }: TextOutput, env: BentoIo['env']): Colours =>
  picocolors.createColors(isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb');

/** Where a command writes: results to one stream, everything else to the other. Nothing more comes once the reader has gone. */
export class Output {
  readonly json: boolean;
  /** Of results. */
  readonly colours: Colours;
  readonly #io: Pick<BentoIo, 'out' | 'err'>;

  constructor(io: Pick<BentoIo, 'out' | 'err' | 'env'>, json: boolean) {
    this.#io = io;
    this.json = json;
    this.colours = coloursFor(io.out, io.env);
  }

  /** True where nobody reads results any more. */
  get gone(): boolean {
    return this.#io.out.writable === false;
  }

  /** The result: with --json as one document in one line, else as text. */
  result(value: unknown, text: () => string): void {
    this.raw(this.json ? `${JSON.stringify(value)}\n` : text());
  }

  /** Text of a result, with its line ends. */
  raw(text: string): void {
    if (!this.gone) this.#io.out.write(text);
  }

  /** One line for the user. */
  notice(line: string): void {
    if (this.#io.err.writable !== false) this.#io.err.write(`${line}\n`);
  }

  /** The same where the result is text; with --json the document says it. */
  remark(line: string): void {
    if (!this.json) this.notice(line);
  }
}
