import type { NamespacePolicyValues, PolicyScope, PulsarPolicies, TopicPolicyValues } from '@bento-bus/pulsar-adapter';
import { facts, UsageError } from '@bento-bus/runtime/terminal';
import { type Command, Option } from 'commander';
import { example, mayDelete, yesOption } from '../arguments.ts';
import type { Acting } from '../program.ts';
import type { Work } from '../work.ts';

const policiesOf = async (work: Work): Promise<PulsarPolicies> => (await work.pulsar()).policies;

const topicPolicies: readonly (keyof TopicPolicyValues)[] = [
  'retention',
  'messageTTL',
  'deduplication',
  'compactionThreshold',
  'replicationClusters',
  'schemaCompatibility',
];
const namespacePolicies: readonly (keyof NamespacePolicyValues)[] = [...topicPolicies, 'offloadThreshold'];

interface ScopeArguments {
  readonly namespace?: string;
  readonly topic?: string;
}

const scoped = (command: Command): Command =>
  command
    .addOption(
      new Option('--namespace <name>', 'of this namespace; not given: that of MESSAGE_BUS_TENANT').conflicts('topic'),
    )
    .option('--topic <name>', 'of this topic');

type Scope = PolicyScope<NamespacePolicyValues>;

async function scopeOf(work: Work, { namespace, topic }: ScopeArguments): Promise<Scope> {
  const policies = await policiesOf(work);
  // The adapter refuses what topics do not have.
  return topic === undefined ? policies.namespace(namespace) : (policies.topic(topic) as unknown as Scope);
}

async function showPolicies(work: Work, options: ScopeArguments): Promise<void> {
  const scope = await scopeOf(work, options);
  const names = options.topic === undefined ? namespacePolicies : topicPolicies;
  const values: Record<string, unknown> = {};
  for (const name of names) values[name] = (await scope.get(name)) ?? null;
  work.output.result(values, () =>
    facts(names.map((name) => [name, values[name] === null ? 'not set' : JSON.stringify(values[name])])),
  );
}

export function addPolicies(pulsar: Command, act: Acting): void {
  const policies = pulsar.command('policies').description('policies of a namespace or a topic');
  example(
    scoped(policies.command('show').description('what is set here; otherwise what lies above holds')).action(
      act(showPolicies),
    ),
    'bento pulsar policies show --topic orders',
  );
  example(
    scoped(
      policies
        .command('set')
        .description(`set a policy: ${namespacePolicies.join(', ')}`)
        .argument('<policy>')
        .argument('<value>', 'as JSON; a text may stand as it is')
        .addOption(yesOption()),
    ).action(
      act((work, policy: string, value: string, options: ChangeArguments) =>
        change(work, policy, valueOf(value), options),
      ),
    ),
    `bento pulsar policies set retention '{"retentionTimeInMinutes":1440,"retentionSizeInMB":512}' --namespace public/default --yes`,
    'bento pulsar policies set messageTTL 3600 --topic orders --yes',
  );
  example(
    scoped(
      policies.command('unset').description('take a policy back').argument('<policy>').addOption(yesOption()),
    ).action(act((work, policy: string, options: ChangeArguments) => change(work, policy, null, options))),
    'bento pulsar policies unset messageTTL --topic orders --yes',
  );
}

interface ChangeArguments extends ScopeArguments {
  readonly yes?: boolean;
}

/** `value`: null takes the policy back. Asks where messages may be deleted by it. */
async function change(work: Work, policy: string, value: unknown, options: ChangeArguments): Promise<void> {
  const name = named(policy);
  const { topic, namespace } = options;
  const where =
    topic === undefined ? `namespace ${namespace === undefined ? '' : `"${namespace}"`}`.trim() : `"${topic}"`;
  if (mayDelete([name])) await work.confirm(`change ${name} of ${where}, by which messages may be deleted`, options);
  await (await scopeOf(work, options)).set(name, value as never);
  await showPolicies(work, options);
}

function named(policy: string): keyof NamespacePolicyValues {
  const name = namespacePolicies.find((one) => one === policy);
  if (name !== undefined) return name;
  throw new UsageError(
    `bento: cannot use policy "${policy}": there are ${namespacePolicies.join(', ')}. Name one of them.`,
  );
}

function valueOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
