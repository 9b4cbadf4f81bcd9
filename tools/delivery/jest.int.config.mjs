import base from '../jest.int.mjs';

export default { ...base, displayName: 'delivery' };
