import protobuf, { type Field, type Type } from 'protobufjs';
import type { Longs } from './reader.ts';

/** A scalar type: its wire type, and what stands for its default in code. */
interface Scalar {
  readonly wire: number;
  readonly zero: string;
}

const scalar = (wire: number, zero: string): Scalar => ({ wire, zero });

const scalars = (longs: Longs): ReadonlyMap<string, Scalar> => {
  const zero = { number: '0', string: '"0"', bigint: '0n' }[longs];
  return new Map([
    ['double', scalar(1, '0')],
    ['float', scalar(5, '0')],
    ['int32', scalar(0, '0')],
    ['uint32', scalar(0, '0')],
    ['sint32', scalar(0, '0')],
    ['fixed32', scalar(5, '0')],
    ['sfixed32', scalar(5, '0')],
    ['int64', scalar(0, zero)],
    ['uint64', scalar(0, zero)],
    ['sint64', scalar(0, zero)],
    ['fixed64', scalar(1, zero)],
    ['sfixed64', scalar(1, zero)],
    ['bool', scalar(0, 'false')],
    ['string', scalar(2, '""')],
    ['bytes', scalar(2, 'Buffer.alloc(0)')],
  ]);
};

/** The symbols of an enum. */
export interface Symbols {
  readonly name: string;
  readonly names: ReadonlyMap<number, string>;
  readonly numbers: ReadonlyMap<string, number>;
  /** Numbers that the schema does not know are values too. */
  readonly open: boolean;
}

/** A field as the code for it needs it. */
export interface FieldPlan {
  readonly name: string;
  readonly id: number;
  readonly kind: 'one' | 'many' | 'map';
  /** The method that reads and writes it; `message` for a message. */
  readonly method: string;
  readonly wire: number;
  readonly zero: string;
  /** Absent is another thing than the default. */
  readonly presence: boolean;
  readonly required: boolean;
  readonly packed: boolean;
  readonly symbols: Symbols | undefined;
  readonly message: Type | undefined;
  readonly keyType: string;
  readonly keyWire: number;
  readonly keyZero: string;
  /** The other members of its oneof. */
  readonly rivals: readonly string[];
}

/** The fields of a message. Throws for what this codec does not support, with the name of the field. */
export const planOf = (type: Type, longs: Longs): readonly FieldPlan[] =>
  type.fieldsArray.map((field) => planOne(field.resolve(), scalars(longs)));

function planOne(field: Field, known: ReadonlyMap<string, Scalar>): FieldPlan {
  const { name, id, resolvedType, partOf } = field;
  if (name === '__proto__') throw new Error('a field "__proto__" would change prototypes');
  if (field.delimited) throw new Error(`${field.fullName.slice(1)} is a group, which is not supported`);
  const symbols = resolvedType instanceof protobuf.Enum ? symbolsOf(resolvedType) : undefined;
  const message = resolvedType instanceof protobuf.Type ? resolvedType : undefined;
  const method = symbols === undefined ? (message === undefined ? field.type : 'message') : 'int32';
  const found = message === undefined ? known.get(method) : scalar(2, 'undefined');
  if (found === undefined) throw new Error(`${field.fullName.slice(1)} has the unknown type ${field.type}`);
  const keyType = field instanceof protobuf.MapField ? field.keyType : 'string';
  const keyScalar = known.get(keyType);
  const kind = field.map ? 'map' : field.repeated ? 'many' : 'one';
  return {
    name,
    id,
    kind,
    method,
    wire: found.wire,
    zero: symbols === undefined ? found.zero : zeroOf(symbols, kind === 'one' ? field.typeDefault : 0),
    presence: kind === 'one' && (message !== undefined || field.hasPresence),
    required: field.required,
    packed: field.packed,
    symbols,
    message,
    keyType,
    keyWire: keyScalar?.wire ?? 2,
    keyZero: keyType === 'bool' ? '"false"' : keyType === 'string' ? '""' : '"0"',
    rivals: partOf?.fieldsArray.flatMap((other) => (other === field ? [] : [other.name])) ?? [],
  };
}

const zeroOf = ({ names }: Symbols, number: unknown): string => JSON.stringify(names.get(Number(number)) ?? 0);

function symbolsOf(type: protobuf.Enum): Symbols {
  const { _features: features } = type as unknown as { _features?: { enum_type?: string } };
  return {
    name: type.name,
    // Of two names for a number, the first.
    names: new Map(Object.entries(type.valuesById).map(([number, name]) => [Number(number), name])),
    numbers: new Map(Object.entries(type.values)),
    open: features?.enum_type !== 'CLOSED',
  };
}
