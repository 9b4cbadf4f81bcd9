// Tells on standard error, at the end, which packages of OpenTelemetry were loaded: `NODE_OPTIONS=--import`. All of them are CommonJS.
import Module from 'node:module';

process.once('exit', () => {
  const packages = Object.keys(Module._cache).flatMap((path) => /@opentelemetry\/[\w-]+/.exec(path)?.[0] ?? []);
  process.stderr.write(`loaded: ${[...new Set(packages)].toSorted().join(' ')}\n`);
});
