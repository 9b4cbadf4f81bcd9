import { once } from 'node:events';
import { connect } from 'node:net';
import {
  BentoError,
  type CheckpointedPublishing,
  type SubscribeOptions,
  type Subscription,
  type Transport,
} from '@bento-bus/core';
import {
  closeOnce,
  deferred,
  prepareSubscription,
  resolveSubscribeOptions,
  type SubscriptionHandler,
} from '@bento-bus/core/adapter';
import { capabilities } from '../../src/transport/capabilities.ts';
import type { Handle, Request } from './protocol.ts';
import { Rpc } from './rpc.ts';

export const servedCapabilities = { ...capabilities, sharesGroupAcrossProcesses: true };

interface Member {
  /** Subscribes, also again after the connection was gone. */
  readonly attach: () => Promise<void>;
}

/** A client of a served transport. Connects again when the connection is gone. */
export async function connectServed(port: number): Promise<Transport & CheckpointedPublishing> {
  const members = new Set<Member>();
  let isClosed = false;
  let peer: Rpc;

  const dial = async (): Promise<Rpc> => {
    for (;;) {
      const socket = connect(port, '127.0.0.1');
      try {
        await once(socket, 'connect');
        return new Rpc(socket, () => {});
      } catch (error) {
        if (isClosed) throw error;
      }
    }
  };
  const keepConnected = async (): Promise<void> => {
    for (;;) {
      await peer.closed;
      peer.cut();
      if (isClosed) return;
      peer = await dial();
      // What fails has lost its connection again.
      for (const { attach } of members) attach().catch(() => {});
    }
  };
  const ask = async (request: Request): Promise<Handle> => {
    if (isClosed) throw new BentoError('CLOSED', 'served: cannot go on: the client is closed. Make a new one.');
    return (await peer.remote(request)) as Handle;
  };

  const subscribe = async (
    asked: readonly string[],
    handler: SubscriptionHandler,
    given: SubscribeOptions,
  ): Promise<Subscription> => {
    const { use, ...options } = resolveSubscribeOptions('served', asked, given);
    const prepared = prepareSubscription(
      asked,
      handler,
      { ...options, use },
      {
        adapter: 'served',
        publisher: transport,
        lane: () => ({ heldMs: 0, backlog: 0 }),
      },
    );
    const exhausted =
      use.length === 0
        ? undefined
        : async (...taken: Parameters<typeof prepared.exhausted>) => prepared.exhausted(...taken);
    let handle: Handle | undefined;
    const attach = async (): Promise<void> => {
      handle = await ask({ subscribe: prepared.topics, options, handler: prepared.handler, exhausted });
    };
    await attach();
    const member = { attach };
    members.add(member);
    const ended = deferred();
    const closing = closeOnce(async () => {
      members.delete(member);
      await handle?.close();
      await prepared.close();
      ended.resolve();
      subscriptions.delete(subscription);
    });
    const subscription: Subscription = { closed: ended.promise, ...closing };
    subscriptions.add(subscription);
    return subscription;
  };

  const subscriptions = new Set<Subscription>();
  const transport: Transport & CheckpointedPublishing = {
    name: 'served',
    capabilities: servedCapabilities,
    async publish(topic, messages) {
      await ask({ publish: topic, messages });
    },
    subscribe: (topics, each, options) => subscribe(topics, { each }, options),
    subscribeBatch: (topics, batch, options) => subscribe(topics, { batch }, options),
    async openCheckpointed(log, { signal, ...options }) {
      signal?.throwIfAborted();
      const { resumeAfter = '', publish = async () => {}, close } = await ask({ open: log, options });
      return { resumeAfter, publish, ...closeOnce(close) };
    },
    ...closeOnce(async () => {
      try {
        await Promise.all([...subscriptions].map((one) => one.close()));
      } finally {
        isClosed = true;
        peer.cut();
      }
    }),
  };
  peer = await dial();
  // Dialling fails only once the client is closed.
  keepConnected().catch(() => {});
  return transport;
}
