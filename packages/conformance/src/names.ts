import { randomBytes } from 'node:crypto';

/** A name that nothing else has: letters, digits and hyphens only, fit for topics, groups and streams of every backend. */
export const uniqueName = (prefix: string): string => `${prefix}-${randomBytes(8).toString('hex')}`;
