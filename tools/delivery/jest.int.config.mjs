import base from '../jest.int.mjs';

// Its files mostly wait for brokers: two at a time. Long runs measure, and have the machine for themselves.
export default { ...base, displayName: 'delivery', maxWorkers: process.env.LONG === undefined ? 2 : 1 };
