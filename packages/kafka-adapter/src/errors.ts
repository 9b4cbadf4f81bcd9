import { BentoError, type ErrorCode, FencedError, isBentoError } from '@bento-bus/core';

/** The fields by which kafkajs' errors are told apart. */
interface KafkaError {
  readonly name?: string;
  /** The broker's error, by its name in the protocol. */
  readonly type?: string;
  readonly message?: string;
  readonly retriable?: boolean;
  readonly cause?: unknown;
}

type Kind = readonly [code: ErrorCode, retryable: boolean, advice: string];

const connection: Kind = ['CONNECTION', true, 'See that the brokers run and can be reached; then try again.'];
const replicas: Kind = ['PUBLISH', true, 'Too few replicas are in sync: see that all brokers run; then try again.'];
const oversize: Kind = ['OVERSIZE', false, "Set maxMessageBytes to the smallest 'max.message.bytes' of the topics."];
const login: Kind = ['AUTHENTICATION', false, 'Correct the credentials.'];
const denied: Kind = ['AUTHORIZATION', false, 'Grant it to this user.'];
const settings: Kind = ['CONFIGURATION', false, 'Correct the name or the option.'];
const again: Kind = ['PUBLISH', true, 'Publish them again; their ids let consumers drop a copy.'];
const late: Kind = ['TIMEOUT', true, 'Try again.'];

const kinds: Readonly<Record<string, Kind>> = {
  KafkaJSSASLAuthenticationError: login,
  SASL_AUTHENTICATION_FAILED: login,
  UNSUPPORTED_SASL_MECHANISM: login,
  TOPIC_AUTHORIZATION_FAILED: denied,
  GROUP_AUTHORIZATION_FAILED: denied,
  CLUSTER_AUTHORIZATION_FAILED: denied,
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: denied,
  UNKNOWN_TOPIC_OR_PARTITION: ['UNKNOWN_TOPIC', false, 'Create the topic, or allow createTopics.'],
  MESSAGE_TOO_LARGE: oversize,
  RECORD_LIST_TOO_LARGE: oversize,
  NOT_ENOUGH_REPLICAS: replicas,
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: replicas,
  INVALID_TOPIC_EXCEPTION: settings,
  INVALID_GROUP_ID: settings,
  INVALID_SESSION_TIMEOUT: settings,
  INVALID_REPLICATION_FACTOR: settings,
  INVALID_PARTITIONS: settings,
  INVALID_CONFIG: settings,
  POLICY_VIOLATION: settings,
  INCONSISTENT_GROUP_PROTOCOL: [
    'CONFIGURATION',
    false,
    'Members of a group must all be of this package; give this one a group of its own.',
  ],
  UNSUPPORTED_VERSION: ['UNSUPPORTED', false, 'Use Kafka 2.4 or newer.'],
  KafkaJSServerDoesNotSupportApiKey: ['UNSUPPORTED', false, 'Use Kafka 2.4 or newer.'],
  OUT_OF_ORDER_SEQUENCE_NUMBER: again,
  DUPLICATE_SEQUENCE_NUMBER: again,
  UNKNOWN_PRODUCER_ID: again,
  INVALID_PRODUCER_ID_MAPPING: again,
  INVALID_TXN_STATE: again,
  CONCURRENT_TRANSACTIONS: again,
  REQUEST_TIMED_OUT: late,
  KafkaJSRequestTimeoutError: late,
  KafkaJSTimeout: late,
  KafkaJSLockTimeout: late,
};

const fences: ReadonlySet<string> = new Set([
  'PRODUCER_FENCED',
  'INVALID_PRODUCER_EPOCH',
  'TRANSACTION_COORDINATOR_FENCED',
]);

/** The error of a broker or a connection as one of ours; `what` says what could not be done. Errors of ours pass as they are. */
export function toBentoError(cause: unknown, what: string): BentoError {
  if (isBentoError(cause)) return cause;
  const root = rootOf(cause);
  if (isFenced(root))
    return new FencedError(`kafka-adapter: cannot ${what}: another process took it over. Stop here.`, { cause });
  const [code, retryable, advice] = kindOf(root);
  return new BentoError(code, `kafka-adapter: cannot ${what}: ${textOf(root)}. ${advice}`, retryable, { cause });
}

/** Another producer of its transactional id was opened. kafkajs does not know code 90, PRODUCER_FENCED. */
export function isFenced(cause: unknown): boolean {
  const { type = '', message = '' } = rootOf(cause);
  return fences.has(type) || message.endsWith('Unknown error code 90');
}

const lost: ReadonlySet<string> = new Set([
  'ILLEGAL_GENERATION',
  'UNKNOWN_MEMBER_ID',
  'FENCED_INSTANCE_ID',
  'REBALANCE_IN_PROGRESS',
]);

/** The group has moved on without this member, or is about to: it joins again. */
export const isStaleMember = (cause: unknown): boolean => lost.has(rootOf(cause).type ?? '');

/** This member is none any more. */
export const isExpelled = (cause: unknown): boolean =>
  isStaleMember(cause) && rootOf(cause).type !== 'REBALANCE_IN_PROGRESS';

/** A message of an error, without the full stop, which the text around it sets. */
export const textOf = (error: unknown): string =>
  ((error as KafkaError | undefined)?.message ?? String(error)).replace(/\.$/, '');

function kindOf({ name = '', type = '', retriable }: KafkaError): Kind {
  const found = kinds[type] ?? kinds[name];
  if (found !== undefined) return found;
  return retriable === false || !(name.startsWith('KafkaJS') || type !== '')
    ? ['CONNECTION', false, 'See the cause.']
    : connection;
}

/** Below the wrappers that kafkajs puts around what it has tried often enough. */
function rootOf(error: unknown): KafkaError {
  let root: KafkaError = typeof error === 'object' && error !== null ? error : { message: String(error) };
  const seen = new Set<unknown>();
  while (typeof root.cause === 'object' && root.cause !== null && !seen.has(root) && root.type === undefined) {
    seen.add(root);
    root = root.cause;
  }
  return root;
}
