import { BentoError, type Finding } from '@bento-bus/core';
import { withDeadline } from '@bento-bus/core/adapter';
import { toBentoError } from '../errors.ts';
import type { InternalBroker } from '../kafkajs/internals.ts';
import type { KafkaConnection } from '../security.ts';
import type { AdminConnection } from './connection.ts';
import { awayFinding, brokersAway, partitionsFinding } from './diagnose-partitions.ts';
import { type ClusterFacts, judge, looked, type Settings } from './diagnose-settings.ts';
import { type Features, versionFinding } from './diagnose-version.ts';
import { features } from './requests.ts';

const brokerResource = 4;

/** How long somebody who looks tries to reach a cluster, waits for one broker, and waits for all of it. Milliseconds. */
const [reachMs, brokerMs, patienceMs] = [5_000, 3_000, 10_000];

const late = (ms: number) => (): never => {
  throw new BentoError(
    'TIMEOUT',
    `kafka-adapter: cannot look at the cluster: no answer within ${ms} ms. See that the brokers run and have time to answer.`,
    true,
  );
};

/** What is looked at of a cluster. `connection` undefined: a client was given, and how it proves itself is its own. */
export async function diagnose(
  cluster: AdminConnection,
  connection: KafkaConnection | undefined,
): Promise<readonly Finding[]> {
  try {
    const looking = cluster.run('look at the cluster', () => look(cluster, connection), reachMs);
    return await withDeadline(looking, patienceMs, late(patienceMs));
  } catch (error) {
    return [unreachable(toBentoError(error, 'look at the cluster'))];
  }
}

async function look(cluster: AdminConnection, connection: KafkaConnection | undefined): Promise<readonly Finding[]> {
  const { brokers, controllerId, topics } = await cluster.overview();
  const findings: Finding[] = [credentials(connection)];
  const looks = await Promise.all(brokers.map((broker) => lookAt(cluster, broker)));
  const answers = looks.flatMap(({ answer }) => answer ?? []);
  const silent = looks.flatMap((one) => one.silent ?? []);
  const away = brokersAway(brokers, topics);
  findings.push(
    silent.length === 0 && controllerId >= 0 && away.length > 0
      ? awayFinding(away)
      : reachable(brokers.length, silent, controllerId),
  );
  const protocol = answers.map(({ settings }) => settings.get('inter.broker.protocol.version'))[0];
  const [first] = looks.flatMap(({ known }) => known ?? []);
  if (first !== undefined) findings.push(versionFinding(first.features, protocol));
  findings.push(partitionsFinding(topics));
  if (looks.some(({ refused = false }) => refused))
    findings.push({
      check: 'kafka: settings',
      level: 'warning',
      found: 'the brokers do not show theirs to this user, so they were not looked at',
      advice: 'Grant DescribeConfigs on the cluster, or have a user with that right look.',
    });
  const internal = new Set(topics.filter((one) => one.isInternal).map(({ topic }) => topic));
  const facts: ClusterFacts = { brokers: brokers.length + away.length, internal };
  return [...findings, ...judge(new Map(answers.map((one) => [one.nodeId, one.settings])), facts)];
}

/** What one broker answers. */
interface Look {
  readonly known?: { readonly features: Features };
  readonly answer?: { readonly nodeId: number; readonly settings: Settings };
  /** It shows its settings to others only. */
  readonly refused?: boolean;
  /** It does not answer: which it is, and why. */
  readonly silent?: string;
}

async function lookAt(
  cluster: AdminConnection,
  { nodeId, host, port }: { readonly nodeId: number; readonly host: string; readonly port: number },
): Promise<Look> {
  let known: Look['known'];
  const asking = async (): Promise<Look> => {
    const broker = await cluster.node(nodeId);
    known = { features: await features(broker) };
    return { known, answer: { nodeId, settings: await settingsOf(broker, nodeId) } };
  };
  try {
    return await withDeadline(asking(), brokerMs, late(brokerMs));
  } catch (cause) {
    const error = toBentoError(cause, 'ask it');
    const outcome =
      error.code === 'AUTHORIZATION'
        ? { refused: true }
        : { silent: `${nodeId} at ${host}:${port} (${reasonOf(error)[0]})` };
    return { ...(known && { known }), ...outcome };
  }
}

async function settingsOf(broker: InternalBroker, nodeId: number): Promise<Settings> {
  const resources = [{ type: brokerResource, name: String(nodeId), configNames: looked }];
  const { resources: found } = await broker.describeConfigs({ resources });
  const entries = found[0]?.configEntries ?? [];
  const given = entries.filter(({ configValue }) => configValue !== null);
  return new Map(given.map(({ configName, configValue }) => [configName, configValue ?? '']));
}

function credentials(connection: KafkaConnection | undefined): Finding {
  const check = 'kafka: credentials';
  if (connection === undefined) return { check, level: 'ok', found: 'those of the client given are accepted' };
  const { ssl = false, sasl } = connection;
  const proof = sasl?.mechanism ?? (typeof ssl === 'object' && ssl.cert !== undefined ? 'certificate' : undefined);
  const way = ssl === false ? 'without TLS' : 'by TLS';
  if (sasl?.mechanism === 'plain' && ssl === false)
    return {
      check,
      level: 'warning',
      found: 'plain without TLS: everybody on the way can read the password',
      advice: 'Set connection.ssl, or use scram-sha-512.',
    };
  return {
    check,
    level: 'ok',
    found: proof === undefined ? `none are asked for, ${way}` : `${proof} is accepted, ${way}`,
  };
}

function reachable(count: number, silent: readonly string[], controller: number): Finding {
  const check = 'kafka: reachable';
  if (silent.length > 0)
    return {
      check,
      level: 'fault',
      found: `${silent.length} of ${count} brokers do not answer: ${silent.join(', ')}`,
      advice: 'See that they run, and that advertised.listeners names addresses that this machine can reach.',
    };
  if (controller < 0)
    return {
      check,
      level: 'fault',
      found: 'the cluster has no controller, so no topic can be made or changed',
      advice: 'See that a majority of the controllers run.',
    };
  return { check, level: 'ok', found: count === 1 ? '1 broker answers' : `all ${count} brokers answer` };
}

function unreachable(error: BentoError): Finding {
  const isCredentials = error.code === 'AUTHENTICATION';
  const [found, advice] = reasonOf(error);
  return { check: isCredentials ? 'kafka: credentials' : 'kafka: reachable', level: 'fault', found, advice };
}

/** The two halves of an error of this package: what happened, and what to do. */
function reasonOf({ message }: BentoError): readonly [reason: string, advice: string] {
  const text = message.replace(/^kafka-adapter: cannot [^:]*: /, '');
  const at = text.lastIndexOf('. ');
  return at < 0 ? [text, 'See the log of the brokers.'] : [text.slice(0, at), text.slice(at + 2)];
}
