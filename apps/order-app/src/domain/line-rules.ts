/** Nine digits before the point of either factor keep every sum within the 28 that the read model has. */
const quantityPattern = /^-?\d{1,9}$/;
const pricePattern = /^\d{1,9}(\.\d{1,10})?$/;

/** What a line belongs to: orders have quantities above 0, credit notes below 0. */
export type LineOf = 'order' | 'credit note';

/** Why a text is no quantity. */
export function quantityFault(text: string, of: LineOf): string | undefined {
  if (!quantityPattern.test(text)) return `Quantity "${text}" is not a whole number of at most 9 digits`;
  const quantity = Number(text);
  if (quantity === 0) return 'Quantity is 0';
  if (of === 'credit note' && quantity > 0) return `Quantity ${text} of a credit note is not negative`;
  if (of === 'order' && quantity < 0) return `Quantity ${text} of an order is negative`;
  return undefined;
}

/** Why a text is no price of a unit. */
export function priceFault(text: string): string | undefined {
  if (pricePattern.test(text)) return undefined;
  if (text.startsWith('-') && pricePattern.test(text.slice(1))) return `UnitPrice ${text} is below 0`;
  return `UnitPrice "${text}" is not a decimal of at most 9 digits before and 10 after the point`;
}
