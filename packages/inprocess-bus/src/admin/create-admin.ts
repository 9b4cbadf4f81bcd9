import { configurationError, type Diagnosing, type Finding, type MessagingAdmin } from '@bento-bus/core';
import { closeOnce } from '@bento-bus/core/adapter';
import { insideOf } from '../transport/inside.ts';
import type { InProcessTransport } from '../transport/transport.ts';
import { closedError } from './checks.ts';
import type { AdminContext } from './context.ts';
import { createGroupAdmin } from './groups.ts';
import { createTopicAdmin } from './topics.ts';

/**
 * Topics and groups in the memory of this transport, which may be wrapped by an `instrument`. Topics have one partition and no settings:
 * more of either is a `CONFIGURATION` error. A group with members at work is not moved, nor is a topic deleted that it reads:
 * `GROUP_CONFLICT`. What is published for a group without members, made by `createGroup`, is kept: when it is `retention` messages
 * behind, publishing to the topic waits. Groups are those that have read here, or were made, since this process began. Everything
 * rejects with `CLOSED` once the transport is closed. Throws a `CONFIGURATION` error when it is no transport of this package.
 */
export function createInProcessAdmin(transport: InProcessTransport): MessagingAdmin & Diagnosing {
  const inside = insideOf(transport);
  if (inside === undefined)
    throw configurationError('inprocess-bus: cannot create the admin', [
      'transport must be what createInProcessTransport made',
    ]);
  const pending = new Set<Promise<unknown>>();
  let isClosed = false;
  const call: AdminContext['call'] = async (what, work) => {
    if (isClosed || inside.isClosed()) throw closedError(what, isClosed ? 'admin' : 'transport');
    const running = Promise.resolve(work());
    pending.add(running);
    try {
      return await running;
    } finally {
      pending.delete(running);
    }
  };
  const context: AdminContext = { inside, call };
  return {
    name: transport.name,
    ...createTopicAdmin(context),
    ...createGroupAdmin(context),
    diagnose: async () => diagnose(context, isClosed),
    ...closeOnce(async () => {
      isClosed = true;
      await Promise.allSettled(pending);
    }),
  };
}

/** Whether publishing is held back, and by whom. */
function diagnose({ inside }: AdminContext, isClosed: boolean): readonly Finding[] {
  const check = 'inprocess: topics';
  if (isClosed || inside.isClosed())
    return [{ check, level: 'fault', found: 'the transport or its admin is closed', advice: 'Make a new one.' }];
  const topics = [...inside.topics.values()];
  const full = topics.flatMap((topic): Finding[] => {
    const groups = topic.fullFor.map(({ group }) => `"${group}"`).join(', ');
    if (groups === '') return [];
    const found = `"${topic.name}" is full: publishing waits for group ${groups}`;
    const advice = 'Make the group faster or give it a member, or delete it if nobody needs it.';
    return [{ check, level: 'fault', found, advice }];
  });
  if (full.length > 0) return full;
  const messages = topics.reduce((sum, { base, end }) => sum + end - base, 0);
  return [{ check, level: 'ok', found: `${topics.length} in memory, with ${messages} messages; none is full` }];
}
