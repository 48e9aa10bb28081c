/** The token does not open a text, and opens what it is known to open: the text is not what this KEK made with this AAD. */
export class TextRefused extends Error {
  override readonly name = 'TextRefused'
  /** What the token returned. */
  readonly returned: string

  constructor(returned: string) {
    super('The token does not open a text.')
    this.returned = returned
  }
}
