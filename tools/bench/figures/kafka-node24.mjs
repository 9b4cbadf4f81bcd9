// Figures of a client that needs a newer Node.js than this one: both of their sides run in a process of that one, and are told to from here.
import { fork } from 'node:child_process';
import { node24 } from '../../scripts/node24.mjs';

const asked = 'BENTO_BENCH_FIGURE';

/** The same figure, its sides in a process of Node.js 24 that runs `file`. */
export const inNode24 = (figure, file) => ({
  ...figure,
  async open() {
    const execPath = await node24();
    const child = fork(file, [], { execPath, env: { ...process.env, [asked]: figure.name } });
    let settle;
    child.on('message', (answer) => settle.resolve(answer));
    child.on('exit', (code) => settle.reject(new Error(`bench: the process of Node.js 24 ended with ${code}`)));
    const next = () =>
      new Promise((resolve, reject) => {
        settle = { resolve, reject };
      });
    const { version } = await next();
    console.error(`${figure.name}: both sides on Node.js ${version}`);
    const told = async (order) => {
      const answer = next();
      child.send(order);
      return answer;
    };
    return {
      ours: (count) => told({ side: 'ours', count }),
      reference: (count) => told({ side: 'reference', count }),
      async close() {
        await told({ close: true });
        child.kill();
      },
    };
  },
});

/** In the process of {@link inNode24}: opens the figure that it is for, and does as it is told. */
export async function runAsChild(figures, file) {
  const figure = process.argv[1] === file ? figures.find(({ name }) => name === process.env[asked]) : undefined;
  if (figure === undefined) return;
  const sides = await figure.open();
  const act = async ({ side, count, close }) => {
    if (close) await sides.close();
    else await sides[side](count);
    process.send({ done: true });
  };
  // A rejection ends the process, and its parent is told.
  process.on('message', (order) => void act(order));
  process.send({ version: process.versions.node });
}
