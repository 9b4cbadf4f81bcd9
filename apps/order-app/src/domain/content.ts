import { OrderRuleError } from './errors.ts';
import type { Line } from './events.ts';
import { type LineOf, priceFault, quantityFault } from './line-rules.ts';
import { canonicalDecimal } from './money.ts';

/** What an order is placed with, or a credit note recorded with. */
export interface Content {
  /** Empty: not known. */
  readonly customerId: string;
  readonly country: string;
  /** Epoch milliseconds, UTC. */
  readonly time: number;
  readonly lines: readonly Line[];
}

/** Throws an {@link OrderRuleError} that names every fault. */
export function checkContent(what: LineOf, id: string, { country, lines }: Content): void {
  const faults = lines.flatMap(({ quantity, unitPrice }, i) =>
    [quantityFault(`${quantity}`, what), priceFault(unitPrice)].flatMap((fault) =>
      fault === undefined ? [] : `line ${i + 1}: ${fault}`,
    ),
  );
  if (lines.length === 0) faults.push('it has no line');
  if (country === '') faults.push('it has no country');
  if (faults.length > 0)
    throw new OrderRuleError('invalid-content', `order-app: cannot record ${what} "${id}": ${faults.join('; ')}.`);
}

/** Whether both say the same; in which order the lines come says nothing. */
export function sameContent(a: Content, b: Content): boolean {
  if (a.customerId !== b.customerId || a.country !== b.country || a.time !== b.time) return false;
  const lines = a.lines.map(spelled).toSorted();
  const others = b.lines.map(spelled).toSorted();
  return lines.length === others.length && lines.every((line, i) => line === others[i]);
}

const spelled = ({ sku, description, quantity, unitPrice }: Line): string =>
  JSON.stringify([sku, description, quantity, canonicalDecimal(unitPrice)]);
