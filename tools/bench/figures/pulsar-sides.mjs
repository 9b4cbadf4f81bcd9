// Both sides of the comparisons with Pulsar: the adapter, and the least one could write on its WebSocket API with the same settings.
import { once } from 'node:events';
import { WebSocket } from 'ws';

const body = Buffer.alloc(200, 'x');
/** As the wire format of the adapter writes it. */
const propertiesOf = (id) => ({
  ce_specversion: '1.0',
  ce_id: id,
  ce_type: 'bench.event',
  ce_source: '/bench',
  ce_time: '2026-11-26T00:00:00Z',
});
export const messageOf = (index, time = 1_795_996_800_000) => ({
  id: `m${index}`,
  type: 'bench.event',
  source: '/bench',
  time,
  key: `k${index % 100}`,
  headers: {},
  body,
});

/** The broker of `PULSAR_SERVICE_URL` and `PULSAR_WEB_URL`, else one for this run. */
export async function broker() {
  const { PULSAR_SERVICE_URL: serviceUrl, PULSAR_WEB_URL: webUrl } = process.env;
  if (serviceUrl && webUrl) return { serviceUrl, webUrl, stop: async () => {} };
  const { startPulsar } = await import('@bento-bus/stack');
  return startPulsar();
}

export async function adapter({ serviceUrl, webUrl }, options = {}) {
  const { createPulsarTransport } = await import('@bento-bus/pulsar-adapter');
  return createPulsarTransport({ serviceUrl, webUrl, driver: 'websocket', ...options });
}

const connect = async (webUrl, path) => {
  const socket = new WebSocket(`${webUrl.replace(/^http/, 'ws')}/ws/v2/${path}`, { perMessageDeflate: false });
  await once(socket, 'open');
  return socket;
};

/** `send(index)` resolves when it is stored; `all(count)` keeps 1,000 in flight. */
export async function rawProducer(webUrl, topic) {
  const socket = await connect(webUrl, `producer/persistent/public/default/${topic}`);
  const waiting = new Map();
  let context = 0;
  socket.on('message', (data) => {
    const receipt = JSON.parse(data);
    const done = waiting.get(receipt.context);
    waiting.delete(receipt.context);
    done(receipt.result);
  });
  const start = (index, done, properties = propertiesOf(`m${index}`)) => {
    const id = String((context += 1));
    waiting.set(id, done);
    socket.send(JSON.stringify({ payload: body.toString('base64'), key: `k${index % 100}`, properties, context: id }));
  };
  return {
    send: (index, properties) =>
      new Promise((resolve) => {
        start(index, resolve, properties);
      }),
    all: (count) =>
      new Promise((resolve) => {
        let sent = 0;
        let done = 0;
        const next = () => {
          while (sent < count && sent - done < 1_000) start(sent++, finished);
        };
        const finished = () => {
          done += 1;
          if (done === count) resolve();
          else next();
        };
        next();
      }),
    close: () => socket.close(),
  };
}

/** Acknowledges each message once `onMessage` has returned; at most `queue` are asked for at once. */
export async function rawConsumer(webUrl, topic, group, onMessage, queue = 1_000) {
  const query = new URLSearchParams({
    subscriptionType: 'Key_Shared',
    pullMode: 'true',
    receiverQueueSize: String(queue),
  });
  const socket = await connect(webUrl, `consumer/persistent/public/default/${topic}/${group}?${query}`);
  let asked = queue;
  let paused = false;
  const ask = (count) => {
    asked += count;
    socket.send(`{"type":"permit","permitMessages":${count}}`);
  };
  socket.on('message', (data) => {
    const message = JSON.parse(data);
    asked -= 1;
    onMessage(message, Buffer.from(message.payload, 'base64'));
    socket.send(`{"messageId":"${message.messageId}"}`);
    if (!paused && asked <= (queue * 3) / 4) ask(queue - asked);
  });
  socket.send(`{"type":"permit","permitMessages":${queue}}`);
  return {
    pause: () => {
      paused = true;
    },
    resume: () => {
      paused = false;
      if (asked < queue) ask(queue - asked);
    },
    close: () => socket.close(),
  };
}

/** Makes a subscription at the beginning of the topic. */
export async function subscription(webUrl, topic, name) {
  const url = `${webUrl}/admin/v2/persistent/public/default/${topic}`;
  await fetch(url, { method: 'PUT' });
  const headers = { 'content-type': 'application/json' };
  await fetch(`${url}/subscription/${name}`, {
    method: 'PUT',
    headers,
    body: '{"ledgerId":-1,"entryId":-1,"partitionIndex":-1}',
  });
}
