/** What steers a terminal, or a reader does not see, in text of one line. */
export const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u
