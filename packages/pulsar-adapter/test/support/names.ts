import { randomUUID } from 'node:crypto';

export const uniqueName = (name: string): string => `${name}-${randomUUID().slice(0, 8)}`;
