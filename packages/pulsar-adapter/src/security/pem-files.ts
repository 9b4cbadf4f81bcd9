import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TlsMaterial } from './tls.ts';

/** What a client that takes paths only is given, in a folder of this user's own. */
export interface PemFiles {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  remove(): void;
}

export function pemFiles(tls: TlsMaterial): PemFiles {
  const given = (['ca', 'cert', 'key'] as const).filter((name) => tls[name] !== undefined);
  if (given.length === 0) return { remove: () => {} };
  const folder = mkdtempSync(join(tmpdir(), 'bento-pulsar-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  // Also where nobody closes.
  process.once('exit', remove);
  const paths = given.map((name) => {
    const path = join(folder, `${name}.pem`);
    writeFileSync(path, tls[name] ?? '', { mode: 0o600 });
    return [name, path] as const;
  });
  return {
    ...Object.fromEntries(paths),
    remove: () => {
      process.off('exit', remove);
      remove();
    },
  };
}
