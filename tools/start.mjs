// `npm start`: the order app.
import { launch } from './launch.mjs';

await launch({
  folder: 'apps/order-app',
  script: 'start',
  // The store is none that it may find: it has to be named.
  servers: ['kafka', 'kafka3', 'pulsar'],
  refusal: 'start: cannot start the order app',
});
