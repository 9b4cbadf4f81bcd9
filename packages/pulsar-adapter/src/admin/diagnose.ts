import type { BentoError, Finding } from '@bento-bus/core';
import { toBentoError } from '../errors.ts';
import type { Names } from '../names.ts';
import { nativeUnavailable } from '../native/load.ts';
import { judge, type Settings, versionFinding } from './diagnose-settings.ts';
import type { Rest } from './rest.ts';

/** How long somebody who looks waits for one answer. Milliseconds. */
export const patienceMs = 5_000;

/** What is looked at of a broker and of the namespace of `names`. */
export async function diagnose(rest: Rest, names: Names): Promise<readonly Finding[]> {
  try {
    return await look(rest, names);
  } catch (cause) {
    const error = toBentoError(cause, 'look at the broker');
    const [found, advice] = reasonOf(error);
    const check = error.code === 'AUTHENTICATION' ? 'pulsar: credentials' : 'pulsar: reachable';
    return [{ check, level: 'fault', found, advice }];
  }
}

async function look(rest: Rest, names: Names): Promise<readonly Finding[]> {
  const { text } = await rest.request('ask the broker for its version', 'GET', 'brokers/version');
  const namespace = await namespaceFinding(rest, names);
  const findings: Finding[] = [
    { check: 'pulsar: reachable', level: 'ok', found: 'the broker answers' },
    { check: 'pulsar: credentials', level: 'ok', found: 'accepted, or none are asked for' },
    versionFinding(text.trim().replaceAll('"', '')),
    namespace,
  ];
  const settings = await allowed(
    rest.json<Settings>('read the settings of the broker', 'brokers/configuration/runtime'),
  );
  if (settings === undefined)
    return [
      ...findings,
      {
        check: 'pulsar: settings',
        level: 'warning',
        found: 'the broker does not show them to this role, so they were not looked at',
        advice: 'Have a super-user of the cluster look.',
      },
    ];
  const path = `namespaces/${names.namespacePath}/deduplication`;
  const deduplicates =
    namespace.level === 'ok' &&
    (await allowed(rest.json<boolean>('read the policies of the namespace', path, { fine: [404] }))) === true;
  const facts = { namespaceDeduplicates: deduplicates, hasNative: (await nativeUnavailable()) === undefined };
  return [...findings, ...judge(settings, facts)];
}

/** Whether the namespace is there, for this role. */
async function namespaceFinding(rest: Rest, names: Names): Promise<Finding> {
  const check = 'pulsar: namespace';
  const { namespace } = names;
  try {
    const path = `persistent/${names.namespacePath}`;
    const topics = await rest.json<readonly string[]>(`list the topics of ${namespace}`, path);
    return { check, level: 'ok', found: `${namespace}, with ${topics?.length ?? 0} topics and partitions` };
  } catch (cause) {
    const { code } = cause as BentoError;
    if (code === 'UNKNOWN_TOPIC')
      return {
        check,
        level: 'fault',
        found: `${namespace} is not there`,
        advice: 'Create it, and its tenant, or correct the names.',
      };
    if (code !== 'AUTHORIZATION') throw cause;
    return {
      check,
      level: 'warning',
      found: `this role may neither publish nor consume in all of ${namespace}`,
      advice: 'Grant it produce and consume there, unless it has them on each topic.',
    };
  }
}

/** Undefined: this role may not. */
async function allowed<T>(asking: Promise<T>): Promise<T | undefined> {
  try {
    return await asking;
  } catch (cause) {
    if ((cause as BentoError).code === 'AUTHORIZATION') return undefined;
    throw cause;
  }
}

/** The two halves of an error of this package: what happened, and what to do. */
function reasonOf({ message }: BentoError): readonly [reason: string, advice: string] {
  const text = message.replace(/^pulsar-adapter: cannot [^:]*: /, '');
  const at = text.lastIndexOf('. ');
  return at < 0 ? [text, 'See the log of the broker.'] : [text.slice(0, at), text.slice(at + 2)];
}
