import { randomUUID } from 'node:crypto';
import type { Returning } from '@bento-bus/core';
import type { CreditNoteRecorded, OrderPlaced } from '../domain/events.ts';

/** Said again with the same content, a command of this kind changes nothing. */
export type Recorded = 'recorded' | 'unchanged';

/** What all commands carry: one correlation id for everything that they cause. */
abstract class Command {
  readonly correlationId: string;

  constructor(correlationId: string = randomUUID()) {
    this.correlationId = correlationId;
  }
}

/** Places an order. With other content than it was placed with: an `OrderRuleError`. */
export class PlaceOrder extends Command implements Returning<Recorded> {
  declare readonly '~result'?: Recorded;
  readonly order: OrderPlaced;

  constructor(order: OrderPlaced, correlationId?: string) {
    super(correlationId);
    this.order = order;
  }
}

/** Records a credit note. With other content than it was recorded with: an `OrderRuleError`. */
export class RecordCreditNote extends Command implements Returning<Recorded> {
  declare readonly '~result'?: Recorded;
  readonly creditNote: CreditNoteRecorded;

  constructor(creditNote: CreditNoteRecorded, correlationId?: string) {
    super(correlationId);
    this.creditNote = creditNote;
  }
}

/** Pays a placed order in full. */
export class PayOrder extends Command {
  readonly orderId: string;

  constructor(orderId: string, correlationId?: string) {
    super(correlationId);
    this.orderId = orderId;
  }
}

/** Ships a paid order. */
export class ShipOrder extends Command {
  readonly orderId: string;
  /** Of the carrier; empty: none. */
  readonly tracking: string;

  constructor(orderId: string, tracking = '', correlationId?: string) {
    super(correlationId);
    this.orderId = orderId;
    this.tracking = tracking;
  }
}

/** Cancels an order that is not shipped. */
export class CancelOrder extends Command {
  readonly orderId: string;
  readonly reason: string;

  constructor(orderId: string, reason = '', correlationId?: string) {
    super(correlationId);
    this.orderId = orderId;
    this.reason = reason;
  }
}

/** Pays a paid order back in full. */
export class RefundOrder extends Command {
  readonly orderId: string;

  constructor(orderId: string, correlationId?: string) {
    super(correlationId);
    this.orderId = orderId;
  }
}
