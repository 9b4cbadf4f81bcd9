import base from '../jest.int.mjs';

// Its files mostly wait for brokers: two at a time.
export default { ...base, displayName: 'delivery', maxWorkers: 2 };
