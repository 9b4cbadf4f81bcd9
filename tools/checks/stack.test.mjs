// The stack, as far as that needs no real server: a fake one shows how processes are started, watched and ended.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { identityOf } from '../stack/src/identity.mjs';
import { endpointEnvironment, readEndpoints, startClickHouse } from '../stack/src/index.mjs';
import { portsFromEnvironment } from '../stack/src/ports.mjs';

const scratch = mkdtempSync(join(tmpdir(), 'bento-stack-test-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
let folders = 0;
const folder = () => join(scratch, String((folders += 1)));
const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));

/** Runs a module with an environment of its own; resolves with its exit code and output. */
async function run(args, environment = {}) {
  try {
    const env = { ...process.env, STACK_ROOT: join(scratch, 'root'), NODE_OPTIONS: '', ...environment };
    return { code: 0, ...(await promisify(execFile)(process.execPath, args, { env })) };
  } catch ({ code, stdout, stderr }) {
    return { code, stdout, stderr };
  }
}
const cli = (...args) => run([path('../stack/src/cli.mjs'), ...args]);
const evaluate = (source, environment) =>
  run(['--input-type=module', '-e', source.replaceAll('@', path('../stack/src/'))], environment);

const listening = async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
};

describe('the command line of the stack', () => {
  it('explains itself', async () => {
    const { code, stdout } = await cli('--help');
    assert.equal(code, 0);
    assert.match(stdout, /up \[server …\]/);
    assert.match(stdout, /STACK_KAFKA_PORT/);
  });

  for (const args of [['fly'], ['up', 'redis'], ['logs'], ['kill', 'all'], ['down', '--json'], ['--colour']])
    it(`refuses "${args.join(' ')}" with one line and exit code 2`, async () => {
      const { code, stderr } = await cli(...args);
      assert.equal(code, 2);
      assert.match(stderr, /^stack: [^\n]+See: npm run stack -- --help\n$/);
    });

  it('says that nothing was started, as exit code and as JSON', async () => {
    assert.deepEqual(await cli('status'), { code: 1, stdout: 'nothing was started\n', stderr: '' });
    const { stdout } = await cli('status', 'kafka', '--json');
    assert.deepEqual(JSON.parse(stdout), [{ name: 'kafka', running: false }]);
  });
});

describe('what is missing on the machine', () => {
  const start = `import { startKafka } from '@index.mjs';
    await startKafka().catch((error) => console.log(error.name, error.message));`;

  it('is named when it is Java', async () => {
    const { stdout } = await evaluate(start, { PATH: scratch, JAVA_HOME: '' });
    assert.match(stdout, /^StackError stack: cannot start "kafka": java was not found on PATH\. Install .*\n$/);
  });

  it('is named when it is Maven and the server is not in the cache', async () => {
    const bin = folder();
    mkdirSync(bin);
    symlinkSync(process.execPath, join(bin, 'java'));
    const { stdout } = await evaluate(start, { PATH: bin, JAVA_HOME: '', XDG_CACHE_HOME: folder() });
    assert.match(stdout, /^StackError stack: cannot fetch "kafka": mvn was not found on PATH\. Install .*\n$/);
  });
});

/** A Maven that counts its calls, and writes where it is told in two steps. */
function fakeMaven(ending) {
  const bin = folder();
  const calls = join(bin, 'calls');
  mkdirSync(bin);
  const script = `#!/bin/sh
echo x >> ${calls}
for arg; do case $arg in -DoutputDirectory=*) out=\${arg#*=};; esac; done
mkdir -p "$out"; : > "$out/a.jar"; sleep 0.5; ${ending}; : > "$out/b.jar"`;
  writeFileSync(join(bin, 'mvn'), script);
  chmodSync(join(bin, 'mvn'), 0o755);
  return { calls: () => readFileSync(calls, 'utf8').length / 2, environment: { PATH: `${bin}:${process.env.PATH}` } };
}

