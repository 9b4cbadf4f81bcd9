// What the kit's processes load: a transport whose groups keep their progress in files, broken if it says so.
import type { TransportModule } from '@bento-bus/conformance';
import { createInProcessTransport } from '../src/index.ts';
import { broken } from './broken/costly.ts';
import { fileCheckpointStore } from './file-checkpoint-store.ts';

export const createTransport: TransportModule['createTransport'] = ({ CHECKPOINTS = '', BREAK = '' }) => {
  const transport = createInProcessTransport({ checkpoints: fileCheckpointStore(CHECKPOINTS) });
  return broken(transport, BREAK);
};
