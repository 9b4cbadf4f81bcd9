let names = 0;
/** Nobody else gets it, in other processes neither. */
export const unique = (): string => `${process.pid}-${(names += 1)}`;
