import { describe, expect, it } from '@jest/globals';
import { recordName } from './subject.ts';

const proto = `
// message Comment { }
syntax = "proto3"; /* package nowhere; message No {} */
package shop.v1;
import "google/protobuf/timestamp.proto";
option java_package = "message Fake { }";
enum State { NEW = 0; }
message First {
  enum Kind { NONE = 0; }
  oneof choice { string message = 1; int32 n = 2; }
  message Inner { message Deep { int32 x = 1; } }
  message Other { string text = 1; }
}
service Orders { rpc Get (First) returns (Second) { option deprecated = true; } }
message Second { map<string, First> all = 1; }
`;

describe('the name of what a schema describes', () => {
  it.each([
    [[0], 'shop.v1.First'],
    [[0, 0], 'shop.v1.First.Inner'],
    [[0, 0, 0], 'shop.v1.First.Inner.Deep'],
    [[0, 1], 'shop.v1.First.Other'],
    [[1], 'shop.v1.Second'],
    [[1, 0], undefined],
    [[2], undefined],
    [[0, 1, 0], undefined],
  ])('of the protobuf message %j is %s', (path, name) => {
    expect(recordName({ format: 'PROTOBUF', text: proto }, path)).toBe(name);
  });

  it('of a file without a package is that of the message', () => {
    expect(recordName({ format: 'PROTOBUF', text: 'message A{}' })).toBe('A');
  });

  it.each([
    [{ type: 'record', name: 'Order' }, 'Order'],
    [{ type: 'record', name: 'Order', namespace: 'shop' }, 'shop.Order'],
    [{ type: 'record', name: 'other.Order', namespace: 'shop' }, 'other.Order'],
    [['null', 'string'], undefined],
    ['string', undefined],
  ])('of the Avro schema %j is %s', (schema, name) => {
    expect(recordName({ format: 'AVRO', text: JSON.stringify(schema) })).toBe(name);
  });

  it('of a JSON Schema is its title', () => {
    expect(recordName({ format: 'JSON', text: '{"title":"Order","name":"no"}' })).toBe('Order');
    expect(recordName({ format: 'JSON', text: '{"type":"object"}' })).toBeUndefined();
    expect(recordName({ format: 'JSON', text: '{' })).toBeUndefined();
  });
});
