/** How bytes could stand in a text: whoever finds one of these has found a secret. */
export function secretForms(bytes: Buffer): { readonly [form: string]: string } {
  const hex = bytes.toString('hex')
  return {
    latin1: bytes.toString('latin1'),
    utf8: bytes.toString('utf8'),
    utf16: bytes.toString('utf16le'),
    hex,
    'upper-case hex': hex.toUpperCase(),
    'spaced hex': hex.replace(/..(?!$)/g, '$& '),
    base64: bytes.toString('base64').replace(/=+$/, ''),
    base64url: bytes.toString('base64url'),
    decimals: bytes.join(','),
    'spaced decimals': bytes.join(', '),
  }
}

/**
 * The names of the forms in which `text` shows `bytes`.
 *
 * @param asWritten how the writer of `text` changes strings
 */
export function formsIn(text: string, bytes: Buffer, asWritten = (form: string) => form): string[] {
  return Object.entries(secretForms(bytes))
    .filter(([, form]) => text.includes(asWritten(form)))
    .map(([name]) => name)
}

/**
 * How V8 writes a string into a snapshot: NUL as a blank, U+FFFD and lone surrogates as three question marks, and of a
 * code point beyond the basic plane the lower 16 bits.
 */
export function asWritten(text: string): string {
  const written = Array.from(text, (character) => {
    const code = character.codePointAt(0)!
    if (code === 0) return ' '
    if (code === 0xfffd || (code >= 0xd800 && code <= 0xdfff)) return '???'
    return String.fromCharCode(code & 0xffff)
  })
  return written.join('')
}
