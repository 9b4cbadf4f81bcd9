import { describe, expect, it } from '@jest/globals';
import { CreditNote } from './credit-note.ts';
import { OrderRuleError } from './errors.ts';
import type { OrderPlaced } from './events.ts';
import { Order } from './order.ts';

const line = { sku: '71053', description: 'WHITE METAL LANTERN', quantity: 6, unitPrice: '3.39' };
const other = { sku: '21730', description: 'T-LIGHT HOLDER', quantity: 2, unitPrice: '4.255' };
const content: OrderPlaced = {
  orderId: '536365',
  customerId: '17850',
  country: 'France',
  placedAt: Date.UTC(2010, 11, 1, 8, 26),
  lines: [line, other],
};
const note = { creditNoteId: 'C1', customerId: '', country: 'France', issuedAt: 0, lines: [{ ...line, quantity: -1 }] };

const placed = (): Order => {
  const order = new Order('536365');
  order.place(content);
  return order;
};
const after = (...steps: ('pay' | 'ship' | 'cancel' | 'refund')[]): Order => {
  const order = placed();
  for (const step of steps) act(order, step);
  return order;
};
const act = (order: Order, step: 'pay' | 'ship' | 'cancel' | 'refund'): void => {
  if (step === 'ship') order.ship('TRACK-1');
  else if (step === 'cancel') order.cancel('changed my mind');
  else order[step]();
};
const ruleOf = (work: () => unknown): string | undefined => {
  try {
    work();
  } catch (error) {
    if (error instanceof OrderRuleError) return error.rule;
    throw error;
  }
  return undefined;
};
const typesOf = (order: { readonly pending: readonly { readonly type: string }[] }): string[] =>
  order.pending.map(({ type }) => type);

describe('an order', () => {
  it('is placed in one event', () => {
    const order = placed();
    expect(order.pending).toMatchObject([{ type: 'order.placed', data: content }]);
    expect(order.stream).toEqual({ type: 'order', id: '536365' });
  });

  it('goes from placed over paid to shipped and tells who gets it', () => {
    const order = after('pay', 'ship');
    expect(order.pending.slice(1)).toMatchObject([
      // 6 x 3.39 + 2 x 4.255
      { type: 'order.paid', data: { orderId: '536365', amount: '28.85' } },
      {
        type: 'order.shipped',
        data: { orderId: '536365', customerId: '17850', country: 'France', tracking: 'TRACK-1' },
      },
    ]);
  });

  it('is placed twice with the same content without an event, however its lines and prices are written', () => {
    const order = placed();
    expect(order.place({ ...content, lines: [{ ...other, unitPrice: '4.2550' }, line] })).toBe(false);
    expect(typesOf(order)).toEqual(['order.placed']);
  });

  it.each<[string, Partial<OrderPlaced>]>([
    ['customer', { customerId: '' }],
    ['country', { country: 'Spain' }],
    ['time', { placedAt: content.placedAt + 60_000 }],
    ['quantity', { lines: [{ ...line, quantity: 7 }, other] }],
    ['price', { lines: [{ ...line, unitPrice: '3.4' }, other] }],
    ['description', { lines: [{ ...line, description: '' }, other] }],
    ['stock code', { lines: [{ ...line, sku: '71054' }, other] }],
    ['number of lines', { lines: [line] }],
    ['lines, one of them twice', { lines: [line, line] }],
  ])('refuses to be placed again with another %s', (_, change) => {
    expect(ruleOf(() => placed().place({ ...content, ...change }))).toBe('already-placed');
  });

  it('takes the same content also when it has gone on since', () => {
    expect(after('pay', 'ship').place(content)).toBe(false);
    expect(after('cancel').place(content)).toBe(false);
  });

  it('refuses content that breaks a rule and names every fault', () => {
    const bad = {
      ...content,
      country: '',
      lines: [
        { ...line, quantity: 0 },
        { ...other, unitPrice: '-1' },
      ],
    };
    expect(ruleOf(() => new Order('1').place(bad))).toBe('invalid-content');
    expect(() => new Order('1').place(bad)).toThrow(
      'order-app: cannot record order "1": line 1: Quantity is 0; line 2: UnitPrice -1 is below 0; it has no country.',
    );
    expect(ruleOf(() => new Order('1').place({ ...content, lines: [] }))).toBe('invalid-content');
    expect(ruleOf(() => new Order('1').place({ ...content, lines: [{ ...line, quantity: -1 }] }))).toBe(
      'invalid-content',
    );
  });

  it.each(['pay', 'ship', 'cancel', 'refund'] as const)('cannot %s before it is placed', (step) => {
    expect(ruleOf(() => act(new Order('1'), step))).toBe('not-found');
  });

  it('ships only when it is paid, and once', () => {
    expect(ruleOf(() => after().ship(''))).toBe('not-paid');
    expect(ruleOf(() => after('pay', 'ship').ship(''))).toBe('wrong-status');
    expect(ruleOf(() => after('pay', 'cancel').ship(''))).toBe('wrong-status');
  });

  it('is paid once, and not when it is cancelled', () => {
    expect(ruleOf(() => after('pay').pay())).toBe('wrong-status');
    expect(ruleOf(() => after('cancel').pay())).toBe('wrong-status');
  });

  it('is cancelled before it is shipped, and once', () => {
    expect(typesOf(after('cancel'))).toEqual(['order.placed', 'order.cancelled']);
    expect(typesOf(after('pay', 'cancel'))).toEqual(['order.placed', 'order.paid', 'order.cancelled']);
    expect(ruleOf(() => after('pay', 'ship').cancel(''))).toBe('wrong-status');
    expect(ruleOf(() => after('cancel').cancel(''))).toBe('wrong-status');
  });

  it('is refunded once after it was paid, also when it was shipped or cancelled since', () => {
    for (const steps of [['pay'], ['pay', 'ship'], ['pay', 'cancel']] as const) {
      const order = after(...steps, 'refund');
      expect(order.pending.at(-1)).toMatchObject({ type: 'order.refunded', data: { amount: '28.85' } });
      expect(ruleOf(() => order.refund())).toBe('wrong-status');
    }
    expect(ruleOf(() => after().refund())).toBe('not-paid');
    expect(ruleOf(() => after('cancel').refund())).toBe('not-paid');
  });

  it('says in its refusals what to do', () => {
    expect(() => after().ship('')).toThrow('order-app: cannot ship "536365": it is not paid. Pay it first.');
  });
});

describe('a credit note', () => {
  it('is recorded once, with quantities below 0', () => {
    const credit = new CreditNote('C1');
    expect(credit.recordNote(note)).toBe(true);
    expect(credit.recordNote(note)).toBe(false);
    expect(typesOf(credit)).toEqual(['credit-note.recorded']);
    expect(ruleOf(() => credit.recordNote({ ...note, country: 'Spain' }))).toBe('already-recorded');
    expect(ruleOf(() => new CreditNote('C2').recordNote({ ...note, lines: [line] }))).toBe('invalid-content');
  });
});
