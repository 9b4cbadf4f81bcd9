import { Aggregate, type EventsOf } from '@bento-bus/eventsourcing';
import { type Content, checkContent, sameContent } from './content.ts';
import { type OrderRule, OrderRuleError } from './errors.ts';
import { type OrderPlaced, orderEvents } from './events.ts';
import { amountOf, type Decimal, sum } from './money.ts';
import type { OrderStatus } from './order-status.ts';

const contentOf = ({ customerId, country, placedAt, lines }: OrderPlaced): Content => ({
  customerId,
  country,
  time: placedAt,
  lines,
});

/**
 * An order: placed, paid, shipped, in this order. It can be cancelled until it is shipped, and refunded once, in full, after it was
 * paid (also when it was shipped or cancelled since).
 */
export class Order extends Aggregate<typeof orderEvents> {
  static readonly streamType = 'order';
  static readonly events = orderEvents;
  #placed: OrderPlaced | undefined;
  #status: OrderStatus = 'placed';
  #paid = false;

  /** False when it is placed with the same content already: nothing happens. */
  place(order: OrderPlaced): boolean {
    checkContent('order', this.id, contentOf(order));
    if (this.#placed === undefined) {
      this.record(orderEvents['order.placed'], order);
      return true;
    }
    if (sameContent(contentOf(this.#placed), contentOf(order))) return false;
    throw this.#refusal('already-placed', 'place', 'it is placed already, with other content. Take another number');
  }

  pay(): void {
    const amount = this.#total('pay');
    if (this.#status !== 'placed') throw this.#wrongStatus('pay', 'Only a placed order can be paid');
    this.record(orderEvents['order.paid'], { orderId: this.id, amount });
  }

  ship(tracking: string): void {
    const { customerId, country } = this.#known('ship');
    if (this.#status === 'placed') throw this.#refusal('not-paid', 'ship', 'it is not paid. Pay it first');
    if (this.#status !== 'paid') throw this.#wrongStatus('ship', 'Only a paid order can be shipped');
    this.record(orderEvents['order.shipped'], { orderId: this.id, customerId, country, tracking });
  }

  cancel(reason: string): void {
    this.#known('cancel');
    if (this.#status !== 'placed' && this.#status !== 'paid')
      throw this.#wrongStatus('cancel', 'Only an order that is not shipped yet can be cancelled');
    this.record(orderEvents['order.cancelled'], { orderId: this.id, reason });
  }

  refund(): void {
    const amount = this.#total('refund');
    if (this.#status === 'refunded') throw this.#wrongStatus('refund', 'An order is refunded once');
    if (!this.#paid) throw this.#refusal('not-paid', 'refund', 'it was never paid. There is nothing to pay back');
    this.record(orderEvents['order.refunded'], { orderId: this.id, amount });
  }

  protected apply(event: EventsOf<typeof orderEvents>): void {
    switch (event.type) {
      case 'order.placed':
        this.#placed = event.data;
        break;
      case 'order.paid':
        this.#status = 'paid';
        this.#paid = true;
        break;
      case 'order.shipped':
        this.#status = 'shipped';
        break;
      case 'order.cancelled':
        this.#status = 'cancelled';
        break;
      case 'order.refunded':
        this.#status = 'refunded';
        break;
    }
  }

  #known(command: string): OrderPlaced {
    if (this.#placed === undefined)
      throw this.#refusal('not-found', command, 'there is no such order. `orders` lists those that there are');
    return this.#placed;
  }

  #total(command: string): Decimal {
    return sum(this.#known(command).lines.map(amountOf));
  }

  #wrongStatus(command: string, rule: string): OrderRuleError {
    return this.#refusal('wrong-status', command, `it is ${this.#status}. ${rule}`);
  }

  #refusal(rule: OrderRule, command: string, cause: string): OrderRuleError {
    return new OrderRuleError(rule, `order-app: cannot ${command} "${this.id}": ${cause}.`);
  }
}
