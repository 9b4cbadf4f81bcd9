import { BentoError, type ErrorCode, FencedError, isBentoError } from '@bento-bus/core';

/** The fields by which kafkajs' errors are told apart. */
interface KafkaError {
  readonly name?: string;
  /** The broker's error, by its name in the protocol. */
  readonly type?: string;
  /** Of TLS, by Node.js. */
  readonly code?: unknown;
  readonly message?: string;
  readonly retriable?: boolean;
  readonly cause?: unknown;
  /** Of a request for several: what became of each. */
  readonly errors?: readonly unknown[];
}

type Kind = readonly [code: ErrorCode, retryable: boolean, advice: string];

const connection: Kind = ['CONNECTION', true, 'See that the brokers run and can be reached; then try again.'];
const replicas: Kind = ['REPLICAS', true, 'Too few replicas are in sync: see that all brokers run; then try again.'];
const oversize: Kind = ['OVERSIZE', false, "Set maxMessageBytes to the smallest 'max.message.bytes' of the topics."];
const login: Kind = ['AUTHENTICATION', false, 'Correct the credentials in connection.sasl.'];
const untrusted: Kind = [
  'AUTHENTICATION',
  false,
  "The broker's certificate is not trusted: give who signed it as connection.ssl.ca, or have it renewed.",
];
const misnamed: Kind = [
  'AUTHENTICATION',
  false,
  "The broker's certificate is for another host: connect by the name in it, or give that as connection.ssl.servername.",
];
const unwelcome: Kind = [
  'AUTHENTICATION',
  false,
  'The broker does not accept the certificate of this client: give a valid one, signed by whom the broker trusts, as connection.ssl.cert and key.',
];
const denied: Kind = ['AUTHORIZATION', false, 'Grant it to this user.'];
const settings: Kind = ['CONFIGURATION', false, 'Correct the name or the option.'];
const again: Kind = ['PUBLISH', true, 'Publish them again; their ids let consumers drop a copy.'];
const members: Kind = ['GROUP_CONFLICT', false, 'Close the subscriptions of the group; then try again.'];
const late: Kind = ['TIMEOUT', true, 'Try again.'];

const kinds: Readonly<Record<string, Kind>> = {
  KafkaJSSASLAuthenticationError: login,
  SASL_AUTHENTICATION_FAILED: login,
  CREDENTIALS_MISSING: ['AUTHENTICATION', false, 'Give them as connection.sasl.'],
  TLS_MISSING: ['CONFIGURATION', false, 'Set connection.ssl.'],
  ILLEGAL_SASL_STATE: [
    'CONFIGURATION',
    false,
    'Where the listener asks for no credentials, leave connection.sasl out.',
  ],
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
  NON_EMPTY_GROUP: members,
  GROUP_SUBSCRIBED_TO_TOPIC: members,
  GROUP_ID_NOT_FOUND: ['UNKNOWN_GROUP', false, 'Correct the name of the group.'],
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

/** The broker's error, by its name in the protocol. */
export const isOf = (cause: unknown, type: string): boolean => rootOf(cause).type === type;

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
  ((error as KafkaError | undefined)?.message ?? String(error))
    // OpenSSL's: numbers and places in its source around the reason.
    .replace(/[0-9A-F]+:error:[0-9A-F]+:[^:]*:[^:]*:([^:]*):.*/s, '$1')
    .replace(/\.$/, '');

function kindOf({ name = '', type = '', code, retriable }: KafkaError): Kind {
  const found = kinds[type] ?? kinds[name] ?? tlsKind(code);
  if (found !== undefined) return found;
  return retriable === false || !(name.startsWith('KafkaJS') || type !== '')
    ? ['CONNECTION', false, 'See the cause.']
    : connection;
}

/** What `node:tls` and OpenSSL say of certificates. Source: https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const distrust =
  /^(CERT_|CRL_|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT|UNABLE_TO_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED|HOSTNAME_MISMATCH|ERR_SSL_CERTIFICATE_VERIFY_FAILED)/;

function tlsKind(code: unknown): Kind | undefined {
  if (typeof code !== 'string') return undefined;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID' || code === 'HOSTNAME_MISMATCH') return misnamed;
  if (distrust.test(code)) return untrusted;
  // An alert of the broker, which has looked at ours.
  return /^ERR_SSL_.*ALERT/.test(code) ? unwelcome : undefined;
}

/** TLS has failed of what trying again cannot mend. */
export const isTlsFault = (code: unknown): boolean => tlsKind(code) !== undefined;

/** Below the wrappers that kafkajs puts around what it has tried often enough. */
function rootOf(error: unknown): KafkaError {
  let root: KafkaError = typeof error === 'object' && error !== null ? error : { message: String(error) };
  const seen = new Set<unknown>();
  while (!seen.has(root) && root.type === undefined) {
    const below = root.cause ?? root.errors?.[0];
    if (typeof below !== 'object' || below === null) break;
    seen.add(root);
    root = below;
  }
  return root;
}
