import { configurationError, type Diagnosing, type MessagingAdmin } from '@bento-bus/core';
import { closeOnce } from '@bento-bus/core/adapter';
import { Admin } from '../admin.ts';
import { type PulsarConnectionOptions, resolveConnection } from '../connection-options.ts';
import { Names } from '../names.ts';
import { AdminContext } from './context.ts';
import { diagnose, patienceMs } from './diagnose.ts';
import { groupAdmin } from './groups.ts';
import { topicSettings } from './policies.ts';
import { type PulsarPolicies, pulsarPolicies } from './pulsar-policies.ts';
import { Rest } from './rest.ts';
import { topicAdmin } from './topics.ts';

/** Options of `createPulsarAdmin`: those of the transport; what concerns messages on their way is not looked at. */
export type PulsarAdminOptions = PulsarConnectionOptions;

/** Administration of topics and groups, and what only Pulsar has. */
export interface PulsarAdmin extends MessagingAdmin, Diagnosing {
  readonly policies: PulsarPolicies;
}

/**
 * Administration by Pulsar's REST API at `webUrl`. Nothing is connected before it is used. Throws one `CONFIGURATION` error that names
 * every fault of the options. `NewTopic.replicationFactor` is not looked at; `config` has the names of `TopicPolicyValues`, values as JSON.
 * `diagnose` needs a super-user to see the broker's settings, and waits up to 5 s for an answer. Members that are at work when their group is moved go on from there, and count attempts on.
 */
export function createPulsarAdmin(given: PulsarAdminOptions = {}): PulsarAdmin {
  const options = Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== undefined),
  ) as PulsarAdminOptions;
  const faults: string[] = [];
  const { name, webUrl, tenant, namespace, partitions, requestTimeoutMs, format, security } = resolveConnection(
    options,
    faults,
  );
  if (faults.length > 0) throw configurationError('pulsar-adapter: cannot create the admin', faults);
  const rest = new Rest({ url: webUrl, security, timeoutMs: requestTimeoutMs });
  const looking = new Rest({ url: webUrl, security, timeoutMs: Math.min(requestTimeoutMs, patienceMs) });
  const names = new Names(tenant, namespace);
  const context = new AdminContext({ rest, admin: new Admin(rest), names, partitions, format });
  return {
    name,
    ...topicAdmin(context, topicSettings(rest)),
    ...groupAdmin(context),
    policies: pulsarPolicies(context, tenant),
    diagnose: () => diagnose(looking, names),
    ...closeOnce(() => {
      rest.close();
      looking.close();
    }),
  };
}
