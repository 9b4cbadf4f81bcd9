import { BentoError } from '@bento-bus/core';

/** Which rule a command broke. */
export type OrderRule =
  | 'not-found'
  | 'already-placed'
  | 'already-recorded'
  | 'wrong-status'
  | 'not-paid'
  | 'invalid-content';

/** A command that the rules of the domain refuse. The same command fails again until the order changes. */
export class OrderRuleError extends BentoError {
  readonly rule: OrderRule;

  constructor(rule: OrderRule, message: string) {
    super('VALIDATION', message);
    this.rule = rule;
  }
}
