import { resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { revenueDimensions } from '../application/queries.ts';
import { orderStatuses } from '../domain/order-status.ts';
import { importFile, importSample } from './import-command.ts';
import { cancelOrder, payOrder, placeOrder, refundOrder, shipOrder } from './order-commands.ts';
import { addLine } from './place-line.ts';
import { listOrders, showOrder, showRevenue } from './query-commands.ts';
import { rebuild } from './rebuild-command.ts';
import { serveShop } from './serve-command.ts';
import type { GlobalOptions, Session } from './session.ts';

const seconds = (text: string): number => {
  if (!/^\d{1,6}$/.test(text) || Number(text) === 0)
    throw new InvalidArgumentError('It is a number of seconds from 1.');
  return Number(text);
};
const count = (text: string): number => {
  if (!/^\d{1,9}$/.test(text) || Number(text) === 0) throw new InvalidArgumentError('It is a whole number from 1.');
  return Number(text);
};

const port = (text: string): number => {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) throw new InvalidArgumentError('It is a port from 0 to 65535.');
  return Number(text);
};

/** The command line. What a command returns is the exit code. */
export function createProgram(name: string, session: Session): { run(argv: readonly string[]): Promise<number> } {
  let exitCode = 0;
  const program = new Command(name)
    .description(
      'An event-driven shop: imports invoices, keeps orders, and shows what became of them. Without a command it imports the sample.',
    )
    .addOption(new Option('--data <dir>', 'data directory').default('./.bento/order-app'))
    .option('--json', 'print the result as JSON, in one line')
    .addOption(new Option('--timeout <seconds>', 'longest wait for the read model').argParser(seconds).default(300))
    .helpCommand(true)
    .allowExcessArguments(true)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeOut: session.output.result, writeErr: session.output.notice, outputError: () => {} })
    .exitOverride();

  /** Runs an action with the options for all commands. */
  const act =
    <A extends readonly unknown[]>(action: (session: Session, options: GlobalOptions, ...args: A) => Promise<number>) =>
    async (...args: A): Promise<void> => {
      exitCode = await action(session, program.opts<GlobalOptions>(), ...args);
    };

  program.action(async () => {
    const [unknown] = program.args;
    if (unknown !== undefined)
      program.error(`error: unknown command "${unknown}"`, { code: 'commander.unknownCommand' });
    exitCode = await importSample(session, program.opts<GlobalOptions>());
  });
  program
    .command('import')
    .description('import a CSV file of invoices; again is safe: what is known stays as it is')
    .argument('<file>', 'CSV in the format of the "Online Retail" data set')
    .action(act(async (s, options, file: string) => importFile(s, options, resolve(file))));
  program.command('show').description('show an order with its lines').argument('<order>').action(act(showOrder));
  program
    .command('orders')
    .description('list orders by number')
    .option('--country <country>', 'only of this country')
    .addOption(new Option('--status <status>', 'only with this status').choices(orderStatuses))
    .addOption(new Option('--limit <count>', 'at most so many').argParser(count))
    .action(act(listOrders));
  program
    .command('revenue')
    .description('show revenue; orders cancelled or refunded bring none')
    .addOption(new Option('--by <what>', 'told apart by').choices(revenueDimensions).default('country'))
    .action(act(showRevenue));
  program
    .command('place')
    .description('place an order')
    .argument('<order>', 'its number')
    .requiredOption('--country <country>', 'where it goes')
    .option('--customer <id>', 'who placed it', '')
    .addOption(
      new Option('--line <sku:quantity:price[:description]>', 'a line; once for each')
        .argParser(addLine)
        .makeOptionMandatory(),
    )
    .action(act(placeOrder));
  program.command('pay').description('pay a placed order').argument('<order>').action(act(payOrder));
  program
    .command('ship')
    .description('ship a paid order')
    .argument('<order>')
    .option('--tracking <number>', 'of the carrier', '')
    .action(act(shipOrder));
  program
    .command('cancel')
    .description('cancel an order that is not shipped')
    .argument('<order>')
    .option('--reason <text>', 'why', '')
    .action(act(cancelOrder));
  program.command('refund').description('pay a paid order back').argument('<order>').action(act(refundOrder));
  program.command('rebuild').description('build the read models anew from the events').action(act(rebuild));
  program
    .command('serve')
    .description('serve the HTTP API and the page until it is ended (Ctrl-C)')
    .addOption(new Option('--port <port>', 'where to listen; 0: any (PORT; default: 3000)').argParser(port))
    .option('--host <host>', 'address to listen at (HOST; default: 127.0.0.1)')
    .option('--sample', 'import the sample first')
    .action(act(serveShop));

  return {
    async run(argv) {
      await program.parseAsync(argv, { from: 'user' });
      return exitCode;
    },
  };
}
