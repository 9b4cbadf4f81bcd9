import { randomUUID } from 'node:crypto';
import type { Message, Transport } from '@bento-bus/core';
import { retry } from '@bento-bus/dlq';
import { expect, it } from '@jest/globals';
import { bento, eventually, type Given, json, type Outcome } from './support.ts';

/** A backend under the command line. */
export interface Backend {
  /** How commands are run. Called once the servers are up. */
  given(): Given;
  /** Put after every command. */
  args(): readonly string[];
  /** For what an application does; closed by the backend. */
  transport(): Transport;
  /** A setting that topics can have, and its value as it is shown; undefined: there are none. */
  readonly setting?: { readonly name: string; readonly value: string };
  /** Topics can have several partitions. */
  readonly partitions: boolean;
}

interface Seen {
  readonly id: string;
  readonly type: string;
  readonly key?: string;
  readonly data?: unknown;
  readonly headers: Readonly<Record<string, string>>;
}

const message = (text: string): Message => ({
  id: randomUUID(),
  type: 'test.happened',
  source: '/cli-test',
  time: Date.now(),
  key: text,
  headers: { 'content-type': 'application/json' },
  body: Buffer.from(JSON.stringify({ text })),
});

const topicOf = (): string => `cli-${randomUUID().slice(0, 8)}`;

