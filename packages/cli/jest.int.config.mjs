import base from '../../tools/jest.int.mjs';

export default { ...base, displayName: 'cli' };