describe('the cache', () => {
  const fetchIt = `import { fetched } from '@cache.mjs';
    const artifact = { name: 'kafka', version: '0', goal: 'copy', about: 'fake' };
    await fetched(artifact).then(console.log, (error) => console.log(error.message));`;
  it('is filled once when two processes ask at the same time', async () => {
    const { calls, environment } = fakeMaven('true');
    const env = { ...environment, XDG_CACHE_HOME: folder() };
    const results = await Promise.all([evaluate(fetchIt, env), evaluate(fetchIt, env)]);
    const where = join(env.XDG_CACHE_HOME, 'bento-bus/kafka-0');
    assert.deepEqual(
      results.map(({ stdout }) => stdout.trim()),
      [where, where],
    );
    assert.ok(existsSync(join(where, 'a.jar')) && existsSync(join(where, 'b.jar')));
    assert.equal(calls(), 1);
  });

  it('keeps nothing of a fetch that failed, and tells its cause in a line', async () => {
    const { environment } = fakeMaven('echo "[ERROR] no route to host"; exit 1');
    const env = { ...environment, XDG_CACHE_HOME: folder() };
    const { stdout } = await evaluate(fetchIt, env);
    assert.match(stdout, /^stack: cannot fetch "kafka": Maven failed: no route to host\. [^\n]+\n$/);
    assert.ok(!existsSync(join(env.XDG_CACHE_HOME, 'bento-bus/kafka-0')));
  });
});

describe('ports', () => {
  it('are read from the environment', () => {
    const variables = { broker: 'A_PORT', web: 'B_PORT' };
    assert.deepEqual(portsFromEnvironment(variables, { A_PORT: '9092', B_PORT: '' }), { broker: 9092 });
    for (const text of ['0', '65536', '80a', '-1', '1.5'])
      assert.throws(() => portsFromEnvironment(variables, { B_PORT: text }), {
        message: `stack: B_PORT="${text}" is not a port. Give a number from 1 to 65535.`,
      });
  });

  it('that are taken are named with the variable that chooses another', async () => {
    const holder = await listening();
    after(() => holder.close());
    const { port } = holder.address();
    await assert.rejects(startClickHouse({ ports: { http: port } }), {
      code: 'PORT_TAKEN',
      message: `stack: cannot start "clickhouse": its http port ${port} is taken. Stop what listens there, or choose another (ports.http, STACK_CLICKHOUSE_PORT).`,
    });
  });

  it('that a server does not have are refused', async () => {
    const expected = 'stack: cannot start "clickhouse": it has no port "tcp". Its ports: http.';
    await assert.rejects(startClickHouse({ ports: { tcp: 9000 } }), { message: expected });
  });
});

describe('endpoints', () => {
  it('of servers whose process is gone are not read', () => {
    const root = folder();
    mkdirSync(join(root, '.bento/stack'), { recursive: true });
    const endpoints = { brokers: '127.0.0.1:1' };
    const me = identityOf(process.pid);
    const servers = {
      kafka: { endpoints, processes: [me] },
      kafka3: { endpoints, processes: [{ pid: 2 ** 30, started: '1' }, me] },
      pulsar: { endpoints, processes: [{ pid: 2 ** 30, started: '1' }] },
      registry: { endpoints, processes: [{ ...me, started: `${me.started}0` }] },
    };
    writeFileSync(join(root, '.bento/stack/endpoints.json'), JSON.stringify(servers));
    assert.deepEqual(readEndpoints(root), { kafka: endpoints, kafka3: endpoints });
    assert.deepEqual(readEndpoints(folder()), {});
  });

  it('become the variables that the packages read', () => {
    const kafka3 = { brokers: 'a:1,b:2' };
    assert.deepEqual(endpointEnvironment({ kafka3 }), { KAFKA_BROKERS: 'a:1,b:2' });
    const clickhouse = { url: 'http://h:3', host: 'h', port: '3' };
    assert.deepEqual(endpointEnvironment({ kafka3, kafka: { brokers: 'c:3' }, clickhouse }), {
      KAFKA_BROKERS: 'c:3',
      CLICKHOUSE_HOST: 'h',
      CLICKHOUSE_PORT: '3',
    });
  });
});
