import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CheckpointStore } from '@bento-bus/core';

/** A store that outlives the process: a file a name. A rename happens or does not happen, so a value is the old or the new one. */
export const fileCheckpointStore = (folder: string): CheckpointStore => ({
  async read(name) {
    try {
      return await readFile(join(folder, encodeURIComponent(name)), 'utf8');
    } catch {
      return undefined;
    }
  },
  async write(name, value) {
    const file = join(folder, encodeURIComponent(name));
    await writeFile(`${file}.new`, value);
    await rename(`${file}.new`, file);
  },
  close: async () => {},
  [Symbol.asyncDispose]: async () => {},
});
