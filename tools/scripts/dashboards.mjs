// The Grafana dashboards as code. `node tools/scripts/dashboards.mjs` writes docker/grafana/dashboards/*.json, which are checked in.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  consuming,
  dashboard,
  from,
  group,
  lagPlace,
  lines,
  ofGroup,
  place,
  placeVariables,
  print,
  quantile,
  rate,
  stat,
  states,
  sumBy,
  topic,
  wellIsOne,
  wellOrNot,
} from './dashboards/panels.mjs';
import { root } from './projects.mjs';

export const dashboardFolder = join(root, 'docker/grafana/dashboards');

const lag = (of = '') => `max by (topic, group) (bento_group_lag{job=~"$job"${of}})`;
const waitingLetters = 'max by (topic, group) (bento_dead_letters{job=~"$job"})';
const failuresByType = (matchers) =>
  lines('Failures by error', 'Handlings that failed, a second, by what was thrown.', [
    [sumBy(`${group}, error_type`, rate('bento_process_failures_total', matchers)), `{{${group}}} · {{error_type}}`],
  ]);

const overview = dashboard(
  'overview',
  'overview',
  'Whether the services are well, and what passes through them.',
  [],
  [
    stat('Ready', 'Every check of every process is well.', 'min(bento_health{job=~"$job", check="ready"})', {
      mappings: wellOrNot,
      thresholds: wellIsOne,
    }),
    stat('Processes', 'That Prometheus reaches.', 'sum(up{job=~"$job"})', { thresholds: wellIsOne }),
    stat(
      'Consumers stopped',
      'Subscriptions that ended by a fault, or stand still.',
      'count(bento_subscription_up{job=~"$job"} == 0) or vector(0)',
      { thresholds: from(1) },
    ),
    stat('Largest lag', 'Messages that one group has not acknowledged.', 'max(bento_group_lag{job=~"$job"})', {
      thresholds: from(1_000, 10_000),
    }),
    stat(
      'Failed messages',
      'Dead letters, and what is parked.',
      `sum(max by (topic, group) (bento_dead_letters{job=~"$job"}))`,
      {
        thresholds: from(1),
      },
    ),
    stat(
      'Relay behind',
      'Age of the oldest event that is not published.',
      'max(bento_relay_behind_seconds{job=~"$job"})',
      {
        unit: 's',
        thresholds: from(10, 60),
      },
    ),
    states('Checks', 'Health of each process, by check.', [
      ['min by (instance, check) (bento_health{job=~"$job"})', '{{instance}} · {{check}}'],
    ]),
    lines('Sent', 'Messages stored by the broker, a second.', [
      [sumBy(topic, rate('messaging_client_sent_messages_total')), `{{${topic}}}`],
    ]),
    lines('Handled', 'Messages given to handlers, a second.', [
      [sumBy(`${topic}, ${group}`, rate('messaging_client_consumed_messages_total')), place],
    ]),
    lines('Failures', 'Handlings that failed, a second.', [
      [sumBy(`${topic}, ${group}`, rate('bento_process_failures_total')), place],
    ]),
    lines('Lag', 'Messages that a group has not acknowledged.', [[lag(), lagPlace]]),
    lines(
      'Publish time',
      'Until the broker has stored what is published: 95 of 100 take at most this.',
      [[quantile(0.95, 'messaging_client_operation_duration_seconds', topic), `{{${topic}}}`]],
      { unit: 's' },
    ),
    lines('Memory', 'Resident, of each process.', [['process_resident_memory_bytes{job=~"$job"}', '{{instance}}']], {
      unit: 'bytes',
    }),
    lines(
      'Event loop',
      'Delay of the event loop: 99 of 100 turns wait at most this.',
      [['nodejs_eventloop_lag_p99_seconds{job=~"$job"}', '{{instance}}']],
      { unit: 's' },
    ),
    lines('Processor', 'Cores in use by each process.', [
      ['rate(process_cpu_seconds_total{job=~"$job"}[$__rate_interval])', '{{instance}}'],
    ]),
  ],
);

