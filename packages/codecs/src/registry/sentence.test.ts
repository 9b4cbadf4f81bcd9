import { describe, expect, it } from '@jest/globals';
import { sentenceOf } from './sentence.ts';

describe('what an error page says', () => {
  it.each([
    ['of Confluent', '{"error_code":40403,"message":"Schema not found"}', 'Schema not found'],
    [
      'of Apicurio',
      '{"error_code":409,"message":"io.apicurio.registry.rules.RuleViolationException: Incompatible artifact: a [AVRO]"}',
      'Incompatible artifact: a [AVRO]',
    ],
    [
      'of Pulsar in HTML',
      '<html><title>Error 409 check with strategy FULL: org.apache.avro.SchemaValidationException: Unable to read schema: \n{\n  &quot;type&quot; : &quot;int&quot;\n}</title></html>',
      'check with strategy FULL: Unable to read schema: {"type": "int"}',
    ],
    [
      'of Pulsar in JSON',
      JSON.stringify({
        reason:
          '\n --- An unexpected error occurred in the server ---\n\nMessage: No way\n\nStacktrace:\n\norg.x.Y: No way\n\tat a.b(C.java:1)',
      }),
      'No way',
    ],
    ['of a proxy', 'upstream gone.\n', 'upstream gone'],
    ['that is empty', '', ''],
  ])('%s, in one sentence', (_, page, sentence) => {
    expect(sentenceOf(page)).toBe(sentence);
  });

  it('is cut where it is long', () => {
    expect(sentenceOf('x'.repeat(10_000))).toHaveLength(500);
  });
});
