import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A file of the page as it is sent. */
export interface PageFile {
  /** Relative to the page's folder, with `/`. */
  readonly name: string;
  readonly bytes: Buffer;
  readonly type: string;
  /** Strong, of the content. */
  readonly etag: string;
}

/** As far up from `src` as from `dist`. */
const folder = fileURLToPath(new URL('../../../page/', import.meta.url));

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** All files of the page. A file whose type has no name here is not part of it. */
export async function readPageFiles(): Promise<PageFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const files = paths.map(async (path): Promise<PageFile | undefined> => {
    const type = types[extname(path)];
    if (type === undefined) return undefined;
    const bytes = await readFile(path);
    const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 27)}"`;
    return { name: relative(folder, path).split(sep).join('/'), bytes, type, etag };
  });
  return (await Promise.all(files)).filter((file) => file !== undefined);
}
