import { BentoError } from '@bento-bus/core';

/** A topic by all its names. */
export interface TopicName {
  /** `persistent://tenant/namespace/name`. */
  readonly full: string;
  /** For URLs: `persistent/tenant/namespace/name`, each part encoded. */
  readonly path: string;
}

/** Maps the names of an application to Pulsar's. */
export class Names {
  readonly #tenant: string;
  readonly #namespace: string;
  readonly #known = new Map<string, TopicName>();

  constructor(tenant: string, namespace: string) {
    this.#tenant = tenant;
    this.#namespace = namespace;
  }

  /** `tenant/namespace`. */
  get namespace(): string {
    return `${this.#tenant}/${this.#namespace}`;
  }

  /** For URLs: each part encoded. */
  get namespacePath(): string {
    return [this.#tenant, this.#namespace].map(encodeURIComponent).join('/');
  }

  /** The topic of a name; a full one is taken as it is. Throws a `CONFIGURATION` error for one that Pulsar cannot have. */
  topic(name: string, doing: string): TopicName {
    let found = this.#known.get(name);
    if (found === undefined) {
      found = this.#parse(name, doing);
      // Bounded: names may come from users.
      if (this.#known.size > 10_000) this.#known.clear();
      this.#known.set(name, found);
    }
    return found;
  }

  #parse(name: string, doing: string): TopicName {
    checkName(name, 'topic', doing);
    const parts = /^persistent:\/\/([^/]+)\/([^/]+)\/([^/]+)$/.exec(name);
    if (parts !== null) return topicName(parts[1] as string, parts[2] as string, parts[3] as string);
    if (name.includes('/'))
      throw refusal(
        doing,
        'topic',
        name,
        'it has a slash and is no full name',
        'Give a name without a slash, or persistent://tenant/namespace/name.',
      );
    return topicName(this.#tenant, this.#namespace, name);
  }
}

/** Throws a `CONFIGURATION` error unless `name` can name a topic, a group or a log. */
export function checkName(name: unknown, what: 'topic' | 'group' | 'log', doing: string): asserts name is string {
  const fault =
    typeof name !== 'string'
      ? `its name is of type ${typeof name}`
      : name.trim() === ''
        ? 'its name is empty'
        : /\p{Surrogate}/u.test(name)
          ? 'its name is not well-formed Unicode'
          : /\p{Cc}/u.test(name)
            ? 'its name has control characters'
            : what === 'group' && name.includes('/')
              ? 'its name has a slash'
              : undefined;
  if (fault !== undefined) throw refusal(doing, what, String(name), fault, 'Give it another name.');
}

const topicName = (tenant: string, namespace: string, name: string): TopicName => ({
  full: `persistent://${tenant}/${namespace}/${name}`,
  path: `persistent/${[tenant, namespace, name].map(encodeURIComponent).join('/')}`,
});

/** A topic beside another: its attempts, or one of its partitions. */
export const besideTopic = (topic: TopicName, suffix: string): TopicName => ({
  full: `${topic.full}-${suffix}`,
  path: `${topic.path}-${encodeURIComponent(suffix)}`,
});

export const partitionTopic = (topic: TopicName, partition: number): TopicName =>
  besideTopic(topic, `partition-${partition}`);

function refusal(doing: string, what: string, name: string, cause: string, advice: string): BentoError {
  return new BentoError('CONFIGURATION', `pulsar-adapter: cannot ${doing} ${what} "${name}": ${cause}. ${advice}`);
}
