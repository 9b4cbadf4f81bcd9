import base from '../../tools/jest.int.mjs';

// Each file has a broker of its own, and they mostly wait for it: two at a time. Long runs measure, and have the machine for themselves.
export default { ...base, displayName: 'pulsar-adapter', maxWorkers: process.env.LONG === undefined ? 2 : 1 };
