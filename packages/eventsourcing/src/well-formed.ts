const loneSurrogate = /\p{Surrogate}/u;

/** False for text with half of a surrogate pair, which UTF-8 cannot hold: it can be neither stored nor published. */
export const isWellFormed = (text: string): boolean => !loneSurrogate.test(text);