/** Every command on topics, groups, messages and failed messages; the same on every backend. */
export function commandScenarios(backend: Backend): void {
  const run = (...argv: readonly string[]): Promise<Outcome> => bento([...argv, ...backend.args()], backend.given());
  /** Succeeds; the document. */
  const ok = async <T>(...argv: readonly string[]): Promise<T> => {
    const outcome = await run(...argv, '--json');
    if (outcome.code !== 0) throw new Error(`${argv.join(' ')}: ${outcome.code} ${outcome.err}`);
    return json<T>(outcome);
  };

  it('topics: create, list, show, config, delete', async () => {
    const topic = topicOf();
    expect(await ok('topics', 'create', topic, '--partitions', '1')).toEqual({ topic, created: true });
    expect(await ok('topics', 'create', topic)).toEqual({ topic, created: false });
    expect(await ok('topics', 'list', '--prefix', topic)).toEqual([topic]);
    expect(await ok('topics', 'show', topic)).toMatchObject({ topic, partitions: [{ partition: 0, messages: 0 }] });
    if (backend.setting !== undefined) {
      const { name, value } = backend.setting;
      await eventually('the setting', async () => {
        const { config } = await ok<{ config: Record<string, string> }>(
          'topics',
          'config',
          topic,
          `${name}=${value}`,
          '--yes',
        );
        return config[name] === value;
      });
      await eventually('no setting', async () => {
        const { config } = await ok<{ config: Record<string, string> }>(
          'topics',
          'config',
          topic,
          '--unset',
          name,
          '--yes',
        );
        return !(name in config);
      });
    }
    expect(await run('topics', 'delete', topic)).toMatchObject({ code: 2, err: expect.stringContaining('Add --yes.') });
    expect(await ok('topics', 'delete', topic, '--yes')).toEqual({ topic, deleted: true });
    const gone = await run('topics', 'show', topic);
    expect(gone).toMatchObject({ code: 1, out: '' });
    expect(gone.err).toMatch(/^[^\n]+\n$/);
  });

  if (backend.partitions)
    it('topics: partitions', async () => {
      const topic = topicOf();
      await ok('topics', 'create', topic, '--partitions', '2');
      expect(await run('topics', 'partitions', topic, '3')).toMatchObject({ code: 2 });
      expect(await ok('topics', 'partitions', topic, '3', '--yes')).toEqual({ topic, partitions: 3 });
      const { partitions } = await ok<{ partitions: readonly unknown[] }>('topics', 'show', topic);
      expect(partitions).toHaveLength(3);
      await ok('topics', 'delete', topic, '--yes');
    });

  it('publish and tail, by argument, by lines and with --json', async () => {
    const topic = topicOf();
    await ok('topics', 'create', topic, '--partitions', '1');
    const body = '{"n": 1}';
    const sent = await ok<{ ids: readonly string[] }>(
      'publish',
      topic,
      body,
      '--type',
      'a.b',
      '--key',
      'k',
      '--header',
      'X-Y=z',
    );
    const lines = await bento(['publish', topic, '--lines', '--key-from', 'n', ...backend.args()], {
      ...backend.given(),
      stdin: '{"n":2}\n\n{"n":"3"}\n',
    });
    expect(lines).toMatchObject({ code: 0, out: `Published 2 messages to "${topic}".\n` });
    const tail = await run('tail', topic, '--from', 'earliest', '--limit', '3', '--json');
    const seen = tail.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Seen);
    expect(seen.map(({ key, data }) => ({ key, data }))).toEqual([
      { key: 'k', data: { n: 1 } },
      { key: '2', data: { n: 2 } },
      { key: '3', data: { n: '3' } },
    ]);
    expect(seen[0]).toMatchObject({
      id: sent.ids[0],
      type: 'a.b',
      headers: { 'x-y': 'z', 'content-type': 'application/json' },
    });
    const text = await run('tail', topic, '--from', '1h', '--limit', '1');
    expect(text).toMatchObject({ code: 0, out: expect.stringContaining('  a.b  k  {"n": 1}\n') });
    expect(await run('tail', topic, '--idle', '0.05')).toMatchObject({ code: 0, out: '' });
  });

  it('groups: create, list, show, peek, skip, reset, delete', async () => {
    const topic = topicOf();
    await ok('topics', 'create', topic, '--partitions', '1');
    await backend.transport().publish(topic, ['one', 'two', 'three'].map(message));
    expect(await ok('groups', 'create', topic, 'audit', '--from', 'earliest')).toMatchObject({ created: true });
    await eventually('the backlog', async () => {
      const rows = await ok<readonly { group: string; backlog: number }[]>('subscriptions', 'list', topic);
      return rows.some(({ group, backlog }) => group === 'audit' && backlog === 3);
    });
    expect(await ok('groups', 'show', topic, 'audit')).toMatchObject({ group: 'audit', backlog: 3, members: [] });
    const peeked = await ok<readonly Seen[]>('groups', 'peek', topic, 'audit', '--count', '2');
    expect(peeked.map(({ data }) => data)).toEqual([{ text: 'one' }, { text: 'two' }]);
    expect(await ok('groups', 'skip', topic, 'audit', '1', '--yes')).toMatchObject({ skipped: 1 });
    expect(await ok<readonly Seen[]>('groups', 'peek', topic, 'audit', '--count', '1')).toMatchObject([{ key: 'two' }]);
    await ok('groups', 'reset', topic, 'audit', '--to', 'earliest', '--yes');
    expect(await ok<readonly Seen[]>('groups', 'peek', topic, 'audit', '--count', '1')).toMatchObject([{ key: 'one' }]);
    expect(await run('groups', 'delete', topic, 'audit')).toMatchObject({ code: 2 });
    expect(await ok('groups', 'delete', topic, 'audit', '--yes')).toMatchObject({ deleted: true });
    expect(await run('groups', 'show', topic, 'audit')).toMatchObject({ code: 1, out: '' });
  });

  it('dlq: list, show, redrive, discard', async () => {
    const topic = topicOf();
    await ok('topics', 'create', topic, '--partitions', '1');
    let mended = false;
    const handled: string[] = [];
    const subscription = await backend.transport().subscribe(
      [topic],
      async (delivery) => {
        if (!mended) throw Object.assign(new Error('the mail server is away'), { code: 'E_MAIL' });
        handled.push(delivery.message.key ?? '');
      },
      { group: 'mail', use: [retry({ attempts: 1 })] },
    );
    await backend.transport().publish(topic, ['a', 'b', 'c'].map(message));
    await eventually('dead letters', async () => {
      const places = await ok<readonly { topic: string; group: string; count: number }[]>('dlq', 'list');
      return places.some((place) => place.topic === topic && place.group === 'mail' && place.count === 3);
    });
    const found = await ok<readonly { errorCode: string; message: Seen }[]>(
      'dlq',
      'list',
      topic,
      'mail',
      '--code',
      'E_MAIL',
      '--key',
      'a',
    );
    expect(found).toMatchObject([{ errorCode: 'E_MAIL', message: { key: 'a', data: { text: 'a' } } }]);
    const id = found[0]?.message.id ?? '';
    expect((await run('dlq', 'show', topic, 'mail', id)).out).toMatch(/Error +the mail server is away/);
    expect(await run('dlq', 'show', topic, 'mail', 'nobody')).toMatchObject({ code: 1 });
    expect(await ok('dlq', 'redrive', topic, 'mail', '--dry-run')).toMatchObject({ dryRun: true, done: 3 });
    mended = true;
    expect(await ok('dlq', 'redrive', topic, 'mail', '--id', id)).toMatchObject({ done: 1 });
    await eventually('one redriven', async () => handled.length === 1);
    expect(handled).toEqual(['a']);
    expect(await run('dlq', 'discard', topic, 'mail')).toMatchObject({
      code: 2,
      err: expect.stringContaining('--yes'),
    });
    expect(await ok('dlq', 'discard', topic, 'mail', '--key', 'b', '--limit', '1', '--yes')).toMatchObject({ done: 1 });
    expect((await run('dlq', 'redrive', topic, 'mail')).out).toBe('Redrove 1 message.\n');
    await eventually('the rest redriven', async () => handled.length === 2);
    expect(handled).toEqual(['a', 'c']);
    await subscription.close();
  });

  it('replies: list, clean', async () => {
    const [there, gone] = [`bento-reply-${topicOf()}`, `bento-reply-${topicOf()}`];
    await ok('topics', 'create', gone, '--partitions', '1');
    const subscription = await backend.transport().subscribe([there], async () => {}, { group: 'asker' });
    await eventually('the member', async () => {
      const all = await ok<readonly { topic: string; members: number }[]>('replies', 'list');
      return all.some(({ topic, members }) => topic === there && members === 1);
    });
    expect(await run('replies', 'clean')).toMatchObject({ code: 2 });
    const { deleted } = await ok<{ deleted: readonly string[] }>('replies', 'clean', '--yes');
    expect(deleted).toContain(gone);
    expect(deleted).not.toContain(there);
    await subscription.close();
  });
}

