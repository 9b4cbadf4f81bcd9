import { Aggregate, type EventsOf } from '@bento-bus/eventsourcing';
import { type Content, checkContent, sameContent } from './content.ts';
import { OrderRuleError } from './errors.ts';
import { type CreditNoteRecorded, creditNoteEvents } from './events.ts';

const contentOf = ({ customerId, country, issuedAt, lines }: CreditNoteRecorded): Content => ({
  customerId,
  country,
  time: issuedAt,
  lines,
});

/** A credit note: recorded once, changed never. */
export class CreditNote extends Aggregate<typeof creditNoteEvents> {
  static readonly streamType = 'credit-note';
  static readonly events = creditNoteEvents;
  #recorded: CreditNoteRecorded | undefined;

  /** False when it is recorded with the same content already: nothing happens. */
  recordNote(note: CreditNoteRecorded): boolean {
    checkContent('credit note', this.id, contentOf(note));
    if (this.#recorded === undefined) {
      this.record(creditNoteEvents['credit-note.recorded'], note);
      return true;
    }
    if (sameContent(contentOf(this.#recorded), contentOf(note))) return false;
    throw new OrderRuleError(
      'already-recorded',
      `order-app: cannot record credit note "${this.id}": it is recorded already, with other content. Take another number.`,
    );
  }

  protected apply(event: EventsOf<typeof creditNoteEvents>): void {
    this.#recorded = event.data;
  }
}
