import type { Connection } from '@platformatic/kafka';

const ends = new WeakMap<Connection, Error>();

/** The client tells what a connection has ended by in an event, and to nobody who waits for an answer on it. */
export const noteEnd = (connection: Connection, error: Error): unknown => ends.set(connection, error);

export const endOf = (connection: Connection): Error | undefined => ends.get(connection);
