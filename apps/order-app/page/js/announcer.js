import { find, setText } from './dom.js';

/** Who listens is not interrupted more often. Milliseconds. */
const quietMs = 4_000;
const region = find('#announcer', HTMLElement);
let waiting = 0;
/** @type {number | undefined} */
let timer;

/** Says a sentence, politely. @param {string} text */
export function announce(text) {
  setText(region, '');
  requestAnimationFrame(() => setText(region, text));
}

/** Says how many changes came in, for many at once. */
export function announceArrival() {
  waiting += 1;
  timer ??= setTimeout(() => {
    announce(waiting === 1 ? 'One change to an order arrived.' : `${waiting} changes to orders arrived.`);
    waiting = 0;
    timer = undefined;
  }, quietMs);
}
