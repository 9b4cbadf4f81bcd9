import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Where an application that runs answers. */
export interface Endpoint {
  readonly url: string;
  readonly token: string;
}

const fileName = 'bento-endpoint.json';

/** A token for one run of an application. */
export const newToken = (): string => randomBytes(24).toString('base64url');

/**
 * Tells `bento` where the application answers: `bento-endpoint.json` in its data directory, readable by its user only. The function that it
 * resolves with takes the file away, unless another process has written its own since.
 */
export async function writeEndpoint(dir: string, { url, token }: Endpoint): Promise<() => Promise<void>> {
  const file = join(dir, fileName);
  await mkdir(dir, { recursive: true });
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, `${JSON.stringify({ url, token, pid: process.pid })}\n`, { mode: 0o600 });
  await rename(draft, file);
  return async () => {
    const known = await read(file);
    if (known?.pid === process.pid && known.token === token) await rm(file, { force: true });
  };
}

/** What `writeEndpoint` wrote. Undefined: nothing, or the process that wrote it is gone. */
export async function readEndpoint(dir: string): Promise<(Endpoint & { readonly pid: number }) | undefined> {
  const known = await read(join(dir, fileName));
  return known !== undefined && isAlive(known.pid) ? known : undefined;
}

async function read(file: string): Promise<(Endpoint & { readonly pid: number }) | undefined> {
  try {
    const { url, token, pid } = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
    const fine = typeof url === 'string' && URL.canParse(url) && typeof token === 'string' && Number.isSafeInteger(pid);
    return fine ? { url, token, pid: pid as number } : undefined;
  } catch {
    // Missing, unreadable or half written: nobody to ask.
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It lives, and is another user's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
