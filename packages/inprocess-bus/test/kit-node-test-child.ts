// The kit under node's own test runner; started by node-test.test.ts.
import { describe, it } from 'node:test';
import { describeTransport } from '@bento-bus/conformance';
import { inProcess } from './kit.ts';

describeTransport({ describe, it }, { ...inProcess, name: 'in-process transport under node:test', volume: 500 });
