import { type Fault, loneSurrogate, shorten, tooDeep, unsafeKey } from './fault.ts';

/**
 * The first thing in a JSON text that the codec refuses, or undefined. Strict RFC 8259 and the codec's own rule, with the byte offset,
 * which `JSON.parse` does not tell. Linear, without recursion, whatever the text holds. It runs only when something is odd.
 */
export function findFault(text: string, maxDepth: number): Fault | undefined {
  const scanner = new Scanner(text, maxDepth);
  scanner.run();
  return scanner.fault;
}

/** A container that is not closed yet. `guarded`: the value of a key "constructor", where a key "prototype" is a trick. */
interface Frame {
  readonly closer: ']' | '}';
  readonly guarded: boolean;
}

/** `"constructor"` with every character as `\uXXXX`; a longer key is none of the keys looked for. */
const longestUnsafeKey = 2 + 'constructor'.length * 6;

/** Methods that read answer false when they have found the fault. */
class Scanner {
  fault: Fault | undefined;
  private readonly text: string;
  private readonly maxDepth: number;
  private readonly open: Frame[] = [];
  private i = 0;
  private constructorNext = false;

  constructor(text: string, maxDepth: number) {
    this.text = text;
    this.maxDepth = maxDepth;
  }

  run(): void {
    do if (!this.value()) return;
    while (this.more());
  }

  /** One scalar, one empty container, or the beginning of a container up to its first value. */
  private value(): boolean {
    for (;;) {
      const guarded = this.constructorNext;
      this.constructorNext = false;
      const char = this.peek();
      if (char !== '[' && char !== '{') return this.scalar(char);
      if (this.open.length === this.maxDepth) return this.report(tooDeep(this.maxDepth, this.at()));
      this.open.push({ closer: char === '[' ? ']' : '}', guarded: guarded && char === '{' });
      this.i += 1;
      if (this.peek() === this.open.at(-1)?.closer) return true;
      if (char === '{' && !this.key()) return false;
    }
  }

  /** Closes what ends here; true when another value follows. */
  private more(): boolean {
    for (;;) {
      const char = this.peek();
      const frame = this.open.at(-1);
      if (frame === undefined)
        return char === undefined ? false : this.syntax(`${show(char)} after the end of the value`);
      if (char === frame.closer) {
        this.open.pop();
        this.i += 1;
      } else if (char === ',') {
        this.i += 1;
        return frame.closer === ']' || this.key();
      } else return this.unexpected(char, `"," or "${frame.closer}"`);
    }
  }

  private key(): boolean {
    const char = this.peek();
    if (char !== '"') return this.unexpected(char, 'a key');
    const start = this.i;
    if (!this.string()) return false;
    if (this.i - start <= longestUnsafeKey) {
      const key = JSON.parse(this.text.slice(start, this.i)) as string;
      if (key === '__proto__' || (key === 'prototype' && this.open.at(-1)?.guarded === true))
        return this.report(unsafeKey(key, this.at(start)));
      this.constructorNext = key === 'constructor';
    }
    const next = this.peek();
    if (next !== ':') return this.unexpected(next, '":"');
    this.i += 1;
    return true;
  }

  private scalar(char: string | undefined): boolean {
    if (char === '"') return this.string();
    if (char === '-' || isDigit(char)) return this.number();
    for (const word of ['true', 'false', 'null'])
      if (this.text.startsWith(word, this.i)) {
        this.i += word.length;
        return true;
      }
    const rest = this.text.slice(this.i, this.i + 5);
    if (rest !== '' && ['true', 'false', 'null'].some((word) => word.startsWith(rest))) this.i = this.text.length;
    return this.unexpected(this.text[this.i], 'a value');
  }

  private string(): boolean {
    const start = this.i;
    for (this.i += 1; this.i < this.text.length; this.i += 1) {
      const char = this.text.charCodeAt(this.i);
      if (char === 0x22) {
        this.i += 1;
        return true;
      }
      if (char < 0x20) return this.syntax('a control character in a string');
      if (char === 0x5c && !this.escape(start)) return false;
    }
    return this.unexpected(undefined, '');
  }

