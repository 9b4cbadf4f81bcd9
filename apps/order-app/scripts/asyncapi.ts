// Writes the snapshot of the catalogue: `npm run -w @bento-bus/order-app asyncapi`. A change that breaks readers or publishers needs
// `-- --accept`, so that nobody makes one unawares.
import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type AsyncApiDocument, documentChanges } from '@bento-bus/codecs/documents';
import { orderDocument } from '../src/documents.ts';

const file = new URL('../asyncapi.json', import.meta.url);

async function snapshot(): Promise<AsyncApiDocument | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as AsyncApiDocument;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

const document = orderDocument();
const before = await snapshot();
const changes = before === undefined ? [] : documentChanges(before, document);
if (changes.length > 0 && !process.argv.includes('--accept')) {
  process.stderr.write(
    `asyncapi: cannot write asyncapi.json: these changes break who reads or publishes by it:\n- ${changes.join('\n- ')}\nUndo them, or accept them with: npm run -w @bento-bus/order-app asyncapi -- --accept\n`,
  );
  process.exitCode = 1;
} else {
  await writeFile(file, JSON.stringify(document, undefined, 2));
  // As the linter wants it; npm puts it into the path.
  execFileSync('biome', ['format', '--write', fileURLToPath(file)], { stdio: 'ignore' });
}
