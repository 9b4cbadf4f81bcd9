// Ships an order with a notifier that hangs: `before` it has written, or `after`. Says so on stdout, and is killed there.
import { join } from 'node:path';

const [dataDir, orderId, when] = process.argv.slice(2);
const dist = (file) => new URL(`../dist/${file}`, import.meta.url).href;
const { openOrderApp } = await import(dist('app.js'));
const { chooseBackend } = await import(dist('backends.js'));
const { readConfig } = await import(dist('config.js'));
const { PayOrder, PlaceOrder, ShipOrder } = await import(dist('application/commands.js'));
const { createFileNotifier } = await import(dist('notifications/file-notifier.js'));

const files = createFileNotifier(join(dataDir, 'notifications.jsonl'));
const notifier = {
  async notify(notification) {
    if (when === 'after') await files.notify(notification);
    process.stdout.write(`hanging at ${notification.orderId}\n`);
    // Keeps the process alive.
    await new Promise(() => setInterval(() => {}, 1_000));
  },
};
const config = readConfig(dataDir);
const { commands } = await openOrderApp({ config, runtime: chooseBackend(config), dataDir, notifier });
const lines = [{ sku: 'A1', description: 'MUG', quantity: 1, unitPrice: '1' }];
await commands.execute(new PlaceOrder({ orderId, customerId: '', country: 'France', placedAt: Date.now(), lines }));
await commands.execute(new PayOrder(orderId));
await commands.execute(new ShipOrder(orderId));
