import { BentoError } from '@bento-bus/core';
import type { WireFormat } from '@bento-bus/core/adapter';
import type { Admin } from '../admin.ts';
import { besideTopic, type Names, type TopicName } from '../names.ts';
import type { Rest } from './rest.ts';

export interface ContextOptions {
  readonly rest: Rest;
  readonly admin: Admin;
  readonly names: Names;
  readonly partitions: number;
  readonly format: WireFormat;
}

/** Subscriptions that the toolkit or the broker has for itself. */
const isOwn = (subscription: string): boolean => /^(bento-(attempts|reader-.*)|pulsar\.dedup|__.*)$/.test(subscription);

/** What administration of topics and of groups share. */
export class AdminContext {
  readonly rest: Rest;
  readonly admin: Admin;
  readonly names: Names;
  readonly partitions: number;
  readonly format: WireFormat;

  constructor({ rest, admin, names, partitions, format }: ContextOptions) {
    this.rest = rest;
    this.admin = admin;
    this.names = names;
    this.partitions = partitions;
    this.format = format;
  }

  /** 0: not partitioned. Rejects with `UNKNOWN_TOPIC`: most requests of Pulsar would make the topic. */
  async partitionsOf(topic: TopicName, doing: string): Promise<number> {
    const found = await this.admin.partitions(topic);
    if (found !== undefined) return found;
    const text = `pulsar-adapter: cannot ${doing} topic "${topic.full}": it does not exist. Create it first.`;
    throw new BentoError('UNKNOWN_TOPIC', text);
  }

  /** Groups of a topic that is there. */
  async groups(topic: TopicName): Promise<readonly string[]> {
    const what = `list the groups of "${topic.full}"`;
    const all = await this.rest.json<readonly string[]>(what, `${topic.path}/subscriptions`, { fine: [404] });
    return (all ?? []).filter((name) => !isOwn(name)).toSorted();
  }

  /** What the group remembers of attempts goes with its topic for them. */
  async forgetAttempts(topic: TopicName, group: string): Promise<void> {
    const attempts = besideTopic(topic, `${group}-ATTEMPTS`);
    const what = `delete topic "${attempts.full}"`;
    await this.rest.request(what, 'DELETE', `${attempts.path}?force=true`, { fine: [404] });
  }
}
