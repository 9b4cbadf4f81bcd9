// `npm run stack -- <command>`: real servers on loopback for development and for failure tests by hand.
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { clusterPorts } from './cluster.mjs';
import { cluster, control, down, logs, status, up } from './commands.mjs';
import { endpointEnvironment, readEndpoints, stackFolder } from './endpoints.mjs';
import { StackError } from './errors.mjs';
import { kinds, usual } from './kind.mjs';

const servers = [...Object.keys(kinds), cluster];
const nodes = [1, 2, 3].map((id) => `${cluster}-${id}`);

const help = `npm run stack -- <command> [server …]

  up [server …] [--secure] start what does not run yet, print where it is; without a name: ${usual.join(', ')}
  down [server …] [--wipe] stop what up started; --wipe removes the data too
  status [server …] [--json]   exit code 0: all of them run; 1: not all, or none
  logs [-f] server         the end of its log; -f follows it
  kill server              SIGKILL, as a crash
  restart server           again on the same data and ports

Servers: ${servers.join(', ')} (a cluster of three; a node: ${nodes[0]} …), all (${usual.join(', ')}).
--secure: pulsar and kafka (both, without a name) that demand credentials, beside those that do not: pulsar-secure, kafka-secure.
Certificates, tokens and passwords are made when they are started first, in .bento/stack/<server>/security, for this user alone.
Data, logs and endpoints.json: .bento/stack in the repository, or STACK_ROOT/.bento/stack.
Ports are free ones, kept from one up to the next, or fixed by: ${[...usual.flatMap((name) => Object.values(kinds[name].ports)), ...Object.values(clusterPorts())].join(', ')}.
ClickHouse is a facade over the embedded engine chdb, and no ClickHouse server.`;

class UsageError extends Error {}

const commands = {
  up: { many: true, options: ['secure'] },
  down: { many: true, options: ['wipe'] },
  status: { many: true, options: ['json'] },
  logs: { many: false, options: ['follow'] },
  kill: { many: false, options: [] },
  restart: { many: false, options: [] },
};

function parse(args) {
  let parsed;
  try {
    parsed = parseArgs({
      args,
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h' },
        wipe: { type: 'boolean' },
        json: { type: 'boolean' },
        follow: { type: 'boolean', short: 'f' },
        secure: { type: 'boolean' },
      },
    });
  } catch (error) {
    throw new UsageError(error.message.split('. ')[0]);
  }
  const { values, positionals } = parsed;
  const [command, ...names] = positionals;
  if (values.help || positionals.length === 0) return { command: 'help', ok: values.help };
  const rules = Object.hasOwn(commands, command) ? commands[command] : undefined;
  if (rules === undefined) throw new UsageError(`unknown command "${command}"`);
  const stray = Object.keys(values).find((option) => !rules.options.includes(option));
  if (stray !== undefined) throw new UsageError(`"${command}" takes no --${stray}`);
  const known = rules.many && command === 'up' ? servers : [...servers, ...nodes];
  const unknown = names.find((name) => !known.includes(name) && !(rules.many && name === 'all'));
  if (unknown !== undefined) throw new UsageError(`unknown server "${unknown}"`);
  if (!rules.many && names.length !== 1) throw new UsageError(`"${command}" takes one server`);
  const wanted = [...new Set(names.flatMap((name) => (name === 'all' ? usual : [name])))];
  return { command, names: values.secure ? secured(wanted) : wanted, ...values };
}

/** The secure servers of these names. */
function secured(names) {
  const wanted = names.length === 0 ? ['pulsar', 'kafka'] : names;
  const open = wanted.find((name) => !Object.hasOwn(kinds, `${name}-secure`) && !name.endsWith('-secure'));
  if (open !== undefined) throw new UsageError(`there is no secure "${open}"`);
  return wanted.map((name) => (name.endsWith('-secure') ? name : `${name}-secure`));
}

const say = (line) => console.log(line);
const show = (endpoints) =>
  Object.entries(endpoints)
    .map(([key, value]) => `${key}=${value}`)
    .join(' ');

async function main() {
  const { command, names, wipe = false, json = false, follow = false, ok } = parse(process.argv.slice(2));
  const folder = stackFolder(process.env.STACK_ROOT || undefined);
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'])
    process.once(signal, () => stop.abort(new StackError(`stack: stopped by ${signal}.`)));
  const context = { say, signal: stop.signal, wipe };
  switch (command) {
    case 'help': {
      (ok ? console.log : console.error)(help);
      return ok ? 0 : 2;
    }
    case 'up': {
      const all = await up(folder, names.length === 0 ? usual : names, context);
      printEndpoints(folder);
      return all ? 0 : 1;
    }
    case 'down': {
      await down(folder, names, context);
      return 0;
    }
    case 'status': {
      const states = status(folder, names);
      if (json) say(JSON.stringify(states, undefined, 2));
      else if (states.length === 0) say('nothing was started');
      else
        for (const { name, running, pid, endpoints } of states)
          say(`${name.padEnd(15)}${running ? `running  pid ${pid}  ${show(endpoints)}` : 'stopped'}`);
      return states.length > 0 && states.every(({ running }) => running) ? 0 : 1;
    }
    case 'logs': {
      logs(folder, names[0], follow);
      return 0;
    }
    default: {
      await control(folder, command, names[0], context);
      return 0;
    }
  }
}

function printEndpoints(folder) {
  const endpoints = readEndpoints(dirname(dirname(resolve(folder))));
  for (const [name, one] of Object.entries(endpoints)) say(`${name.padEnd(15)}${show(one)}`);
  say('');
  for (const [name, value] of Object.entries(endpointEnvironment(endpoints))) say(`export ${name}=${value}`);
}

try {
  process.exitCode = await main();
} catch (error) {
  const usage = error instanceof UsageError;
  if (!usage && !(error instanceof StackError)) throw error;
  console.error(usage ? `stack: ${error.message}. See: npm run stack -- --help` : error.message);
  process.exitCode = usage ? 2 : 1;
}
