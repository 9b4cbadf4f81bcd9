// Holds a data directory open until it is ended.
import { openClickHouse } from '@bento-bus/clickhouse-store';

const [path = ''] = process.argv.slice(2);
const opened = await openClickHouse({ path });
process.stdout.write('open\n');
// The engine alone does not keep Node running.
const running = setInterval(() => undefined, 60_000);
async function close(): Promise<void> {
  await opened.close();
  process.stdout.write('closed\n');
  clearInterval(running);
}
process.once('SIGTERM', () => void close());