  /** Ends on the last character of the escape. */
  private escape(start: number): boolean {
    const char = this.text[this.i + 1];
    if (char === undefined) {
      this.i += 1;
      return this.unexpected(undefined, '');
    }
    if (char !== 'u') {
      if (!'"\\/bfnrt'.includes(char)) return this.syntax('an unknown escape in a string');
      this.i += 1;
      return true;
    }
    const unit = this.codeUnit(this.i);
    if (unit === undefined)
      return this.text.length < this.i + 6
        ? this.unexpected(undefined, '', this.text.length)
        : this.syntax('an escape without four hexadecimal digits');
    const pair = isHigh(unit) && isLow(this.codeUnit(this.i + 6));
    if (!pair && (isHigh(unit) || isLow(unit))) return this.report(loneSurrogate(this.at(start)));
    this.i += pair ? 11 : 5;
    return true;
  }

  private codeUnit(at: number): number | undefined {
    const escape = this.text.slice(at, at + 6);
    return /^\\u[0-9a-fA-F]{4}$/.test(escape) ? Number.parseInt(escape.slice(2), 16) : undefined;
  }

  private number(): boolean {
    const start = this.i;
    if (this.text[this.i] === '-') this.i += 1;
    if (this.text[this.i] === '0') this.i += 1;
    else if (!this.digits()) return false;
    const end = this.i;
    if (this.text[this.i] === '.') {
      this.i += 1;
      if (!this.digits()) return false;
    }
    if (this.text[this.i] === 'e' || this.text[this.i] === 'E') {
      this.i += 1;
      if (this.text[this.i] === '+' || this.text[this.i] === '-') this.i += 1;
      if (!this.digits()) return false;
    }
    const literal = this.text.slice(start, this.i);
    const value = Number(literal);
    if (Number.isFinite(value) && (end < this.i || isExact(literal, value))) return true;
    return this.report({
      at: this.at(start),
      problem: `${shorten(literal)} does not fit a number without loss (it would be ${value})`,
      advice: 'Send it as a string.',
    });
  }

  private digits(): boolean {
    const start = this.i;
    while (isDigit(this.text[this.i])) this.i += 1;
    return this.i > start || this.unexpected(this.text[this.i], 'a digit');
  }

  /** The next character that is no white space, without taking it. */
  private peek(): string | undefined {
    for (;;) {
      const char = this.text[this.i];
      if (char !== ' ' && char !== '\n' && char !== '\r' && char !== '\t') return char;
      this.i += 1;
    }
  }

  private unexpected(char: string | undefined, wanted: string, at: number = this.i): false {
    return char === undefined
      ? this.syntax('the text ends too early', at)
      : this.syntax(`${show(char)} instead of ${wanted}`, at);
  }

  private syntax(problem: string, at: number = this.i): false {
    return this.report({ at: this.at(at), problem, advice: 'Correct the producer: RFC 8259 is the rule.' });
  }

  private report(fault: Fault): false {
    this.fault = fault;
    return false;
  }

  private at(index: number = this.i): string {
    return `byte ${Buffer.byteLength(this.text.slice(0, index))}`;
  }
}

const isDigit = (char: string | undefined): boolean => char !== undefined && char >= '0' && char <= '9';
const isHigh = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;
const isLow = (unit: number | undefined): boolean => unit !== undefined && unit >= 0xdc00 && unit <= 0xdfff;
const show = (char: string): string => (char === '\ufeff' ? 'a byte order mark' : JSON.stringify(char));

/** An integer literal is kept when it names the double itself, or is what JavaScript writes for that double. */
const isExact = (literal: string, value: number): boolean =>
  Number.isSafeInteger(value) || literal === String(value) || BigInt(literal) === BigInt(value);
