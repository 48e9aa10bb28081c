/** What a search asks a token index for. */
export interface TokenQuery {
  /** A value is found if it has any of the tokens, or all of them. */
  readonly match: 'any' | 'all'
  /** What these are made of. */
  readonly bodies: readonly Buffer[]
  /** No other values are found than those that are asked for. */
  readonly isExact: boolean
  /** Whether a decrypted value, not null, is one that is asked for. */
  readonly matches: (value: unknown) => boolean
}
