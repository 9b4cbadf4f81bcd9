// Tries to open a data directory and prints what came of it.
import { openClickHouse } from '@bento-bus/clickhouse-store';

const [path = '', platform] = process.argv.slice(2);
if (platform !== undefined) Object.defineProperty(process, 'platform', { value: platform });
try {
  await using opened = await openClickHouse({ path });
  process.stdout.write(`${JSON.stringify({ identity: opened.eventStore.identity })}\n`);
} catch (error) {
  const { code, message, retryable } = error as { code?: unknown; message?: unknown; retryable?: unknown };
  process.stdout.write(`${JSON.stringify({ code, message, retryable })}\n`);
}