/** Adds what is on the brokers alone to {@link commandScenarios}. */
export const traceScenario = (backend: Backend): void => {
  it('trace: a message, what it caused, and its dead letter', async () => {
    const topic = topicOf();
    const run = (...argv: readonly string[]): Promise<Outcome> => bento([...argv, ...backend.args()], backend.given());
    expect(await run('topics', 'create', topic, '--partitions', '1')).toMatchObject({ code: 0 });
    const cause = message('cause');
    const effect = message('effect');
    const headers = { ...effect.headers, ce_correlationid: cause.id, ce_causationid: cause.id };
    const subscription = await backend.transport().subscribe(
      [topic],
      async (delivery) => {
        if (delivery.message.id === effect.id) throw new Error('not this one');
      },
      { group: 'mail', use: [retry({ attempts: 1 })] },
    );
    // Keeps what all others have handled.
    expect(await run('groups', 'create', topic, 'keeper', '--from', 'earliest')).toMatchObject({ code: 0 });
    await backend.transport().publish(topic, [cause, { ...effect, headers }]);
    await eventually('the dead letter', async () => {
      const { out } = await run('dlq', 'list', topic, 'mail', '--json');
      return out.includes(effect.id);
    });
    const argv = ['trace', effect.id, '--topic', topic, '--idle', '1'];
    const found = json<{ ancestors: readonly Seen[]; message: object }>(await run(...argv, '--json'));
    expect(found).toMatchObject({
      complete: true,
      ancestors: [{ id: cause.id }],
      message: { id: effect.id, caused: [], steps: [{ kind: 'sent' }, { kind: 'dead-letter', group: 'mail' }] },
    });
    const text = await run(...argv);
    expect(text.out).toMatch(
      new RegExp(`test.happened  ${cause.id}.*\\n.*\\* test.happened  ${effect.id}.*\\n.*dead-letter by mail on `),
    );
    expect(await run('trace', 'nobody', '--topic', topic, '--idle', '1')).toMatchObject({ code: 1, out: '' });
    await subscription.close();
  });
};
