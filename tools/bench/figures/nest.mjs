// CommandBus and EventBus against those of @nestjs/cqrs, inside an application that Nest itself has built.
import { setImmediate as turn } from 'node:timers/promises';
import { anything } from './schema.mjs';

class ShipOrder {
  orderId = 'o';
}
class OrderPlaced {
  orderId = 'o';
}

let shipped = 0;
let placedCount = 0;
class ShipOrderHandler {
  async execute(command) {
    shipped += command.orderId.length;
    return shipped;
  }
}
class OrderPlacedHandler {
  handle(event) {
    placedCount += event.orderId.length;
  }
}

/** Decorators by hand: these files are plain JavaScript. */
async function makeNest() {
  await import('reflect-metadata');
  const { Module } = await import('@nestjs/common');
  const { NestFactory } = await import('@nestjs/core');
  const cqrs = await import('@nestjs/cqrs');
  cqrs.CommandHandler(ShipOrder)(ShipOrderHandler);
  cqrs.EventsHandler(OrderPlaced)(OrderPlacedHandler);
  // oxlint-disable-next-line typescript/no-extraneous-class -- Nest asks for a class to hang its metadata on
  class App {}
  Module({ imports: [cqrs.CqrsModule.forRoot()], providers: [ShipOrderHandler, OrderPlacedHandler] })(App);
  const app = await NestFactory.createApplicationContext(App, { logger: false });
  return { app, commands: app.get(cqrs.CommandBus), events: app.get(cqrs.EventBus) };
}

const commandFigure = {
  name: 'command-bus/nest',
  what: 'execute a command with one async handler, awaited; reference: CommandBus of @nestjs/cqrs',
  target: 1,
  async open() {
    const { createCommandBus } = await import('@bento-bus/inprocess-bus');
    const { app, commands: nestCommands } = await makeNest();
    const commands = createCommandBus();
    const handler = new ShipOrderHandler();
    commands.register(ShipOrder, async (command) => handler.execute(command));
    const executeAll = (bus) => async (operations) => {
      const before = shipped;
      for (let i = 0; i < operations; i += 1) await bus.execute(new ShipOrder());
      if (shipped - before !== operations)
        throw new Error(`${shipped - before} of ${operations} commands were handled`);
    };
    return { ours: executeAll(commands), reference: executeAll(nestCommands), close: () => app.close() };
  },
};

/** Published before the handlers' ends are waited for: Nest hands those on in later microtasks, and they are part of the work. */
const window = 1_000;
const publishAll = (publish) => async (operations) => {
  const before = placedCount;
  for (let published = 0; published < operations; published += 1) {
    publish(new OrderPlaced());
    if (published % window === window - 1) await turn();
  }
  await turn();
  if (placedCount - before !== operations)
    throw new Error(`${placedCount - before} of ${operations} events were handled`);
};

const eventFigure = {
  name: 'event-bus/nest',
  what: 'publish to one synchronous handler, until it has run; reference: EventBus of @nestjs/cqrs',
  target: 1,
  async open() {
    const [{ createEventBus }, { defineEvents }] = await Promise.all([
      import('@bento-bus/inprocess-bus'),
      import('@bento-bus/core'),
    ]);
    const { app, events: nestEvents } = await makeNest();
    const { placed } = defineEvents({ topic: 'orders' }, { placed: { version: 1, schema: anything } });
    const events = createEventBus();
    const handler = new OrderPlacedHandler();
    events.subscribe(placed, (event) => handler.handle(event));
    return {
      ours: publishAll((event) => events.publish(placed, event)),
      reference: publishAll((event) => nestEvents.publish(event)),
      close: () => app.close(),
    };
  },
};

export const nest = [commandFigure, eventFigure];
