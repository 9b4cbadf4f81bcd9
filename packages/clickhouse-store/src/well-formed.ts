const surrogateAlone = /\p{Surrogate}/u;

/** False for text with half of a surrogate pair, which UTF-8 cannot hold. As `isWellFormed`, which the compiler's library lacks. */
export const isWellFormed = (text: string): boolean => !surrogateAlone.test(text);
