import { createOutput, type TextOutput, type Output as Writing } from '@bento-bus/runtime/terminal';
import picocolors from 'picocolors';
import type { BentoIo } from '../io.ts';

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
  readonly #out: TextOutput;
  readonly #writing: Writing;

  constructor(io: Pick<BentoIo, 'out' | 'err' | 'env'>, json: boolean) {
    this.#out = io.out;
    this.#writing = createOutput(io.out, io.err);
    this.json = json;
    this.colours = coloursFor(io.out, io.env);
  }

  /** True where nobody reads results any more. */
  get gone(): boolean {
    return this.#out.writable === false;
  }

  /** The result: with --json as one document in one line, else as text. */
  result(value: unknown, text: () => string): void {
    this.raw(this.json ? `${JSON.stringify(value)}\n` : text());
  }

  /** Text of a result, with its line ends. */
  raw(text: string): void {
    this.#writing.result(text);
  }

  /** One line for the user. */
  notice(line: string): void {
    this.#writing.notice(line);
  }

  /** The same where the result is text; with --json the document says it. */
  remark(line: string): void {
    if (!this.json) this.notice(line);
  }
}
