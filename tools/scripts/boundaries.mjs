// Layer rule: core <- adapter and feature <- composition <- app, read from the manifests; and no import reaches into another project's folder.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

const packages = ['layer:core', 'layer:adapter', 'layer:feature', 'layer:composition'];
/** Which layers a layer may depend on. A dev dependency on the test kit is allowed everywhere, a runtime dependency only to tools. */
const allowed = {
  'layer:core': [],
  'layer:adapter': ['layer:core'],
  'layer:feature': ['layer:core'],
  'layer:testkit': ['layer:core'],
  'layer:composition': packages,
  'layer:app': packages,
  'layer:tool': [...packages, 'layer:testkit'],
};
const layerOf = ({ manifest }) => manifest.nx?.tags?.find((tag) => tag.startsWith('layer:'));

/** Faults of the manifests, in words; none when the layers hold. */
export function layerFaults(projects) {
  const byName = new Map(projects.map((project) => [project.manifest.name, project]));
  return projects.flatMap((project) => {
    const { folder, manifest } = project;
    const own = layerOf(project);
    if (!(own in allowed)) return [`${folder}: has no layer: tag that is known`];
    const runtime = { ...manifest.dependencies, ...manifest.peerDependencies, ...manifest.optionalDependencies };
    const refused = (dependencies, layers) =>
      Object.keys(dependencies ?? {})
        .map((name) => byName.get(name))
        .filter((target) => target !== undefined && !layers.includes(layerOf(target)))
        .map((target) => `${folder} (${own}) must not depend on ${target.manifest.name} (${layerOf(target)})`);
    const faults = [
      ...refused(runtime, allowed[own]),
      ...refused(manifest.devDependencies, [...allowed[own], 'layer:testkit']),
    ];
    const outside = own === 'layer:core' ? Object.keys(runtime) : [];
    return [...faults, ...outside.map((name) => `${folder}: core has no runtime dependency, and names ${name}`)];
  });
}

const specifier = /(?:\bfrom|\bimport)\s*\(?\s*['"](\.\.?\/[^'"]+)['"]/g;

/** Relative imports of a project's sources and tests that leave its folder: the compiler lets them into a referenced project. */
export function importFaults({ path, folder }) {
  return ['src', 'test'].flatMap((part) => {
    let files;
    try {
      files = readdirSync(join(path, part), { recursive: true }).filter((file) => file.endsWith('.ts'));
    } catch {
      return [];
    }
    return files.flatMap((/** @type {string} */ file) => {
      const place = join(path, part, file);
      return [...readFileSync(place, 'utf8').matchAll(specifier)]

        .map((match) => match[1])
        .filter((to) => relative(path, resolve(place, '..', to)).startsWith('..'))
        .map(
          (to) => `${folder}/${part}/${file}: import ${to} leaves the package; import the other package by its name`,
        );
    });
  });
}
