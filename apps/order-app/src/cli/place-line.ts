import { InvalidArgumentError } from 'commander';
import type { Line } from '../domain/events.ts';
import { priceFault, quantityFault } from '../domain/line-rules.ts';
import { canonicalDecimal } from '../domain/money.ts';

/** Reads `SKU:QUANTITY:PRICE[:DESCRIPTION]` and adds it to the lines so far. */
export function addLine(text: string, lines: readonly Line[] = []): readonly Line[] {
  const [sku = '', quantity = '', unitPrice = '', ...description] = text.split(':');
  const faults = [sku === '' ? 'the SKU is empty' : undefined, quantityFault(quantity, 'order'), priceFault(unitPrice)];
  const fault = faults.filter((each) => each !== undefined).join('; ');
  if (fault !== '') throw new InvalidArgumentError(`${fault}. Write it as SKU:QUANTITY:PRICE[:DESCRIPTION].`);
  const line = {
    sku,
    description: description.join(':'),
    quantity: Number(quantity),
    unitPrice: canonicalDecimal(unitPrice),
  };
  return [...lines, line];
}
