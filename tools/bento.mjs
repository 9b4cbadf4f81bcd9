// `npm run bento -- …`: the command line.
import { launch } from './launch.mjs';

await launch({
  folder: 'packages/cli',
  script: 'bento',
  servers: ['kafka', 'kafka3', 'pulsar', 'registry'],
  refusal: 'bento: cannot start',
});
