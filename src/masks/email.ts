import { firstGrapheme } from './graphemes.js'
import { HIDDEN } from './hidden.js'

/** A top-level domain; anything else after the last dot may be a secret. */
const TOP_LEVEL = /^[\p{L}\p{M}\p{N}-]{2,24}$/u

/**
 * Shows the first character of the name and of the domain, and the top-level domain: `ada@example.com` is
 * `a•••@e•••.com`. What has no two sides of an `@` is hidden.
 */
export function maskEmail(text: string): string {
  const at = text.lastIndexOf('@')
  const [name, domain] = [text.slice(0, Math.max(at, 0)), text.slice(at + 1)]
  if (name === '' || domain === '') return HIDDEN
  return `${firstGrapheme(name)}${HIDDEN}@${firstGrapheme(domain)}${HIDDEN}${topLevel(domain)}`
}

function topLevel(domain: string): string {
  const dot = domain.lastIndexOf('.')
  const label = domain.slice(dot + 1)
  return dot > 0 && TOP_LEVEL.test(label) ? `.${label}` : ''
}
