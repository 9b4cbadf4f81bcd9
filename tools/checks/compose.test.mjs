// That the check of the compose file passes what stands there, and finds each fault that somebody may put in.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { composeFaults } from '../scripts/check-compose.mjs';
import { root } from '../scripts/projects.mjs';

const folder = mkdtempSync(join(tmpdir(), 'bento-compose-'));
after(() => rmSync(folder, { recursive: true }));
cpSync(join(root, 'docker'), folder, { recursive: true });
const file = join(folder, 'compose.yaml');
const sound = readFileSync(file, 'utf8');

function faultsAfter(from, to) {
  const broken = sound.replace(from, to);
  assert.notEqual(broken, sound, `${from} is not in the file`);
  writeFileSync(file, broken);
  return composeFaults(file);
}

describe('the check of the compose file', () => {
  it('finds no fault in the one of this repository', () => {
    assert.deepEqual(composeFaults(join(root, 'docker/compose.yaml')), []);
  });

  for (const [what, from, to, expected] of [
    ['is no YAML', /^services:/m, 'services: [', /invalid-yaml/],
    [
      'has a key that the compose schema does not know',
      '    ports:',
      '    prots:',
      /invalid-schema.*|must NOT have additional/,
    ],
    ['has a value of another type than the schema wants', 'interval: 5s', 'interval: [5s]', /must be string/],
    [
      'names an image by "latest"',
      /image: grafana.*/,
      'image: grafana/grafana:latest',
      /"grafana": the tag of its image .* is not pinned/,
    ],
    [
      'names an image by half a version',
      /image: grafana.*/,
      'image: grafana/grafana:12',
      /"grafana": the tag of its image .* is not pinned/,
    ],
    [
      'names an image without a tag',
      /image: apache\/kafka.*/,
      'image: apache/kafka',
      /"kafka": the tag of its image .* is not pinned/,
    ],
    [
      'has a service without a health check',
      /healthcheck:\n {6}test: \["CMD", "curl"/,
      'x-checked:\n      test: ["CMD", "curl"',
      /it has no health check/,
    ],
    [
      'publishes a port on every interface',
      '- "127.0.0.1:${KAFKA_PORT',
      '- "0.0.0.0:${KAFKA_PORT',
      /"kafka": port .* is not published on loopback/,
    ],
    [
      'publishes a port on no interface in particular',
      '127.0.0.1:${GRAFANA_PORT',
      '${GRAFANA_PORT',
      /no-unbound-port-interfaces/,
    ],
    [
      'mounts a file that is not there',
      './prometheus.yml:',
      './missing.yml:',
      /\.\/missing\.yml, which it mounts, is not there/,
    ],
    ['uses a volume that it does not declare', /^ {2}kafka-data:$/m, '', /its volume "kafka-data" is not declared/],
  ])
    it(`refuses a file that ${what}`, () => {
      assert.match(faultsAfter(from, to).join('\n'), expected);
    });

  it('ends with a line for each fault and exit code 1', () => {
    writeFileSync(file, sound.replace(/image: grafana.*/, 'image: grafana/grafana:12'));
    const { status, stderr } = spawnSync(process.execPath, [join(root, 'tools/scripts/check-compose.mjs'), file], {
      encoding: 'utf8',
    });
    assert.equal(status, 1);
    assert.match(stderr, /^[^\n]*compose\.yaml: service "grafana": [^\n]+\n$/);
  });
});
