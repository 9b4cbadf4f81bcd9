import type { Delivery } from '../message.ts';

/** Which lane a delivery belongs to: its key, without one its id; where no order is asked for always its id. */
export const laneKey = ({ message }: Delivery, ordering: 'key' | 'none'): string =>
  ordering === 'key' && message.key !== undefined ? message.key : message.id;