const consumers = dashboard(
  'consumers',
  'consumers',
  'How groups do with the messages of their topics.',
  placeVariables,
  [
    states('Subscriptions', 'Green: it works. Red: it has ended by a fault, or stands still.', [
      [`min by (topic, group) (bento_subscription_up{job=~"$job"${ofGroup}})`, lagPlace],
    ]),
    lines('Lag', 'Messages that a group has not acknowledged.', [[lag(ofGroup), lagPlace]]),
    lines(
      'Age',
      "From a message's time to its handler: 95 of 100 are at most this old.",
      [[quantile(0.95, 'bento_message_age_seconds', `${topic}, ${group}`, consuming), place]],
      { unit: 's' },
    ),
    lines('Handled', 'Messages given to handlers, a second.', [
      [sumBy(`${topic}, ${group}`, rate('messaging_client_consumed_messages_total', consuming)), place],
    ]),
    lines('In hand', 'Messages in handlers now.', [
      [sumBy(`${topic}, ${group}`, `bento_in_flight{job=~"$job"${consuming}}`), place],
    ]),
    ...[0.5, 0.99].map((q) =>
      lines(
        `Time of handlers, ${q === 0.5 ? 'median' : '99 of 100'}`,
        `${q === 0.5 ? 'Half' : '99 of 100'} take at most this.`,
        [[quantile(q, 'messaging_process_duration_seconds', `${topic}, ${group}`, consuming), place]],
        { unit: 's' },
      ),
    ),
    lines(
      'Failure ratio',
      'Handlings that failed, of all.',
      [
        [
          `${sumBy(`${topic}, ${group}`, rate('bento_process_failures_total', consuming))} / ${sumBy(`${topic}, ${group}`, rate('messaging_client_consumed_messages_total', consuming))}`,
          place,
        ],
      ],
      { unit: 'percentunit' },
    ),
    failuresByType(consuming),
    lines('Given again', 'Messages that came to a handler a second time or more, a second.', [
      [sumBy(`${topic}, ${group}`, rate('bento_redeliveries_total', consuming)), place],
    ]),
  ],
);

const ofTopics = (pattern) => sumBy(topic, rate('messaging_client_sent_messages_total', `, ${topic}=~"${pattern}"`));

const deadLetters = dashboard(
  'dead-letters',
  'failed messages',
  'What could not be handled: where it waits, and why.',
  [],
  [
    stat(
      'Waiting',
      'Dead letters, and what is parked.',
      `sum(max by (topic, group) (bento_dead_letters{job=~"$job"}))`,
      {
        w: 6,
        h: 8,
        thresholds: from(1),
      },
    ),
    lines('Waiting by group', '`bento dlq list TOPIC GROUP` shows them.', [[waitingLetters, lagPlace]], { w: 18 }),
    lines('New dead letters', 'Sent to dead-letter topics, a second.', [[ofTopics('.+-DLQ'), `{{${topic}}}`]]),
    lines('Delayed tries', 'Sent to retry topics, a second; what is redriven too.', [
      [ofTopics('.+-RETRY'), `{{${topic}}}`],
    ]),
    failuresByType(),
    lines('Given up by lanes', 'Messages that held their lane too long, a second.', [
      [`sum(${rate('bento_exhausted_total')})`, 'all'],
    ]),
  ],
);

const eventStore = dashboard(
  'event-store',
  'event store and relay',
  'Commands, and the way of their events to the broker.',
  [],
  [
    lines('Commands', 'Executed, a second.', [
      [sumBy('command, outcome', rate('bento_commands_total')), '{{command}} · {{outcome}}'],
    ]),
    lines(
      'Time of commands',
      '95 of 100 take at most this, with the append to the store.',
      [[quantile(0.95, 'bento_command_duration_seconds', 'command'), '{{command}}']],
      { unit: 's' },
    ),
    lines('Relay', 'Events of the log, a second: published, and passed over since no catalogue has their type.', [
      [sumBy('outcome', rate('bento_relay_events_total')), '{{outcome}}'],
    ]),
    lines(
      'Relay behind',
      'Age of the oldest event that is not published.',
      [['max by (instance) (bento_relay_behind_seconds{job=~"$job"})', '{{instance}}']],
      { unit: 's' },
    ),
    lines(
      'Age at the handler',
      'From the commit of an event to its handler, projections among them: 95 of 100 are at most this old.',
      [[quantile(0.95, 'bento_message_age_seconds', `${topic}, ${group}`), place]],
      { unit: 's' },
    ),
    states(
      'Store and relay',
      'Their health checks.',
      [['min by (instance, check) (bento_health{job=~"$job", check=~"store|relay"})', '{{instance}} · {{check}}']],
      { w: 12, h: 8 },
    ),
  ],
);

/** File name → dashboard. */
export const dashboards = {
  'overview.json': overview,
  'consumers.json': consumers,
  'dead-letters.json': deadLetters,
  'event-store.json': eventStore,
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(dashboardFolder, { recursive: true });
  for (const [name, one] of Object.entries(dashboards)) {
    const file = join(dashboardFolder, name);
    writeFileSync(file, `${print(one)}\n`);
    console.log(relative(process.cwd(), file));
  }
}
