// Puts into the store of a data directory what the application never would: `event` an event that its projection refuses,
// `database` a database `other` with a table of somebody else.
import { readConfig } from '../dist/config.js';
import { openStore } from '../dist/store.js';

const [dataDir, what] = process.argv.slice(2);
const store = await openStore(readConfig(dataDir), dataDir);
if (what === 'event') {
  const event = { id: 'bad-event', type: 'order.placed', version: 1, data: { orderId: 'bad' }, time: 0 };
  await store.eventStore.saveEvents({ type: 'order', id: 'bad' }, [event], 0);
} else {
  await store.client.command({ query: 'CREATE DATABASE other ENGINE = Atomic' });
  await store.client.command({ query: 'CREATE TABLE other.events (x UInt8) ENGINE = MergeTree ORDER BY x' });
}
await store.close();
