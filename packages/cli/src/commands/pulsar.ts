import type { PulsarPolicies, TenantOptions } from '@bento-bus/pulsar-adapter';
import { facts } from '@bento-bus/runtime/terminal';
import { type Command, Option } from 'commander';
import { each, example, yesOption } from '../arguments.ts';
import type { Acting } from '../program.ts';
import type { Work } from '../work.ts';
import { addPolicies } from './pulsar-policies.ts';

const policiesOf = async (work: Work): Promise<PulsarPolicies> => (await work.pulsar()).policies;

export function addPulsar(program: Command, act: Acting): void {
  const pulsar = program.command('pulsar').description('what Pulsar has beyond other brokers');
  example(
    pulsar
      .command('clusters')
      .description('clusters that this one knows')
      .action(act(async (work) => showNames(work, await (await policiesOf(work)).listClusters()))),
    'bento pulsar clusters --backend pulsar',
  );
  addTenants(pulsar, act);
  addNamespaces(pulsar, act);
  addPolicies(pulsar, act);
}

const showNames = (work: Work, names: readonly string[]): void =>
  work.output.result(names, () => names.map((name) => `${name}\n`).join(''));

interface TenantArguments {
  readonly cluster?: readonly string[];
  readonly role?: readonly string[];
}
const tenantOptions = ({ cluster, role }: TenantArguments): TenantOptions => ({
  ...(cluster !== undefined && { allowedClusters: cluster }),
  ...(role !== undefined && { adminRoles: role }),
});

const clusters = (): Option => new Option('--cluster <name>', 'may be used there; once for each').argParser(each);
const roles = (): Option => new Option('--role <role>', 'its administrators; once for each').argParser(each);

function addTenants(pulsar: Command, act: Acting): void {
  const tenants = pulsar.command('tenants').description('tenants');
  example(
    tenants
      .command('list')
      .description('names of tenants')
      .action(act(async (work) => showNames(work, await (await policiesOf(work)).listTenants()))),
    'bento pulsar tenants list',
  );
  example(
    tenants
      .command('show')
      .description('who may use a tenant, and where')
      .argument('<tenant>')
      .action(
        act(async (work, tenant: string) => {
          const found = await (await policiesOf(work)).describeTenant(tenant);
          work.output.result({ tenant, ...found }, () =>
            facts([
              ['Clusters', found.allowedClusters.join(', ')],
              ['Administrators', found.adminRoles.join(', ')],
            ]),
          );
        }),
      ),
    'bento pulsar tenants show public',
  );
  example(
    tenants
      .command('create')
      .description('make a tenant; one that is there stays as it is')
      .argument('<tenant>')
      .addOption(clusters())
      .addOption(roles())
      .action(
        act(async (work, tenant: string, options: TenantArguments) => {
          const created = await (await policiesOf(work)).createTenant(tenant, tenantOptions(options));
          work.output.result({ tenant, created }, () => (created ? `Made "${tenant}".\n` : `"${tenant}" was there.\n`));
        }),
      ),
    'bento pulsar tenants create shop --cluster standalone',
  );
  example(
    tenants
      .command('update')
      .description('change who may use a tenant, and where')
      .argument('<tenant>')
      .addOption(clusters())
      .addOption(roles())
      .action(
        act(async (work, tenant: string, options: TenantArguments) => {
          await (await policiesOf(work)).updateTenant(tenant, tenantOptions(options));
          work.output.result({ tenant, updated: true }, () => `Changed "${tenant}".\n`);
        }),
      ),
    'bento pulsar tenants update shop --role shop-admin',
  );
  example(
    tenants
      .command('delete')
      .description('delete a tenant that has no namespaces')
      .argument('<tenant>')
      .addOption(yesOption())
      .action(
        act(async (work, tenant: string, options: { readonly yes?: boolean }) => {
          await work.confirm(`delete tenant "${tenant}"`, options);
          const deleted = await (await policiesOf(work)).deleteTenant(tenant);
          work.output.result({ tenant, deleted }, () =>
            deleted ? `Deleted "${tenant}".\n` : `There was no "${tenant}".\n`,
          );
        }),
      ),
    'bento pulsar tenants delete shop --yes',
  );
}

function addNamespaces(pulsar: Command, act: Acting): void {
  const namespaces = pulsar.command('namespaces').description('namespaces, as tenant/name');
  example(
    namespaces
      .command('list')
      .description('namespaces of a tenant')
      .argument('[tenant]', 'not given: that of MESSAGE_BUS_TENANT')
      .action(
        act(async (work, tenant: string | undefined) =>
          showNames(work, await (await policiesOf(work)).listNamespaces(tenant)),
        ),
      ),
    'bento pulsar namespaces list public',
  );
  example(
    namespaces
      .command('create')
      .description('make a namespace; one that is there stays as it is')
      .argument('<namespace>')
      .action(
        act(async (work, namespace: string) => {
          const created = await (await policiesOf(work)).createNamespace(namespace);
          work.output.result({ namespace, created }, () =>
            created ? `Made "${namespace}".\n` : `"${namespace}" was there.\n`,
          );
        }),
      ),
    'bento pulsar namespaces create shop/orders',
  );
  example(
    namespaces
      .command('delete')
      .description('delete a namespace that has no topics')
      .argument('<namespace>')
      .addOption(yesOption())
      .action(
        act(async (work, namespace: string, options: { readonly yes?: boolean }) => {
          await work.confirm(`delete namespace "${namespace}"`, options);
          const deleted = await (await policiesOf(work)).deleteNamespace(namespace);
          work.output.result({ namespace, deleted }, () =>
            deleted ? `Deleted "${namespace}".\n` : `There was no "${namespace}".\n`,
          );
        }),
      ),
    'bento pulsar namespaces delete shop/orders --yes',
  );
}
