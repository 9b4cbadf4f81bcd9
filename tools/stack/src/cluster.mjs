// Several Kafka nodes that form one cluster.
import { join } from 'node:path';
import { kafka } from './kinds/kafka.mjs';
import { choosePorts } from './ports.mjs';
import { startServer } from './start.mjs';

const attempts = 5;

/** The ports of a cluster by name, with the variable that fixes each: `{ broker1: 'STACK_KAFKA3_PORT_1', controller1: … }`. */
export const clusterPorts = (nodes = 3) =>
  Object.fromEntries(
    Array.from({ length: nodes }, (_, index) => index + 1).flatMap((id) => [
      [`broker${id}`, `STACK_KAFKA3_PORT_${id}`],
      [`controller${id}`, `STACK_KAFKA3_CONTROLLER_PORT_${id}`],
    ]),
  );

/** Resolves with the nodes once every one of them serves; else none is left running. `folderOf(id)` is the folder of one. */
export async function startNodes(options, count, folderOf = (id) => options.dir && join(options.dir, String(id))) {
  const { ports: given = {}, preferredPorts, name = 'kafka' } = options;
  for (let attempt = 1; ; attempt += 1) {
    const ports = await choosePorts(name, clusterPorts(count), {
      given,
      preferred: attempt === 1 ? preferredPorts : {},
    });
    const nodes = Array.from({ length: count }, (_, index) => ({
      id: index + 1,
      controller: ports[`controller${index + 1}`],
    }));
    const starts = nodes.map(({ id, controller }) =>
      startServer(kafka, {
        heapMb: 192,
        ...options,
        preferredPorts: undefined,
        name: `${name}-${id}`,
        dir: folderOf(id),
        ports: { broker: ports[`broker${id}`], controller },
        extra: { id, nodes },
      }),
    );
    const results = await Promise.allSettled(starts);
    const failed = results.find(({ status }) => status === 'rejected');
    const started = results.flatMap(({ value }) => value ?? []);
    if (failed === undefined) return started;
    await Promise.all(started.map((node) => node.kill()));
    await Promise.all(started.map((node) => node.stop()));
    if (failed.reason.code !== 'PORT_TAKEN' || attempt === attempts || Object.keys(given).length > 0)
      throw failed.reason;
  }
}

/** Nodes that stop one after another would wait for a quorum that is gone: the last ones are killed. */
export async function stopNodes(nodes) {
  const last = nodes.slice(1 - Math.ceil(nodes.length / 2));
  await Promise.all(nodes.filter((node) => !last.includes(node)).map((node) => node.stop()));
  await Promise.all(last.map((node) => node.kill()));
  await Promise.all(last.map((node) => node.stop()));
}
