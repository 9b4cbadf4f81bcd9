import type { CommandBus, UnitOfWork } from '@bento-bus/core';
import { CreditNote } from '../domain/credit-note.ts';
import { Order } from '../domain/order.ts';
import { CancelOrder, PayOrder, PlaceOrder, RecordCreditNote, RefundOrder, ShipOrder } from './commands.ts';

/** Carries the commands of the application out: one aggregate, one commit. */
export function registerCommands(commands: CommandBus, unitOfWork: UnitOfWork): void {
  /** Loads the order, decides, commits; tells whether something happened. */
  const onOrder = (
    { correlationId }: { readonly correlationId: string },
    orderId: string,
    decide: (order: Order) => boolean | void,
  ): Promise<boolean | void> =>
    unitOfWork.run(async (scope) => decide(await scope.load(Order, orderId)), { metadata: { correlationId } });

  commands.register(PlaceOrder, async (command) => {
    const happened = await onOrder(command, command.order.orderId, (order) => order.place(command.order));
    return happened === true ? 'recorded' : 'unchanged';
  });
  commands.register(RecordCreditNote, async ({ creditNote, correlationId }) => {
    const record = (note: CreditNote): boolean => note.recordNote(creditNote);
    const happened = await unitOfWork.run(
      async (scope) => record(await scope.load(CreditNote, creditNote.creditNoteId)),
      { metadata: { correlationId } },
    );
    return happened ? 'recorded' : 'unchanged';
  });
  commands.register(PayOrder, async (command) => {
    await onOrder(command, command.orderId, (order) => order.pay());
  });
  commands.register(ShipOrder, async (command) => {
    await onOrder(command, command.orderId, (order) => order.ship(command.tracking));
  });
  commands.register(CancelOrder, async (command) => {
    await onOrder(command, command.orderId, (order) => order.cancel(command.reason));
  });
  commands.register(RefundOrder, async (command) => {
    await onOrder(command, command.orderId, (order) => order.refund());
  });
}
