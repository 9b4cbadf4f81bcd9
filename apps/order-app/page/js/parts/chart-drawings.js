/** @import { Child } from "../dom.js" */
import { s } from '../dom.js';
import { money, shortNumber } from '../format.js';

/**
 * One bar. `value`: money as text; `short`: its label on an axis.
 * @typedef {{ key: string, label: string, short?: string, value: string, orders: number }} Bar
 */
/**
 * In pixels. `at`: the bar at a point; `tipAt`: where its tooltip points to.
 * @typedef {{
 *   content: Child[], height: number, bars: SVGElement[],
 *   at(x: number, y: number): number | undefined, tipAt(item: Bar, i: number): { x: number, y: number },
 * }} Drawing
 */

/** What is drawn needs no exact numbers. @param {Bar} bar */
const sizeOf = ({ value }) => Math.max(0, Number(value));

/** What a date takes on the axis. Pixels. */
const labelRoom = 76;

/** @param {Bar[]} items @param {number} width @returns {Drawing} */
export function drawColumns(items, width) {
  const height = 260;
  const box = { left: 52, right: width - 4, top: 14, bottom: height - 28 };
  const { top, ticks } = scale(Math.max(...items.map(sizeOf), 1));
  const band = (box.right - box.left) / Math.max(items.length, 1);
  const barWidth = Math.min(Math.max(1, band * 0.78), 56);
  /** @param {number} i */
  const middle = (i) => box.left + band * (i + 0.5);
  /** @param {number} value */
  const yOf = (value) => box.bottom - ((box.bottom - box.top) * value) / top;
  const bars = items.map((item, i) => {
    const y = yOf(sizeOf(item));
    return s('rect', {
      class: 'bar',
      x: (middle(i) - barWidth / 2).toFixed(2),
      y: y.toFixed(2),
      width: barWidth.toFixed(2),
      height: Math.max(sizeOf(item) > 0 ? 1.5 : 0, box.bottom - y).toFixed(2),
      rx: Math.min(3, barWidth / 4).toFixed(2),
    });
  });
  const every = Math.max(1, Math.ceil((labelRoom + 20) / band));
  const labels = items.flatMap(({ short }, i) =>
    (i % every === Math.floor(every / 2) && middle(i) + labelRoom / 2 <= width) || items.length === 1
      ? [s('text', { class: 'axis', x: middle(i).toFixed(1), y: height - 8, 'text-anchor': 'middle' }, short)]
      : [],
  );
  const lines = ticks.flatMap((tick) => [
    s('line', { class: tick === 0 ? 'base' : 'grid', x1: box.left, x2: box.right, y1: yOf(tick), y2: yOf(tick) }),
    s('text', { class: 'axis', x: box.left - 8, y: yOf(tick) + 4, 'text-anchor': 'end' }, shortNumber(tick)),
  ]);
  return {
    content: [lines, bars, labels],
    height,
    bars,
    at: (x) => within(Math.floor((x - box.left) / band), items.length),
    tipAt: (item, i) => ({ x: middle(i), y: yOf(sizeOf(item)) - 8 }),
  };
}

/** @param {Bar[]} items @param {number} width @returns {Drawing} */
export function drawRows(items, width) {
  const row = 30;
  const labelWidth = Math.min(168, Math.round(width * 0.36));
  const longest = Math.max(...items.map(({ value }) => money(value).length), 1);
  const valueWidth = longest * 8 + 10;
  const most = Math.max(...items.map(sizeOf), 1);
  /** @param {Bar} item */
  const lengthOf = (item) => Math.max(2, ((width - labelWidth - valueWidth) * sizeOf(item)) / most);
  const bars = items.map((item, i) =>
    s('rect', {
      class: 'bar',
      x: labelWidth,
      y: i * row + 6,
      width: lengthOf(item).toFixed(2),
      height: row - 12,
      rx: 3,
    }),
  );
  const texts = items.flatMap((item, i) => [
    s(
      'text',
      { class: 'name', x: labelWidth - 10, y: i * row + row / 2 + 5, 'text-anchor': 'end' },
      fitting(item.label, labelWidth - 10),
    ),
    s('text', { class: 'value', x: labelWidth + lengthOf(item) + 8, y: i * row + row / 2 + 5 }, money(item.value)),
  ]);
  return {
    content: [bars, texts],
    height: Math.max(row, items.length * row),
    bars,
    at: (_, y) => within(Math.floor(y / row), items.length),
    tipAt: (item, i) => ({ x: labelWidth + lengthOf(item) / 2, y: i * row + 2 }),
  };
}

/** @param {number} i @param {number} length */
const within = (i, length) => (i >= 0 && i < length ? i : undefined);

/** Cut where it is longer than its room; the whole is in the tooltip and in the table. @param {string} text @param {number} room */
function fitting(text, room) {
  const letters = Math.max(4, Math.floor(room / 7.2));
  return text.length > letters ? `${text.slice(0, letters - 1)}…` : text;
}

/** Round numbers from 0 to at least `most`, five at most. @param {number} most */
function scale(most) {
  const rough = most / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5].map((factor) => factor * power).find((size) => size >= rough) ?? 10 * power;
  let top = 0;
  const ticks = [top];
  while (top < most) {
    top += step;
    ticks.push(top);
  }
  return { top, ticks };
}
