import type { GroupDescription, MessagingAdmin } from '@bento-bus/core';

/** Breaks one promise of an administration that keeps them all: what to put in place of its members. */
type Break = (admin: MessagingAdmin) => Partial<MessagingAdmin>;

/** What a scenario must find in a broken administration. */
export interface AdminFinding {
  readonly scenario: string;
  readonly broken: string;
  readonly breaks: Break;
  /** It fails of this, and not of something else. */
  readonly says: RegExp;
}

const eachGroup =
  (change: (found: GroupDescription, admin: MessagingAdmin) => Promise<Partial<GroupDescription>>): Break =>
  (admin) => ({
    describeGroup: async (topic, group) => {
      const found = await admin.describeGroup(topic, group);
      return { ...found, ...(await change(found, admin)) };
    },
  });

/** `code` is success. */
const taken = async (work: Promise<unknown>, code: string): Promise<void> => {
  await work.catch((error: { readonly code?: string }) => {
    if (error.code !== code) throw error;
  });
};

const finding = (scenario: string, broken: string, breaks: Break, says: RegExp): AdminFinding => ({
  scenario,
  broken,
  breaks,
  says,
});

export const adminFindings: readonly AdminFinding[] = [
  finding(
    'makes a topic, and says when it was there already',
    'says that it made every topic',
    (a) => ({ createTopic: (topic, options) => a.createTopic(topic, options).then(() => true) }),
    /it was there/,
  ),
  finding(
    'lists topics by prefix, sorted, without what the toolkit or the broker made for itself',
    'lists whatever begins otherwise too',
    (a) => ({ listTopics: async () => [...(await a.listTopics()), 'zzz'] }),
    /deep-equal/,
  ),
  finding(
    'describes the partitions of a topic, and what is stored in them',
    'counts one message too many',
    (a) => ({
      describeTopic: async (topic) => {
        const found = await a.describeTopic(topic);
        return {
          ...found,
          partitions: found.partitions.map(({ partition, messages }) => ({ partition, messages: messages + 1 })),
        };
      },
    }),
    /an empty partition/,
  ),
  finding(
    'refuses a setting that there is not, and changes nothing',
    'takes every setting',
    (a) => ({ configureTopic: (topic) => a.configureTopic(topic, {}) }),
    /an unknown setting/,
  ),
  finding(
    'leaves a topic with as many partitions as are asked for as it is',
    'says that it made more partitions',
    () => ({ setPartitions: async () => {} }),
    /more than one/,
  ),
  finding(
    'deletes a topic with what is stored in it and the progress on it',
    'says that it deleted a topic, and does not',
    () => ({ deleteTopic: async () => true }),
    /there was none/,
  ),
  finding(
    'says that there is no such topic with UNKNOWN_TOPIC',
    'finds nothing in a topic that is not there',
    (a) => ({ peek: (topic, group, options) => a.peek(topic, group, options).catch(() => []) }),
    /peek/,
  ),
  finding(
    'refuses what makes no sense with a CONFIGURATION error',
    'takes any count for one',
    (a) => ({ peek: (topic, group) => a.peek(topic, group) }),
    /peek at 0 messages/,
  ),
  finding(
    'closes once, and refuses everything after close with CLOSED',
    'closes with another promise each time',
    (a) => ({ close: async () => a.close() }),
    /the same promise/,
  ),
  finding(
    'makes a group without members, for which what comes is kept',
    'begins every group at the end',
    (a) => ({ createGroup: (topic, group) => a.createGroup(topic, group) }),
    /a backlog of 10/,
  ),
  finding(
    'lists the groups of a topic, with members or without',
    'lists no group without members',
    (a) => ({
      listGroups: async (topic) => {
        const names = await a.listGroups(topic);
        const all = await Promise.all(names.map((name) => a.describeGroup(topic, name)));
        return names.filter((_, index) => all[index]?.members.length !== 0);
      },
    }),
    /deep-equal/,
  ),
  finding(
    'says that a group has nothing to do with a topic with UNKNOWN_GROUP',
    'makes groups that are asked for',
    (a) => ({
      describeGroup: async (topic, group) => {
        await a.createGroup(topic, group);
        return a.describeGroup(topic, group);
      },
    }),
    /describeGroup/,
  ),
  finding(
    'counts a backlog that rises with what is published and falls with what is acknowledged',
    'never counts what members have in hand',
    eachGroup(async ({ members }) => (members.length > 0 ? { backlog: 0 } : {})),
    /a backlog of 4/,
  ),
  finding(
    'tells the backlog and the next message of each partition',
    'does not say which message is the next',
    eachGroup(async ({ partitions }) => ({
      partitions: partitions.map(({ partition, backlog }) => ({ partition, backlog })),
    })),
    /next of partition 0/,
  ),
  finding(
    'shows the members of a group while they are at work',
    'shows no members',
    eachGroup(async () => ({ members: [] })),
    /two members/,
  ),
  finding(
    'looks at the next messages, and changes nothing',
    'acknowledges what it shows',
    (a) => ({
      peek: async (topic, group, options) => {
        const found = await a.peek(topic, group, options);
        if (found.length > 2) await a.skip(topic, group, 1);
        return found;
      },
    }),
    /deep-equal|the first of a partition|a backlog of/,
  ),
  finding(
    'looks only at what is not acknowledged',
    'looks from the beginning',
    (a) => ({
      peek: async (topic, _, options) => {
        await a.createGroup(topic, 'from-the-beginning', 'earliest');
        return a.peek(topic, 'from-the-beginning', options);
      },
    }),
    /deep-equal/,
  ),
  finding(
    'counts and shows what has failed, and not what was acknowledged behind it',
    'counts all from the first failed one on',
    eachGroup(async ({ topic, partitions }, a) => {
      const end = (await a.describeTopic(topic)).partitions[0]?.messages ?? 0;
      const next = partitions[0]?.next;
      return next === undefined ? {} : { backlog: end - Number(next) };
    }),
    /a backlog of 5/,
  ),
  finding(
    'skips the next messages of a partition, or of each, unread',
    'skips one less than it says',
    (a) => ({
      skip: async (topic, group, count) =>
        count > 1 ? (await a.skip(topic, group, count - 1)) + 1 : a.skip(topic, group, count),
    }),
    /a backlog of 28/,
  ),
  finding(
    'moves a group to the beginning: all comes again, as for the first time',
    'does not move to the beginning',
    (a) => ({ reset: async (topic, group, to) => (to === 'earliest' ? undefined : a.reset(topic, group, to)) }),
    /a backlog of 20/,
  ),
  finding(
    'moves a group to the end: only what is published afterwards comes',
    'does not move to the end',
    (a) => ({ reset: async (topic, group, to) => (to === 'latest' ? undefined : a.reset(topic, group, to)) }),
    /a backlog of 0/,
  ),
  finding(
    'moves a group to a time: what was published since comes',
    'takes every time for the beginning',
    (a) => ({
      reset: (topic, group, to) => a.reset(topic, group, typeof to === 'object' && 'time' in to ? 'earliest' : to),
    }),
    /a backlog of 10/,
  ),
  finding(
    'moves a group to a position, the others of its partitions stay',
    'takes every position for the end',
    (a) => ({ reset: (topic, group, to) => a.reset(topic, group, typeof to === 'object' ? 'latest' : to) }),
    /a backlog of \d+/,
  ),
  finding(
    'moves a group to the position of a delivery, which comes again first',
    'moves behind a position',
    (a) => ({
      reset: (topic, group, to) =>
        a.reset(
          topic,
          group,
          typeof to === 'object' && 'position' in to ? { position: `${Number(to.position) + 1}` } : to,
        ),
    }),
    /a backlog of 4/,
  ),
  finding(
    'deletes the progress of a group, which then begins anew',
    'deletes no group',
    () => ({ deleteGroup: async () => {} }),
    /deep-equal/,
  ),
  finding(
    'refuses to move or to delete a group with members, and changes nothing',
    'says that it moved a group with members',
    (a) => ({ reset: (topic, group, to) => taken(a.reset(topic, group, to), 'GROUP_CONFLICT') }),
    /reset/,
  ),
];
