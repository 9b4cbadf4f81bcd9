/** One thing that was looked at. */
export interface Finding {
  /** What, in a few words that stay the same: `kafka: auto.create.topics.enable`. */
  readonly check: string;
  /** `'warning'`: it works, and will hurt one day. `'fault'`: it does not work. */
  readonly level: 'ok' | 'warning' | 'fault';
  /** What is there, in one line. */
  readonly found: string;
  /** What to do; with every warning and fault. */
  readonly advice?: string;
}

/** Optional power of whatever speaks to a server: looks at its version, its settings and what the toolkit made there. */
export interface Diagnosing {
  /** Never rejects for what it finds: a server that does not answer is a fault. Changes nothing. */
  diagnose(): Promise<readonly Finding[]>;
}

/** Guard of the power. */
export const canDiagnose = (value: object): value is Diagnosing =>
  'diagnose' in value && typeof value.diagnose === 'function';
