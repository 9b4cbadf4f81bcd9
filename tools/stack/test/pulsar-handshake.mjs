// The first exchange of Pulsar's own protocol, by hand: no client of it is at hand everywhere.
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';

const varint = (value) => (value < 128 ? [value] : [(value & 127) | 128, ...varint(value >> 7)]);

/** What the broker's own protocol answers to CONNECT: `connected`, `error`, or `closed`. */
export async function handshake(url, { method, data = '', ...options } = {}) {
  const { port, protocol } = new URL(url);
  const to = { port: Number(port), host: '127.0.0.1', ...options };
  const socket = protocol === 'pulsar+ssl:' ? connectTls(to) : connectTcp(to);
  const field = (number, text) => [Buffer.of((number << 3) | 2, ...varint(Buffer.byteLength(text))), Buffer.from(text)];
  const auth = method === undefined ? [] : [...field(3, data), ...field(5, method)];
  const connect = Buffer.concat([...field(1, 'test'), ...auth, Buffer.of(0x20, 19)]);
  // BaseCommand: type CONNECT (2); field 2 holds the command. https://pulsar.apache.org/docs/developing-binary-protocol/
  const command = Buffer.concat([Buffer.of(0x08, 2, 0x12, ...varint(connect.length)), connect]);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(command.length + 4, 0);
  head.writeUInt32BE(command.length, 4);
  socket.write(Buffer.concat([head, command]));
  try {
    const [answer] = await Promise.race([once(socket, 'data'), once(socket, 'close')]);
    return Buffer.isBuffer(answer) ? ({ 3: 'connected', 14: 'error' }[answer[9]] ?? `command ${answer[9]}`) : 'closed';
  } catch (error) {
    return error.code;
  } finally {
    socket.destroy();
  }
}
