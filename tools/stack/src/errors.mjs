/** An error for the user: one line that says what failed, why and what to do; then, if a server died, its last log lines. */
export class StackError extends Error {
  name = 'StackError';
}

/** `stack: cannot start "kafka": <cause>. <what to do>` */
export const failure = (what, cause, remedy, options) =>
  new StackError(`stack: cannot ${what}: ${cause}. ${remedy}`, options);
