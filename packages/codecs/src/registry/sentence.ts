const entities: Readonly<Record<string, string>> = { quot: '"', apos: "'", lt: '<', gt: '>', amp: '&' };

/** What a registry's error page says, in one sentence: a JSON message or reason, the title of an HTML page, or plain text. */
export function sentenceOf(body: string): string {
  const text = (reasonIn(body) ?? /<title>([\s\S]*?)<\/title>/.exec(body)?.[1] ?? body)
    .replace(/&(quot|apos|lt|gt|amp);/g, (_, name: string) => entities[name] ?? '')
    // Pulsar: a banner before, a stack trace after.
    .replace(/^\s*--- An unexpected error[^-]*---\s*Message: /, '')
    .replace(/\s*Stacktrace:[\s\S]*$/, '')
    .replace(/^Error \d+ /, '')
    // Java's names of exceptions say nothing more.
    .replace(/\b(?:[a-z]\w*\.)+(?:[A-Z]\w*\$)?[A-Z]\w*(?:Exception|Error)\b:?\s*/g, '')
    .replace(/\s+/g, ' ')
    .replace(/ : /g, ': ')
    .replace(/([{[]) | ([}\]])/g, '$1$2')
    .replace(/[\s.:]+$/, '')
    .trim();
  return text.length > 500 ? `${text.slice(0, 499)}…` : text;
}

/** The number in an answer of Confluent's API; undefined: the answer is no such error. */
export function errorCodeOf(body: string): number | undefined {
  const { error_code: code } = parsed(body) as { readonly error_code?: unknown };
  return typeof code === 'number' ? code : undefined;
}

/** The message or reason in an answer of JSON. */
export function reasonIn(body: string): string | undefined {
  const { message, reason } = parsed(body) as { readonly message?: unknown; readonly reason?: unknown };
  if (typeof message === 'string') return message;
  return typeof reason === 'string' ? reason : undefined;
}

function parsed(body: string): object {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
