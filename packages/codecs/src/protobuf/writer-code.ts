import { fieldOf, type Scope, tagOf } from './code.ts';
import type { FieldPlan } from './fields.ts';

/** Code that writes a message: each field by its number, those without presence only if they are not the default. */
export function writerCode(name: string, plan: readonly FieldPlan[], scope: Scope): string {
  const fields = plan.toSorted((a, b) => a.id - b.id);
  return `
    w.at = "";
    if (typeof m !== "object" || m === null || Array.isArray(m)) w.wrong(m, ${JSON.stringify(`message ${name}`)});
    if (depth === 0) w.tooDeep();
    ${fields.map((field) => fieldCode(field, scope)).join('\n')}`;
}

function fieldCode(field: FieldPlan, scope: Scope): string {
  const name = JSON.stringify(field.name);
  const write = { one: oneCode, many: manyCode, map: mapCode }[field.kind](field, scope);
  const absent = field.presence ? 'v != null' : 'v !== undefined';
  const otherwise = field.required ? ` else { w.at = ${name}; w.wrong(v, "a required field"); }` : '';
  return `{ const v = ${fieldOf('m', field.name)}; if (${absent}) { w.at = ${name}; ${rivalCode(field)} ${write} }${otherwise} }`;
}

/** Of a oneof, one member at most. */
const rivalCode = ({ name, rivals }: FieldPlan): string =>
  rivals
    .filter((rival) => rival < name)
    .map((rival) => {
      const problem = JSON.stringify(`"${rival}" is set too, and both are of one oneof`);
      return `if (${fieldOf('m', rival)} != null) w.refuse({ problem: ${problem}, advice: "Set one of them." });`;
    })
    .join(' ');

function oneCode(field: FieldPlan, scope: Scope): string {
  const tag = `w.tag(${tagOf(field, field.wire)});`;
  if (field.message !== undefined)
    return `try { ${tag} ${messageCode(field, scope, 'v')} } catch (error) { throw w.within(error, ${JSON.stringify(field.name)}); }`;
  if (field.symbols !== undefined) {
    const put = `${tag} w.int32(number);`;
    return `const number = ${symbolCode(field, scope, 'v')}; ${
      field.presence
        ? put
        : `if (number !== ${field.symbols.numbers.get(JSON.parse(field.zero) as string) ?? 0}) { ${put} }`
    }`;
  }
  const put = `${tag} w.${field.method}(v);`;
  if (field.presence) return put;
  if (field.method === 'bytes') return `if (!(v instanceof Uint8Array) || v.length !== 0) { ${put} }`;
  // Minus zero is another value than the default.
  if (field.method === 'double' || field.method === 'float') return `if (!Object.is(v, 0)) { ${put} }`;
  return `if (v !== ${field.zero}) { ${put} }`;
}

function manyCode(field: FieldPlan, scope: Scope): string {
  const name = JSON.stringify(field.name);
  const packed = field.packed && field.wire !== 2;
  const item = itemCode(field, scope, 'v[i]');
  const loop = packed
    ? `w.tag(${tagOf(field, 2)}); const from = w.begin(); for (; i < v.length; i += 1) { w.room(); ${item} } w.end(from);`
    : `for (; i < v.length; i += 1) { w.at = ""; w.tag(${tagOf(field, field.wire)}); ${item} }`;
  return `if (!Array.isArray(v)) w.wrong(v, "an array");
    if (v.length > 0) { w.at = ""; let i = 0; try { ${loop} } catch (error) { throw w.within(error, ${name}, i); } }`;
}

function mapCode(field: FieldPlan, scope: Scope): string {
  const { keyType, keyWire } = field;
  const key = keyType === 'string' ? 'keys[i]' : `w.key(${JSON.stringify(keyType)}, keys[i])`;
  return `const keys = w.keysOf(v);
    let i = 0;
    try {
      for (; i < keys.length; i += 1) {
        w.at = "";
        w.tag(${tagOf(field, 2)});
        const from = w.begin();
        w.tag(${8 | keyWire}); w.${keyType}(${key});
        w.tag(${16 | field.wire}); ${itemCode(field, scope, 'v[keys[i]]')}
        w.end(from);
      }
    } catch (error) { throw w.within(error, ${JSON.stringify(field.name)}, keys[i]); }`;
}

function itemCode(field: FieldPlan, scope: Scope, value: string): string {
  if (field.message !== undefined) return messageCode(field, scope, value);
  return field.symbols === undefined ? `w.${field.method}(${value});` : `w.int32(${symbolCode(field, scope, value)});`;
}

const messageCode = ({ message }: FieldPlan, scope: Scope, value: string): string =>
  message === undefined
    ? ''
    : `{ const start = w.begin(); ${scope.message(message)}.write(w, ${value}, depth - 1); w.end(start); }`;

const symbolCode = ({ symbols }: FieldPlan, scope: Scope, value: string): string => {
  if (symbols === undefined) return '';
  const x = scope.symbols(symbols);
  return `w.symbol(${x}.numbers, ${x}.open, ${value}, ${x}.name)`;
};
