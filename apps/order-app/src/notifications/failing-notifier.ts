import type { Notifier } from '../application/shipping-notifications.ts';

/** Tells nobody: `NOTIFIER=failing`, to see what an outage of a service that the handlers need does. */
export const createFailingNotifier = (): Notifier => ({
  notify: () => Promise.reject(new Error('the service for notifications does not answer (NOTIFIER=failing)')),
});
