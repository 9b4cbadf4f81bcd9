import { open } from 'node:fs/promises';
import type { Notifier } from '../application/shipping-notifications.ts';

/** Appends one JSON line a notification to a file, and makes it last before it resolves. */
export const createFileNotifier = (path: string): Notifier => ({
  async notify({ shippedAt, ...notification }) {
    const file = await open(path, 'a');
    try {
      await file.write(`${JSON.stringify({ ...notification, shippedAt: new Date(shippedAt).toISOString() })}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
  },
});
