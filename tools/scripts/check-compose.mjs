// The compose file without docker: its schema and style as dclint sees them, and what dclint has no rule for.
// `node tools/scripts/check-compose.mjs [file]`: exit code 1 and a line for each fault.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DCLinter } from 'dclint';
import { root } from './projects.mjs';

const require = createRequire(import.meta.url);
// The parser that dclint reads the file with.
const { parse } = createRequire(require.resolve('dclint/package.json'))('yaml');
const { rules } = JSON.parse(readFileSync(join(root, 'docker/.dclintrc.json'), 'utf8'));

/** Every fault of a compose file, a line each. */
export function composeFaults(file) {
  const linter = new DCLinter({ rules, quiet: false, debug: false, exclude: [] });
  const results = linter.lintFiles([file], false);
  // It passes over what it takes for no compose file.
  if (results.length === 0) return [`${file} was not read`];
  const messages = results.flatMap((result) => result.messages);
  const faults = messages.map(({ line, message, rule }) => `line ${line}: ${message} (${rule})`);
  // Without a document to look at there is nothing more to say.
  if (messages.some(({ rule }) => rule === 'invalid-yaml' || rule === 'invalid-schema')) return faults;
  const document = parse(readFileSync(file, 'utf8'), { merge: true });
  const services = Object.entries(document.services);
  return [...faults, ...services.flatMap(([name, service]) => serviceFaults(name, service, document, dirname(file)))];
}

function serviceFaults(name, { image = '', healthcheck, ports = [], volumes = [] }, document, folder) {
  const faults = [];
  if (!/:v?\d+\.\d+\.\d+[\w.-]*(?:@sha256:[\da-f]{64})?$/.test(image))
    faults.push(`the tag of its image "${image}" is not pinned`);
  if (!healthcheck?.test || healthcheck.disable === true) faults.push('it has no health check');
  for (const port of ports)
    if (typeof port !== 'string' || !port.startsWith('127.0.0.1:'))
      faults.push(`port ${JSON.stringify(port)} is not published on loopback`);
  for (const volume of volumes) {
    const source = String(volume).split(':')[0];
    const isPath = /^[./]/.test(source);
    if (isPath && !existsSync(resolve(folder, source))) faults.push(`${source}, which it mounts, is not there`);
    if (!isPath && !Object.hasOwn(document.volumes ?? {}, source))
      faults.push(`its volume "${source}" is not declared`);
  }
  return faults.map((fault) => `service "${name}": ${fault}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const file = resolve(process.argv[2] ?? join(root, 'docker/compose.yaml'));
  const faults = composeFaults(file);
  for (const fault of faults) console.error(`${relative(process.cwd(), file)}: ${fault}`);
  if (faults.length === 0) console.log(`${relative(process.cwd(), file)}: valid`);
  process.exitCode = faults.length === 0 ? 0 : 1;
}
