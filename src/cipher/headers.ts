import { LRUCache } from 'lru-cache'
import { headerOfHead } from '../crypto/ciphertext.js'
import type { Header } from '../crypto/header.js'

/** What heads say, so that each is read once. */
const HEADERS = new LRUCache<string, Header>({ max: 10_000 })

/** The header in the head of a ciphertext; `null` when it is none that this version knows. */
export function headerOf(head: string): Header | null {
  const known = HEADERS.get(head)
  if (known) return known
  const header = headerOfHead(head)
  if (header) HEADERS.set(head, header)
  return header
}
