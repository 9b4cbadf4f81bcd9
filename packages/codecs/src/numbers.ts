/** False for a number that 32 bits would make infinite. That they also round is in the nature of the type. */
export const fitsFloat = (value: number): boolean => Number.isFinite(Math.fround(value)) || !Number.isFinite(value);
