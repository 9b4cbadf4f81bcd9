import { BentoError, type Delivery, type DeliveryHandler, type EventContext, type Middleware } from '@bento-bus/core';
import { describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { messageOf, SmallTransport } from '../../test/small-transport.ts';
import { logHandling } from './log-handling.ts';
import { fromPino } from './pino.ts';
import { withMessage } from './with-message.ts';

const trace = '0af7651916cd43dd8448eb211c80319c';
const traced = { traceparent: `00-${trace}-b7ad6b7169203331-01`, ce_correlationid: 'c-1' };

/** A real pino, and its lines without what differs from machine to machine. */
function writing(level = 'debug') {
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) };
  return { lines, logger: fromPino(pino({ level, base: null, timestamp: false }, destination)) };
}

const ignore: Middleware = (next, subscription) => {
  subscription.onExhausted(async () => {});
  return next;
};
const handle: DeliveryHandler = async ({ message: { id } }) => {
  if (id === 'poison') throw new BentoError('VALIDATION', 'no country');
  if (id === 'refused') throw new BentoError('ABORTED', 'not its turn');
  if (id === 'odd') throw new TypeError('odd');
};

describe('A logger of pino', () => {
  it('writes fields and message at each level, and errors with their stack', () => {
    const { lines, logger } = writing();
    logger.debug('looks');
    logger.info('begins', { topic: 'orders' });
    logger.warn('slow');
    logger.error('failed', { error: new BentoError('CODEC', 'bad byte'), topic: 'orders' });
    logger.error('threw a text', { error: 'text' });
    expect(lines).toMatchObject([
      { level: 20, msg: 'looks' },
      { level: 30, msg: 'begins', topic: 'orders' },
      { level: 40, msg: 'slow' },
      { level: 50, msg: 'failed', topic: 'orders', err: { type: 'BentoError', message: 'bad byte', code: 'CODEC' } },
      { level: 50, msg: 'threw a text', error: 'text' },
    ]);
    expect(lines[3]?.['err']).toHaveProperty('stack', expect.stringContaining('logger.test'));
  });
});

describe('A logger with a message', () => {
  const delivery: Delivery = {
    topic: 'orders',
    message: messageOf('m-1', { headers: traced }),
    attempt: 1,
    position: '7',
  };

  it('has its ids in every line, whatever else stands there', () => {
    const { lines, logger } = writing();
    const ids = { messageId: 'm-1', correlationId: 'c-1', topic: 'orders', traceId: trace };
    const with3 = withMessage(logger, delivery, 'mail');
    for (const level of ['debug', 'info', 'warn', 'error'] as const) with3[level]('line', { level: 1, step: 2 });
    expect(lines).toHaveLength(4);
    for (const line of lines) expect(line).toMatchObject({ ...ids, group: 'mail', step: 2 });
    const context: Pick<EventContext, 'id' | 'topic' | 'headers' | 'correlationId'> = {
      id: 'm-1',
      topic: 'orders',
      headers: traced,
      correlationId: 'c-1',
    };
    withMessage(logger, context).info('line');
    expect(lines.at(-1)).toEqual({ level: 30, msg: 'line', ...ids });
  });

  it('is its own correlation, and has no trace, where the message says nothing', () => {
    const { lines, logger } = writing();
    withMessage(logger, { ...delivery, message: messageOf('m-2', { headers: { traceparent: 'x' } }) }).info('line');
    expect(lines).toEqual([{ level: 30, msg: 'line', messageId: 'm-2', correlationId: 'm-2', topic: 'orders' }]);
  });
});

describe('Middleware that logs handlings', () => {
  it('warns of each that failed, tells the others at debug, and lets the error through', async () => {
    const { lines, logger } = writing();
    const transport = new SmallTransport();
    await transport.subscribe(['orders'], handle, { group: 'mail', use: [ignore, logHandling({ logger })] });
    for (const id of ['1', 'poison', 'refused', 'odd'])
      await transport.publish('orders', [messageOf(id, { headers: traced })]);
    const told = lines.map(({ level, msg, messageId, attempt, code }) =>
      [level, msg, messageId, attempt, code].map(String).join(' '),
    );
    expect(told).toEqual([
      '20 handled 1 1 undefined',
      '40 handling failed poison 1 VALIDATION',
      '40 handling failed poison 2 VALIDATION',
      '20 handling was interrupted refused 1 undefined',
      '20 handling was interrupted refused 2 undefined',
      '40 handling failed odd 1 undefined',
      '40 handling failed odd 2 undefined',
    ]);
    for (const line of lines) expect(line).toMatchObject({ group: 'mail', correlationId: 'c-1', traceId: trace });
    expect(lines[1]).toMatchObject({ type: 'order.placed', position: '0', err: { message: 'no country' } });
  });
});
