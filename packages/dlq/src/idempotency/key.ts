/** A scope and an id as one key: no two of them are one, whatever they contain. */
export const keyOf = (scope: string, id: string): string => `${scope.length}:${scope}${id}`;
