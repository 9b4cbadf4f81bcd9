import { existsSync } from 'node:fs';
import { connectOperations, readEndpoint } from '@bento-bus/admin';
import { BentoError, canDiagnose, type Finding } from '@bento-bus/core';
import { withDeadline } from '@bento-bus/core/adapter';
import { tenantOptions } from '@bento-bus/runtime';
import { counted, explain } from '@bento-bus/runtime/terminal';
import { documentIn, eventsOf } from '../commands/asyncapi.ts';
import type { Work } from '../work.ts';
import { brokers } from './backends.ts';
import type { Backend, BentoConfig } from './config.ts';
import { registryOf } from './registries.ts';
import { accessOf, openStore, storePlace } from './store.ts';

/** Of one request: what is well answers at once. Milliseconds. */
const patience = (timeoutMs: number): number => Math.max(100, Math.min(5_000, Math.floor(timeoutMs / 3)));

/** Of one look, whatever it asks. Milliseconds. */
const longestLookMs = 15_000;

/**
 * Everything that `doctor` looks at, in this order. Never throws for what it finds. Looks are taken at once and each has a deadline of its
 * own: what accepts and never answers is a fault of that look, and keeps none of the others from being shown.
 */
export async function* diagnoses(work: Work): AsyncGenerator<Finding, void, undefined> {
  yield node();
  if (work.io.operations !== undefined) {
    yield* await look(work, 'application', () => work.operations('broker').then((operations) => operations.diagnose()));
    return;
  }
  let config: BentoConfig;
  try {
    ({ config } = work);
    yield { check: 'configuration', level: 'ok', found: describe(config) };
  } catch (error) {
    // Without it nothing else can be looked at.
    yield fault('configuration', error);
    return;
  }
  const running = await readEndpoint(work.place.dataDir);
  const looks = [
    look(work, 'application', () => application(work, running)),
    // In process there is no server; the application has told of its own.
    ...(config.messageBusType === 'inprocess' ? [] : [look(work, config.messageBusType, () => broker(work))]),
    look(work, 'event store', () => store(work, running !== undefined)),
    look(work, 'schemas', () => schemas(work)),
  ];
  for (const found of looks) yield* await found;
}

/** `Engines` of the packages. */
const leastNode = [20, 19] as const;

function node(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const fine = major > leastNode[0] || (major === leastNode[0] && minor >= leastNode[1]);
  const found = `${process.version} on ${process.platform} ${process.arch}`;
  if (fine) return { check: 'node', level: 'ok', found };
  return { check: 'node', level: 'fault', found, advice: `Use Node.js ${leastNode.join('.')} or newer.` };
}

const host = (url: string): string => new URL(url).host;

/** Where everything is, without secrets. */
function describe(config: BentoConfig): string {
  const { messageBusType, kafkaBrokers = ['localhost:9092'], pulsarServiceUrl, pulsarWebUrl } = config;
  const { tenant, namespace } = tenantOptions(config);
  const pulsar = [pulsarServiceUrl, pulsarWebUrl].flatMap((url) => (url === undefined ? [] : [host(url)]));
  const at = { kafka: kafkaBrokers, pulsar: pulsar.length === 0 ? ['localhost'] : pulsar }[messageBusType] ?? [];
  const where = at.length === 0 ? '' : ` at ${at.join(', ')}`;
  return `backend ${messageBusType}${where}${tenant === undefined ? '' : `, tenant ${tenant}/${namespace}`}`;
}

/** What a look finds; one that fails is a fault itself. */
async function look(
  { timeoutMs }: Work,
  check: string,
  take: () => Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  const deadlineMs = Math.min(longestLookMs, timeoutMs);
  try {
    return await withDeadline(take(), deadlineMs, () => {
      throw new BentoError(
        'TIMEOUT',
        `bento: cannot finish this look within ${deadlineMs} ms: what it asks does not answer. See that it runs and has time to answer, or allow more by --timeout.`,
        true,
      );
    });
  } catch (error) {
    return [fault(check, error)];
  }
}

/** Errors of the toolkit say what is wrong in the first sentence, and then what to do. */
function fault(check: string, error: unknown): Finding {
  const text = explain(error);
  const at = text.search(/(?<=\.) (?=[A-Z])/);
  if (at < 0) return { check, level: 'fault', found: text, advice: 'Mend what it says, and look again.' };
  return { check, level: 'fault', found: text.slice(0, at), advice: text.slice(at + 1) };
}

