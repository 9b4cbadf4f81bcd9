import type { CommandBus, StoredEvent } from '@bento-bus/core';
import { thrownText } from '@bento-bus/core/adapter';
import type { Step } from '../http/schemas.ts';

/** A step, its time in epoch milliseconds. */
export type TimedStep = Omit<Step, 'time'> & { readonly time: number };

/** What happened to orders and to the messages about them. */
export interface OrderHistory {
  /** The same bus; its commands are remembered. */
  commandBus(bus: CommandBus): CommandBus;
  /** Ascending by time. */
  stepsOf(orderId: string, events: readonly StoredEvent[]): readonly TimedStep[];
}

export interface OrderHistoryOptions {
  /** What happened to one message. */
  readonly messageSteps: (messageId: string) => readonly TimedStep[];
  readonly currentTraceId: () => string | undefined;
  /** Orders whose commands are remembered; the oldest are forgotten. @default 2_000 */
  readonly mostOrders?: number;
  /** Commands remembered of one order. @default 50 */
  readonly mostCommands?: number;
}

/** Commands are remembered here, appends are in the store, and messages on the trail. */
export function createOrderHistory(options: OrderHistoryOptions): OrderHistory {
  const { messageSteps, currentTraceId, mostOrders = 2_000, mostCommands = 50 } = options;
  const commands = new Map<string, TimedStep[]>();
  const remember = (orderId: string, step: TimedStep): void => {
    const steps = commands.get(orderId) ?? [];
    commands.delete(orderId);
    commands.set(orderId, [...steps, step].slice(-mostCommands));
    const [oldest] = commands.keys();
    if (commands.size > mostOrders && oldest !== undefined) commands.delete(oldest);
  };
  return {
    commandBus: (bus) => ({
      register: (command, handler) => bus.register(command, handler),
      async execute(command) {
        const orderId = orderOf(command);
        if (orderId === undefined) return bus.execute(command);
        const traceId = currentTraceId();
        const began = performance.now();
        const done = (error?: unknown): void =>
          remember(orderId, {
            time: Date.now() - Math.round(performance.now() - began),
            kind: 'command',
            name: command.constructor.name,
            messageId: correlationOf(command),
            outcome: error === undefined ? 'ok' : 'failed',
            ...(error !== undefined && { error: thrownText(error) }),
            durationMs: rounded(performance.now() - began),
            ...(traceId !== undefined && { traceId }),
          });
        try {
          const result = await bus.execute(command);
          done();
          return result;
        } catch (error) {
          done(error);
          throw error;
        }
      },
    }),
    stepsOf: (orderId, events) =>
      [
        ...(commands.get(orderId) ?? []),
        ...events.map(appended),
        ...events.flatMap(({ id }) => messageSteps(id)),
      ].toSorted((a, b) => a.time - b.time),
  };
}

/** To a thousandth of a millisecond. */
const rounded = (ms: number): number => Math.round(ms * 1_000) / 1_000;

const orderOf = (command: object): string | undefined => {
  const { orderId, order } = command as { readonly orderId?: string; readonly order?: { readonly orderId: string } };
  return orderId ?? order?.orderId;
};
const correlationOf = (command: object): string => (command as { readonly correlationId?: string }).correlationId ?? '';

function appended({ id, type, time, metadata }: StoredEvent): TimedStep {
  const traceId = metadata?.['traceparent']?.split('-')[1];
  return {
    time,
    kind: 'append',
    name: type,
    messageId: id,
    outcome: 'ok',
    ...(traceId !== undefined && { traceId }),
  };
}
