import type { EventBus, EventDefinition, EventPublisherPort } from '@bento-bus/core';

/** Definitions whose data looks the same before and after their schema: the others cannot be published from what handlers get. */
export type Forwardable<D extends readonly EventDefinition[]> = {
  readonly [K in keyof D]: D[K] extends EventDefinition<string, infer Input, infer Output>
    ? [Output] extends [Input]
      ? D[K]
      : never
    : never;
};

/**
 * Publishes events of the bus in this process to the backend as well: `publisher` is the `MessageBus` over it. For applications without an
 * event store; with one, the relay is the only publisher. A publish on the event bus then resolves once the backend has stored the event, and
 * fails with an `EventHandlersError` when it has not; publishes that are not waited for keep their order per key. Nothing remembers what was
 * to be sent: a crash between what the event tells of and the backend's confirmation may lose the event. Returns the function that ends it.
 */
export function forward<const D extends readonly EventDefinition[]>(
  eventBus: EventBus,
  publisher: EventPublisherPort,
  definitions: D & Forwardable<D>,
): () => void {
  const ends = (definitions as readonly EventDefinition[]).map((definition) =>
    eventBus.subscribe(definition, (data) => publisher.publish(definition, data)),
  );
  return () => {
    for (const end of ends) end();
  };
}
