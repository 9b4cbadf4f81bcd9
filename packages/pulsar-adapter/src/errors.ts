import { BentoError, type ErrorCode, isBentoError } from '@bento-bus/core';

/** An answer of Pulsar over HTTP that is no success; also of a refused WebSocket. */
export class HttpFailure extends Error {
  readonly status: number;

  constructor(status: number, body: string) {
    super(oneSentence(body) || `HTTP ${status}`);
    this.name = 'HttpFailure';
    this.status = status;
  }
}

/** What the broker says of one message it could not store. */
export class SendFailure extends Error {
  override readonly name: string = 'SendFailure';
}

interface Kind {
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly advice: string;
}

const byStatus: Readonly<Record<number, Kind>> = {
  400: { code: 'CONFIGURATION', retryable: false, advice: 'Correct the options.' },
  401: { code: 'AUTHENTICATION', retryable: false, advice: 'Give valid credentials by `authentication`.' },
  403: { code: 'AUTHORIZATION', retryable: false, advice: 'Grant the permission, or use other credentials.' },
  404: { code: 'UNKNOWN_TOPIC', retryable: false, advice: 'Create it, or its namespace, first.' },
  405: {
    code: 'CONFIGURATION',
    retryable: false,
    advice: 'Let the broker have topicLevelPoliciesEnabled=true, or set it on the namespace.',
  },
  409: {
    code: 'GROUP_CONFLICT',
    retryable: false,
    advice: 'Close what holds it, or use another name or subscription type.',
  },
  412: { code: 'CONFIGURATION', retryable: false, advice: 'Correct its name.' },
  422: { code: 'CONFIGURATION', retryable: false, advice: 'Correct what was asked for.' },
};
const timeout: Kind = { code: 'TIMEOUT', retryable: true, advice: 'Try again; allow more time if it happens often.' };
const connection: Kind = {
  code: 'CONNECTION',
  retryable: true,
  advice: 'See that the broker runs and the URLs are right.',
};
const trust: Kind = {
  code: 'AUTHENTICATION',
  retryable: false,
  advice: "Give the authority of the broker's certificate as tls.ca, and use a name that the certificate is for.",
};
const ownCertificate: Kind = {
  code: 'AUTHENTICATION',
  retryable: false,
  advice: 'Give a certificate that the broker accepts, as tls.cert and tls.key.',
};
const noTls: Kind = {
  code: 'CONFIGURATION',
  retryable: false,
  advice: 'Use the port and the kind of URL with TLS, or those without.',
};
const busy: Kind = { code: 'CONNECTION', retryable: true, advice: 'Try again; the log of the broker says more.' };

/** What any failure of a driver or of HTTP is for users. `what` says what could not be done: `publish to "orders"`. */
export function toBentoError(cause: unknown, what: string): BentoError {
  if (isBentoError(cause)) return cause;
  const { code, retryable, advice } = kindOf(cause);
  return new BentoError(code, `pulsar-adapter: cannot ${what}: ${textOf(cause)}. ${advice}`, retryable, { cause });
}

/** The same fault, told of what it keeps from being done. */
export const because = (error: BentoError, what: string): BentoError =>
  new BentoError(
    error.code,
    `pulsar-adapter: cannot ${what}: ${error.message.replace(/^pulsar-adapter: /, '')}`,
    error.retryable,
    { cause: error },
  );

const notAllowed = /^Unauthorized to|not authorized|permission|super.?user|admin access|has no/i;

function kindOf(cause: unknown): Kind {
  if (cause instanceof HttpFailure) {
    // Administration without the right for it; the status is that of missing credentials.
    if (cause.status === 401 && notAllowed.test(cause.message)) return byStatus[403] as Kind;
    if (/schema compatib|incompatible/i.test(cause.message)) return byStatus[422] as Kind;
    // A V1 name or an unknown namespace comes as a stack trace with 500.
    if (cause.status === 500 && /IllegalArgument/.test(cause.message)) return byStatus[412] as Kind;
    // Two that make one subscription at once.
    if (cause.status === 412 && /busy/i.test(cause.message)) return busy;
    return byStatus[cause.status] ?? (cause.status === 504 || cause.status === 408 ? timeout : busy);
  }
  if (cause instanceof SendFailure) return busy;
  const { name } = partsOf(cause);
  const tls = tlsKind(cause);
  if (tls !== undefined) return tls;
  if (name === 'TimeoutError' || name === 'AbortError') return timeout;
  return nativeKind(cause) ?? connection;
}

