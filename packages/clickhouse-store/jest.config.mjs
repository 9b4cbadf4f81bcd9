import base from '../../tools/jest.base.mjs';

// The engine works in its own threads while a test waits: two suites at once on two cores, where jest would take one.
export default { ...base, displayName: 'clickhouse-store', maxWorkers: 2 };
