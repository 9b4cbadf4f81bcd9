import { fieldOf, property, type Scope, tagOf } from './code.ts';
import type { FieldPlan } from './fields.ts';

/** Code that reads a message until its end. Fields without presence are there from the beginning, with their defaults. */
export function readerCode(plan: readonly FieldPlan[], scope: Scope): string {
  const initial = plan.flatMap((field) => {
    if (field.presence) return [];
    return `${JSON.stringify(field.name)}: ${{ one: field.zero, many: '[]', map: '{}' }[field.kind]}`;
  });
  const required = plan
    .filter((field) => field.required)
    .map(({ name }) => `if (${fieldOf('m', name)} === undefined) r.missing(${JSON.stringify(name)});`);
  return `
    if (depth === 0) r.tooDeep();
    r.spend(${initial.length + 1});
    if (m === undefined) m = { ${initial.join(', ')} };
    while (r.pos < r.end) {
      const tag = r.tag();
      switch (tag) {
        ${plan.map((field) => casesOf(field, scope)).join('\n')}
        default: r.skip(tag, depth);
      }
    }
    ${required.join('\n')}
    return m;`;
}

function casesOf(field: FieldPlan, scope: Scope): string {
  if (field.kind === 'map') return mapCase(field, scope);
  const target = property('m', field.name);
  if (field.kind === 'one') {
    const others = field.rivals.map(
      (name) => `if (${fieldOf('m', name)} !== undefined) { r.spend(1); delete ${property('m', name)}; }`,
    );
    return `case ${tagOf(field, field.wire)}: { ${valueOf(field, scope, fieldOf('m', field.name), (value) => `${target} = ${value}; ${others.join(' ')}`)} break; }`;
  }
  const push = valueOf(field, scope, 'undefined', (value) => `${target}.push(${value});`);
  const single = `case ${tagOf(field, field.wire)}: { r.spend(1); ${push} break; }`;
  if (field.wire === 2) return single;
  // A reader takes both forms, whatever the schema says.
  return `${single}
    case ${tagOf(field, 2)}: { const outer = r.open(); while (r.pos < r.end) { r.spend(1); ${push} } r.close(outer); break; }`;
}

/** Reads one value and uses it. `into`: the message that is there already. `unknown`: for a symbol that a closed enum does not know. */
function valueOf(
  field: FieldPlan,
  scope: Scope,
  into: string,
  use: (value: string) => string,
  unknown: string = '',
): string {
  const { message, symbols, method } = field;
  if (message !== undefined)
    return `const outer = r.open(); const v = ${scope.message(message)}.read(r, depth - 1, ${into}); r.close(outer); ${use('v')}`;
  if (symbols === undefined) return use(method === 'bytes' ? '(r.spend(2), r.bytes())' : `r.${method}()`);
  const name = `const number = r.int32(); const name = ${scope.symbols(symbols)}.names.get(number);`;
  // A number that a closed enum does not know counts as an unknown field.
  return symbols.open
    ? `${name} ${use('name === undefined ? number : name')}`
    : `${name} if (name !== undefined) { ${use('name')} } else { ${unknown} }`;
}

function mapCase(field: FieldPlan, scope: Scope): string {
  const { keyType, keyWire, keyZero, message, symbols, wire, zero } = field;
  const key = keyType === 'string' ? 'r.string()' : `String(r.${keyType}())`;
  // An entry without a value has the default one.
  const empty =
    message === undefined
      ? ''
      : `if (value === undefined) { const end = r.end; r.end = r.pos; value = ${scope.message(message)}.read(r, depth - 1); r.end = end; }`;
  // One with such a symbol is no entry as a whole.
  const closed = symbols?.open === false;
  const read = valueOf(
    field,
    scope,
    'value',
    (value) => `value = ${value}; ${closed ? 'known = true;' : ''}`,
    'known = false;',
  );
  const put = `${property('m', field.name)}[key] = value;`;
  const check = keyType === 'string' ? 'r.checkKey(key, value);' : '';
  return `case ${tagOf(field, 2)}: {
    r.spend(3);
    const entry = r.open();
    let key = ${keyZero};
    let value = ${zero};
    ${closed ? 'let known = true;' : ''}
    while (r.pos < r.end) {
      const tag = r.tag();
      switch (tag) {
        case ${8 | keyWire}: { key = ${key}; break; }
        case ${16 | wire}: { ${read} break; }
        default: r.skip(tag, depth);
      }
    }
    r.close(entry);
    ${empty}
    ${check}
    ${closed ? `if (known) ${put}` : put}
    break;
  }`;
}