/** By the codes of Node.js and OpenSSL: https://nodejs.org/api/tls.html#x509-certificate-error-codes. */
function tlsKind(cause: unknown): Kind | undefined {
  const { code = '' } = (cause ?? {}) as NodeJS.ErrnoException;
  const text = `${code} ${partsOf(cause).message}`;
  // What the other side says of our certificate.
  if (/alert|ALERT/.test(text) && /certificate|CERTIFICATE|unknown.ca|UNKNOWN_CA/.test(text)) return ownCertificate;
  if (/WRONG_VERSION_NUMBER|wrong version number|packet length too long/.test(text)) return noTls;
  return /^(CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_|HOSTNAME_MISMATCH|ERR_TLS_CERT_)/.test(
    code,
  )
    ? trust
    : undefined;
}

/** pulsar-client says what happened in its message only. */
function nativeKind(cause: unknown): Kind | undefined {
  const text = partsOf(cause).message;
  if (/Authorization/.test(text)) return byStatus[403];
  if (/Authentication/.test(text)) return byStatus[401];
  if (/TopicNotFound|TopicNotExist/.test(text)) return byStatus[404];
  if (/ConsumerBusy|ProducerBusy|ProducerFenced/.test(text)) return byStatus[409];
  if (/InvalidTopicName|InvalidConfiguration|InvalidUrl/.test(text)) return byStatus[412];
  if (/TimeOut|Timeout/i.test(text)) return timeout;
  return undefined;
}

/** Not by `instanceof`: errors of an addon may come from another realm. */
function partsOf(cause: unknown): { readonly name: string; readonly message: string } {
  const { name, message, code } = (
    typeof cause === 'object' && cause !== null ? cause : {}
  ) as Partial<NodeJS.ErrnoException>;
  return { name: name ?? '', message: message || code || '' };
}

/** The cause as a clause: without its last full stop. */
function textOf(cause: unknown): string {
  const below = partsOf((cause as { cause?: unknown } | undefined)?.cause).message;
  const { message, name } = partsOf(cause);
  // OpenSSL's: what it means stands between numbers and files.
  const text = /:error:[\dA-F]+:[^:]*:[^:]*:([^:]+):/.exec(message)?.[1] ?? (message || name || String(cause));
  return (below && below !== text ? `${text} (${below})` : text).replace(/\.\s*$/, '');
}

/** What an error page of Pulsar says: a JSON reason, an HTML title or the first line of a stack trace. */
export function oneSentence(body: string): string {
  const reason = /"reason"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(body)?.[1];
  const title = /<title>([\s\S]*?)<\/title>/.exec(body)?.[1];
  const text = unescaped(reason ?? title ?? body)
    .replaceAll('\\"', '"')
    .replace(/^(\s|\\n)*--- An unexpected error[^-]*---(\s|\\n)*Message: /, '')
    .replace(/^Error \d+ /, '');
  const inner = /"errorMsg"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(text)?.[1];
  const line = (inner ?? text).split(/\r?\n|\\n|\s+at (?=[\w.$]+\()/)[0] ?? '';
  const plain = line
    .replace(/\b(?:[a-z]+\.)+(?:[A-Z]\w*\$)?([A-Z]\w*(?:Exception|Error))\b:?/g, '')
    .replace(/\s+/g, ' ');
  return plain
    .replace(/[\s:]+$/, '')
    .trim()
    .slice(0, 300);
}

const entities: Readonly<Record<string, string>> = { quot: '"', apos: "'", lt: '<', gt: '>', amp: '&' };
const unescaped = (text: string): string =>
  text.replace(/&(quot|apos|lt|gt|amp);/g, (_, name: string) => entities[name] ?? '');
