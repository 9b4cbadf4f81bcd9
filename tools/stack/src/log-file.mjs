import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** What a server wrote to its log from now on: an earlier run's lines must not be read as this one's. */
export class LogFile {
  #file;
  #from;
  #seen;
  #carry = '';

  constructor(file) {
    this.#file = file;
    this.#from = sizeOf(file);
    this.#seen = this.#from;
  }

  /** Whether `text` was written since the last call that said no. */
  saw(text) {
    const fresh = read(this.#file, this.#seen);
    this.#seen += fresh.length;
    const content = this.#carry + fresh.toString('latin1');
    this.#carry = content.slice(-text.length);
    return content.includes(text);
  }

  /** The last 64 KiB. */
  tail() {
    return read(this.#file, Math.max(this.#from, sizeOf(this.#file) - 65_536)).toString('utf8');
  }
}

const sizeOf = (file) => withFile(file, (descriptor) => fstatSync(descriptor).size) ?? 0;

const read = (file, from) =>
  withFile(file, (descriptor) => {
    const bytes = Buffer.alloc(Math.max(0, fstatSync(descriptor).size - from));
    return bytes.subarray(0, readSync(descriptor, bytes, 0, bytes.length, from));
  }) ?? Buffer.alloc(0);

function withFile(file, work) {
  let descriptor;
  try {
    descriptor = openSync(file, 'r');
  } catch {
    return undefined;
  }
  try {
    return work(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** The lines that say why a server died: its last errors, else its last lines. */
export function lastLines(text, count = 5) {
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !/^\s+at /.test(line));
  const errors = lines.filter((line) => /\b(ERROR|FATAL|Exception|Error)\b/.test(line));
  return (errors.length > 0 ? errors : lines).slice(-count).map((line) => line.slice(0, 300));
}