async function application(
  work: Work,
  endpoint: Awaited<ReturnType<typeof readEndpoint>>,
): Promise<readonly Finding[]> {
  const { shownDir, config } = work.place;
  const check = 'application';
  if (endpoint === undefined)
    return [{ check, level: 'ok', found: `none runs on "${shownDir}" (npm start -- serve starts the order app)` }];
  const operations = work.own(connectOperations(endpoint));
  const about = await operations.about();
  const found = `${about.application ?? 'it'} runs (pid ${endpoint.pid}) on ${about.backend}${about.store === undefined ? '' : `, store ${about.store}`}`;
  const own: Finding =
    about.backend === config.messageBusType
      ? { check, level: 'ok', found }
      : {
          check,
          level: 'warning',
          found: `${found}; the configuration here says ${config.messageBusType}`,
          advice: 'Run both with the same settings: bento looks at another backend than the application works on.',
        };
  // A broker is looked at from here.
  return about.backend === 'inprocess' ? [own, ...(await operations.diagnose())] : [own];
}

async function broker({ place }: Work): Promise<readonly Finding[]> {
  const { config, timeoutMs } = place;
  const { admin } = await brokers[config.messageBusType as Backend](config, patience(timeoutMs));
  try {
    if (canDiagnose(admin)) return await admin.diagnose();
    const topics = await admin.listTopics();
    return [{ check: admin.name, level: 'ok', found: `answers, ${counted(topics.length, 'topic')}` }];
  } finally {
    await admin.close();
  }
}

async function store({ place }: Work, isRunning: boolean): Promise<readonly Finding[]> {
  const { config, dataDir, shownDir, timeoutMs } = place;
  const check = 'event store';
  const at = storePlace(config, dataDir);
  if (at === undefined)
    return [{ check, level: 'ok', found: `embedded, not made yet in "${shownDir}": the application makes it` }];
  if ('path' in at && isRunning)
    return [{ check, level: 'ok', found: `${at.name}, in use by the application, which looks after it` }];
  const { diagnoseClickHouse } = await import('@bento-bus/clickhouse-store');
  const own: Finding = { check, level: 'ok', found: at.name };
  if ('path' in at) {
    await using clickhouse = await openStore(at, config, patience(timeoutMs));
    return [own, ...(await diagnoseClickHouse(clickhouse))];
  }
  const http = nativePorts[new URL(at.url).port];
  if (http !== undefined)
    return [
      {
        check,
        level: 'fault',
        found: `${at.name}: this port speaks ClickHouse's native protocol`,
        advice: `Use the HTTP port, ${http} unless it was changed.`,
      },
    ];
  // Not opened, which would make what is missing.
  const { createClient, ClickHouseLogLevel } = await import('@clickhouse/client');
  await using client = createClient({
    ...accessOf(at, config),
    request_timeout: patience(timeoutMs),
    log: { level: ClickHouseLogLevel.OFF },
  });
  return [own, ...(await diagnoseClickHouse({ client, database: config.clickhouseDatabase, embedded: false }))];
}

/** Of the native protocol, plain and TLS: https://clickhouse.com/docs/guides/sre/network-ports */
const nativePorts: Readonly<Record<string, string>> = { 9000: '8123', 9440: '8443' };

async function schemas(work: Work): Promise<readonly Finding[]> {
  const { config, timeoutMs } = work.place;
  const findings: Finding[] = [];
  if (config.registryUrl !== undefined) {
    const registry = registryOf({
      config,
      signal: work.signal,
      timeoutMs: patience(timeoutMs),
      topics: async () => [],
    });
    const subjects = await registry.list();
    findings.push({
      check: 'schema registry',
      level: 'ok',
      found: `${new URL(registry.url).origin} answers, ${counted(subjects.length, 'subject')}`,
    });
  }
  const file = work.path('asyncapi.json');
  if (existsSync(file)) {
    const events = eventsOf(await documentIn(file));
    findings.push({ check: 'asyncapi.json', level: 'ok', found: `describes ${counted(events.length, 'event')}` });
  }
  return findings;
}
