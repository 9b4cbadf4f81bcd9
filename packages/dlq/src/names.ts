/** What a group is to try again: only this group reads it. Pulsar's own name for it. */
export const retryTopic = (topic: string, group: string): string => `${topic}-${group}-RETRY`;

/** What a group has given up. Pulsar's own name for it. */
export const deadLetterTopic = (topic: string, group: string): string => `${topic}-${group}-DLQ`;

/** Originals of dead letters that were edited before they were redriven, or discarded. */
export const auditTopic = (topic: string, group: string): string => `${topic}-${group}-AUDIT`;

/** The subscription that keeps dead letters until they are redriven or discarded. */
export const deadLetterGroup = 'bento-dead-letters';

/** The subscription that keeps what the audit topic holds. */
export const auditGroup = 'bento-audit';
