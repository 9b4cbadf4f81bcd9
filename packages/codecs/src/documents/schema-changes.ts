import type { JsonSchema } from './json-schemas.ts';
import { isSchemaObject } from './refs.ts';
import { alternativesOf, type Pairs, pairsOf, type Rooted, typeOf, valuesOf } from './schema-shape.ts';

/** What breaks between two schemas, as clauses that name the field. */
export function schemaChanges(before: Rooted, after: Rooted): string[] {
  const changes: string[] = [];
  /** Pairs on the way from the top to here: recursive schemas come back to themselves. */
  const above = new Set<string>();
  const compare = (old: Rooted, now: Rooted, path: string): void => {
    const [alternatives, current] = [alternativesOf(old), alternativesOf(now)];
    const step = JSON.stringify([alternatives, current]);
    if (above.has(step)) return;
    above.add(step);
    compareAlternatives(old, now, path, pairsOf(alternatives, current));
    above.delete(step);
  };
  const compareAlternatives = (old: Rooted, now: Rooted, path: string, { pairs, removed, added }: Pairs): void => {
    const where = path === '' ? 'the data' : path;
    const say = (change: string): void => void changes.push(`${where} ${change}`);
    if (pairs.length === 0) {
      say(`is ${namesOf(added)}, no longer ${namesOf(removed)}`);
      return;
    }
    if (removed.length > 0) say(`can no longer be ${namesOf(removed)}`);
    if (added.length > 0) say(`can newly be ${namesOf(added)}, which readers do not expect`);
    for (const [one, other] of pairs) {
      compareValues(one, other, say);
      compareLimits(one, other, say);
      compareFields(one, other, path, say, changes);
      const into = (name: string, at: string): void => {
        const [part, counterpart] = [one[name], other[name]];
        if (isSchemaObject(part) && isSchemaObject(counterpart))
          compare({ schema: part, root: old.root }, { schema: counterpart, root: now.root }, at);
      };
      into('items', `${path}[]`);
      into('additionalProperties', `${path}{}`);
      for (const [name, part] of Object.entries(fieldsOf(one))) {
        const counterpart = fieldsOf(other)[name];
        if (counterpart !== undefined)
          compare({ schema: part, root: old.root }, { schema: counterpart, root: now.root }, join(path, name));
      }
      for (const [index, part] of tupleOf(one).entries()) {
        const counterpart = tupleOf(other)[index];
        if (counterpart === undefined) changes.push(`${path}[${index}] is removed`);
        else compare({ schema: part, root: old.root }, { schema: counterpart, root: now.root }, `${path}[${index}]`);
      }
    }
  };
  compare(before, after, '');
  return changes;
}

type Say = (change: string) => void;

const join = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`);

const namesOf = (alternatives: readonly JsonSchema[]): string =>
  [...new Set(alternatives.map((one) => typeOf(one) ?? 'anything'))].join(' or ');

const fieldsOf = ({ properties }: JsonSchema): Readonly<Record<string, unknown>> =>
  isSchemaObject(properties) ? properties : {};

const requiredOf = ({ required }: JsonSchema): readonly unknown[] => (Array.isArray(required) ? required : []);

/** Items by place: `prefixItems`, or the array of draft-07. */
function tupleOf({ prefixItems, items }: JsonSchema): readonly unknown[] {
  if (Array.isArray(prefixItems)) return prefixItems;
  return Array.isArray(items) ? items : [];
}

function compareFields(old: JsonSchema, now: JsonSchema, path: string, say: Say, changes: string[]): void {
  const [fields, current] = [fieldsOf(old), fieldsOf(now)];
  const [required, newlyRequired] = [requiredOf(old), requiredOf(now)];
  const sayOf = (name: string, change: string): void => void changes.push(`the field ${join(path, name)} ${change}`);
  for (const name of Object.keys(fields)) {
    if (!Object.hasOwn(current, name)) sayOf(name, 'is removed');
    else if (required.includes(name) && !newlyRequired.includes(name)) sayOf(name, 'is no longer always there');
  }
  for (const name of newlyRequired as readonly string[])
    if (!required.includes(name)) sayOf(name, 'is newly required: what was sent without it is refused');
  if (now['additionalProperties'] === false && old['additionalProperties'] !== false && typeOf(old) === 'object')
    say('refuses other fields now');
}

const listed = (values: readonly string[]): string => values.join(', ');

function compareValues(old: JsonSchema, now: JsonSchema, say: Say): void {
  const [were, are] = [valuesOf(old), valuesOf(now)];
  if (were === undefined && are !== undefined) say(`can only be ${listed(are)} now`);
  if (were === undefined) return;
  if (are === undefined) {
    say(`can be any value now, not only ${listed(were)}`);
    return;
  }
  const removed = were.filter((value) => !are.includes(value));
  const added = are.filter((value) => !were.includes(value));
  if (removed.length > 0) say(`can no longer be ${listed(removed)}`);
  if (added.length > 0) say(`can newly be ${listed(added)}, which readers do not know`);
}

const lowerBounds = ['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties', 'minContains'];
const upperBounds = ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties', 'maxContains'];
/** Any other value of these may refuse what was sent; their removal refuses nothing. */
const rules = [
  'pattern',
  'format',
  'multipleOf',
  'uniqueItems',
  'contentEncoding',
  'contains',
  'not',
  'if',
  'then',
  'else',
];
const nameRules = ['patternProperties', 'propertyNames', 'dependentRequired', 'dependentSchemas'];

const numberOf = (schema: JsonSchema, keyword: string, missing: number): number =>
  typeof schema[keyword] === 'number' ? schema[keyword] : missing;

const textOf = (value: unknown): string => (value === undefined ? 'none' : JSON.stringify(value));

function compareLimits(old: JsonSchema, now: JsonSchema, say: Say): void {
  for (const keyword of lowerBounds) {
    const [was, is] = [numberOf(old, keyword, -Infinity), numberOf(now, keyword, -Infinity)];
    if (is > was) say(`has the ${keyword} ${is}, ${was === -Infinity ? 'and had none' : `no longer ${was}`}`);
  }
  for (const keyword of upperBounds) {
    const [was, is] = [numberOf(old, keyword, Infinity), numberOf(now, keyword, Infinity)];
    if (is < was) say(`has the ${keyword} ${is}, ${was === Infinity ? 'and had none' : `no longer ${was}`}`);
  }
  for (const keyword of [...rules, ...nameRules]) {
    if (now[keyword] === undefined || now[keyword] === false) continue;
    const [was, is] = [textOf(old[keyword]), textOf(now[keyword])];
    if (was !== is) say(`has the ${keyword} ${is}, ${was === 'none' ? 'and had none' : `no longer ${was}`}`);
  }
}
