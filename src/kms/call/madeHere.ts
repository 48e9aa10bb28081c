import { randomBytes } from 'node:crypto'
import { DEK_BYTES } from '../../crypto/keys.js'
import type { GeneratedDek, WrappedDek } from '../../keys/kms.js'

/** A new DEK of this process, for services that make none: zeroed where it cannot be wrapped. */
export async function madeHere(wrap: (dek: Buffer) => Promise<WrappedDek>): Promise<GeneratedDek> {
  const dek = randomBytes(DEK_BYTES)
  try {
    return { dek, ...(await wrap(dek)) }
  } catch (error) {
    dek.fill(0)
    throw error
  }
}
