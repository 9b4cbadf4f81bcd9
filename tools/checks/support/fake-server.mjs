// A server for the tests of the stack: listens, and does what its arguments say. fake-server.mjs <folder>/ <port> <behaviour>
import { createServer } from 'node:http';

const [, port, behaviour] = process.argv.slice(2);
if (behaviour === 'die') {
  console.log('starting');
  console.error('ERROR the disk is on fire');
  process.exitCode = 1;
} else {
  if (behaviour === 'stubborn') process.on('SIGTERM', () => undefined);
  const server = createServer((_, response) => response.writeHead(behaviour === 'never-ready' ? 503 : 200).end());
  server.on('error', (error) => {
    console.error(error.message);
    process.exit(1);
  });
  server.listen(Number(port), '127.0.0.1');
}
