// Bound parameters as HTTP carries them (`param_x`, text as in a TSV field), as values that the engine's binding writes down again.

const escapes = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f', 0: '\0' };
const unescape = (text) => text.replaceAll(/\\(.)/gs, (_, char) => escapes[char] ?? char);

/** The parameters among the fields of a request; the type of each stands in the query. */
export function paramsOf(fields, query) {
  const params = {};
  for (const [field, text] of fields) {
    if (!field.startsWith('param_')) continue;
    const name = field.slice('param_'.length);
    const type = new RegExp(`\\{\\s*${name.replaceAll(/\W/g, '\\$&')}\\s*:\\s*([^}]+)\\}`).exec(query)?.[1] ?? 'String';
    params[name] = valueOf(text, type);
  }
  return params;
}

function valueOf(text, type) {
  if (text === '\\N') return null;
  return /^(?:Nullable\()?(?:Array|Tuple|Map)\(/.test(type) ? composite(text) : unescape(text);
}

/** The engine's binding knows a tuple by the name of its class. */
const tuple = (values) => ({ constructor: { name: 'TupleParam' }, values });

const keywords = { null: null, true: true, false: false };
const token = /\s*(?:'((?:\\.|''|[^'\\])*)'|([[\](){},:])|([^\s[\](){},:']+))/gsy;

/** An array, a map or a tuple as SQL writes it: `['it\'s', NULL]`, `{'a':1}`, `(1,'b')`. */
function composite(text) {
  const tokens = [...text.matchAll(token)];
  let at = 0;
  const is = (sign) => tokens[at]?.[2] === sign;
  const skip = (sign) => {
    if (is(sign)) at += 1;
  };
  const list = (end, item) => {
    const values = [];
    at += 1;
    while (at < tokens.length && !is(end)) {
      values.push(item());
      skip(',');
    }
    at += 1;
    return values;
  };
  const value = () => {
    if (is('[')) return list(']', value);
    if (is('(')) return tuple(list(')', value));
    if (is('{'))
      return new Map(
        list('}', () => {
          const key = value();
          skip(':');
          return [key, value()];
        }),
      );
    const [, quoted, , bare = ''] = tokens[at] ?? [];
    at += 1;
    if (quoted !== undefined) return unescape(quoted.replaceAll("''", "'"));
    const word = bare.toLowerCase();
    if (Object.hasOwn(keywords, word)) return keywords[word];
    return /^-?\d+$/.test(bare) ? BigInt(bare) : Number(bare);
  };
  return value();
}
