/**
 * Names of OpenTelemetry's semantic conventions for messaging, version 1.45 (status: development),
 * https://opentelemetry.io/docs/specs/semconv/messaging/. They stand here and nowhere else.
 */
export const attributes = {
  system: 'messaging.system.name',
  operationName: 'messaging.operation.name',
  operationType: 'messaging.operation.type',
  destination: 'messaging.destination.name',
  partition: 'messaging.destination.partition.id',
  subscription: 'messaging.destination.subscription.name',
  consumerGroup: 'messaging.consumer.group.name',
  messageId: 'messaging.message.id',
  conversationId: 'messaging.message.conversation_id',
  bodySize: 'messaging.message.body.size',
  batchCount: 'messaging.batch.message_count',
  errorType: 'error.type',
  kafkaOffset: 'messaging.kafka.offset',
  kafkaKey: 'messaging.kafka.message.key',
} as const;

/** Values of `messaging.operation.type`, and the first word of span names: `{operation} {destination}`. */
export const operations = {
  create: 'create',
  send: 'send',
  receive: 'receive',
  process: 'process',
  settle: 'settle',
} as const;

/** Attributes that no convention has: of the toolkit. */
export const ownAttributes = {
  attempt: 'bento.attempt',
  outcome: 'bento.outcome',
  causationId: 'bento.causation_id',
  streamType: 'bento.stream.type',
  streamId: 'bento.stream.id',
  command: 'bento.command',
  /** Which run of `redrive` gave the message back. */
  redriveRun: 'bento.redrive.run',
} as const;

/** Metrics of the conventions (OpenTelemetry name, Prometheus name), and the toolkit's own. Durations are seconds. */
export const metricNames = {
  sentMessages: { otel: 'messaging.client.sent.messages', prometheus: 'messaging_client_sent_messages_total' },
  operationDuration: {
    otel: 'messaging.client.operation.duration',
    prometheus: 'messaging_client_operation_duration_seconds',
  },
  consumedMessages: {
    otel: 'messaging.client.consumed.messages',
    prometheus: 'messaging_client_consumed_messages_total',
  },
  processDuration: { otel: 'messaging.process.duration', prometheus: 'messaging_process_duration_seconds' },
  /** Handlings that failed, by `error_type`. */
  failures: { otel: 'bento.process.failures', prometheus: 'bento_process_failures_total' },
  /** Deliveries with `attempt` above 1. */
  redeliveries: { otel: 'bento.redeliveries', prometheus: 'bento_redeliveries_total' },
  /** What left its lane by an `onExhausted` hook: to retry topics, dead letters, parking. */
  exhausted: { otel: 'bento.exhausted', prometheus: 'bento_exhausted_total' },
  /** Messages in handlers now. */
  inFlight: { otel: 'bento.in_flight', prometheus: 'bento_in_flight' },
  /** From a message's time to the start of its handler, seconds. */
  age: { otel: 'bento.message.age', prometheus: 'bento_message_age_seconds' },
  /** Messages that a group has not acknowledged, by `topic` and `group`. */
  lag: { otel: 'bento.group.lag', prometheus: 'bento_group_lag' },
  /** Dead letters that wait, by `topic` and `group`. */
  deadLetters: { otel: 'bento.dead_letters', prometheus: 'bento_dead_letters' },
  /** 1 while a subscription is open, 0 once it ended by a fault or stands still. */
  subscriptionUp: { otel: 'bento.subscription.up', prometheus: 'bento_subscription_up' },
  /** Events published and passed over by the relay. */
  relayed: { otel: 'bento.relay.events', prometheus: 'bento_relay_events_total' },
  /** Seconds since the relay was last at the store's head. */
  relayBehind: { otel: 'bento.relay.behind', prometheus: 'bento_relay_behind_seconds' },
  /** Commands executed, by `command` and `outcome`. */
  commands: { otel: 'bento.commands', prometheus: 'bento_commands_total' },
  commandDuration: { otel: 'bento.command.duration', prometheus: 'bento_command_duration_seconds' },
  /** 1: ready, 0: not; by `check`. */
  health: { otel: 'bento.health', prometheus: 'bento_health' },
} as const;
