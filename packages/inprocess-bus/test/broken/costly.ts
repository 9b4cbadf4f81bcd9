import { setTimeout } from 'node:timers/promises';
import { closeOnce } from '@bento-bus/core/adapter';
import type { InProcessTransport } from '../../src/index.ts';
import { brokenTransports } from './transports.ts';
import { type Break, eachHandler } from './ways.ts';

/** Further transports broken on purpose, for the scenarios that are too costly to be run on every broken transport. */
const breaks: Readonly<Record<string, Break>> = {
  ...brokenTransports,
  'delivers again what takes long': eachHandler((handler) => async (delivery, signal) => {
    const handling = handler(delivery, signal);
    const isLate = setTimeout(60, true, { ref: false });
    if (await Promise.race([handling.then(() => false), isLate])) await handler(delivery, signal);
    await handling;
  }),
  'counts the attempts of its own life only': (t) => {
    const starts = new Map<string, number>();
    const counted = eachHandler((handler) => (delivery, signal) => {
      const attempt = (starts.get(delivery.message.id) ?? 0) + 1;
      starts.set(delivery.message.id, attempt);
      return handler({ ...delivery, attempt }, signal);
    });
    return counted(t);
  },
  'publishes a log from its beginning': (t) => ({
    openCheckpointed: async () => ({
      resumeAfter: '',
      publish: async (items) => {
        for (const { topic, message } of items) await t.publish(topic, [message]);
      },
      ...closeOnce(() => {}),
    }),
  }),
  'confirms what is not stored': (t) => ({
    publish: async (topic, messages) => {
      t.publish(topic, messages).catch(() => {});
    },
  }),
};

/** The client, broken in the way that has this name; as it is, where the name is empty. */
export const broken = <T extends InProcessTransport>(client: T, name: string): T => ({
  ...client,
  ...breaks[name]?.(client),
});

/** A break that a costly scenario must find, and what it must say. */
export interface Finding {
  readonly scenario: string;
  readonly broken: string;
  readonly says: RegExp;
  /** What is broken: the transport in this process, the one in processes of their own, or clients of a served one, here or in processes. */
  readonly where: 'here' | 'in processes' | 'served' | 'served to processes' | 'for tenants';
}

export const findings: readonly Finding[] = [
  {
    scenario: 'keeps the messages, groups and logs of tenants apart',
    broken: 'is one for all tenants',
    says: /handling all messages of a tenant: not within/,
    where: 'for tenants',
  },
  {
    scenario: 'handles nothing twice when members close under load',
    broken: 'does not wait for handlers on close',
    says: /repeated|more deliveries than expected/,
    where: 'here',
  },
  {
    scenario: 'loses nothing while ten members join and leave under load, and no key has two at once',
    broken: 'keeps no order',
    says: /two handlers were at work on key/,
    where: 'here',
  },
  {
    scenario: 'leaves a message with its handler, which takes longer than the session of its member',
    broken: 'delivers again what takes long',
    says: /one handler for the message: it did not stay so/,
    where: 'here',
  },
  {
    scenario: 'delivers a delayed message whose publisher is gone',
    broken: 'delivers at once what is delayed',
    says: /before its time/,
    where: 'served',
  },
  {
    scenario: 'goes on after a restart of the backend, with nothing lost that was confirmed',
    broken: 'confirms what is not stored',
    says: /handling all messages: not within/,
    where: 'served',
  },
  {
    scenario: 'goes on when the backend restarts under load, with the keys in order',
    broken: 'confirms what is not stored',
    says: /handling (the messages|what was confirmed): not within|publishing after the restart: not within/,
    where: 'served',
  },
  {
    scenario: 'loses nothing when its process is killed at any moment, and repeats only what was in flight',
    broken: 'forgets the checkpoint',
    says: /messages of the killed process p1 came again, at most \d+ may/,
    where: 'in processes',
  },
  {
    scenario: 'delivers again what was handled and not acknowledged when its process died',
    broken: 'acknowledges before the handler resolves',
    says: /it was handled, and again by the next process/,
    where: 'in processes',
  },
  {
    scenario: 'counts on the attempts of a failing message when its process is killed',
    broken: 'counts the attempts of its own life only',
    says: /attempt 1 after/,
    where: 'in processes',
  },
  {
    scenario: 'gives a message that kills its process to the hook, and handles all others',
    broken: 'forgets the checkpoint',
    says: /it has killed 5 processes, with maxCrashes 2/,
    where: 'in processes',
  },
  {
    scenario: 'shares the keys among the processes of a group, one owner a key at a time',
    broken: 'makes each subscription a group of its own',
    says: /two handlers were at work on key|order of key/,
    where: 'served to processes',
  },
  {
    scenario: 'handles nothing twice when processes are told to end under load',
    broken: 'does not wait for handlers on close',
    says: /handled again though process p\d was not killed|two handlers were at work on key/,
    where: 'served to processes',
  },
  {
    scenario: 'replaces killed processes: others get what they held, with the keys in order',
    broken: 'keeps no order',
    says: /two handlers were at work on key/,
    where: 'served to processes',
  },
  {
    scenario: 'takes over the log of a process that was killed, when told to stand by',
    broken: 'does not stand by',
    says: /it waits for the holder: it did not stay so/,
    where: 'served',
  },
  {
    scenario: 'stores each item of a log once, in order, however often its publisher is killed',
    broken: 'publishes a log from its beginning',
    says: /stored more than once/,
    where: 'served to processes',
  },
];
