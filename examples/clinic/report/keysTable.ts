import type { PlainClient } from '../clients.js'
import { ciphertext, cut, section, table } from '../terminal.js'

/** The keys table as it is: wrapped DEKs. Answers how many there are. */
export async function reportKeysTable(plain: PlainClient): Promise<number> {
  section(
    'The keys table, in the same database',
    'A DEK per tenant and purpose, stored only as wrapped by a key that never leaves the KMS.',
  )
  const keys = await plain.encryptionKey.findMany({ orderBy: [{ tenant: 'asc' }, { purpose: 'asc' }] })
  const rows = keys.map(({ id, tenant, purpose, version, state, kms, kekId, wrapped }) => [
    id.slice(0, 8),
    tenant,
    purpose,
    String(version),
    state,
    kms,
    cut(kekId, 9),
    wrapped === null ? '' : ciphertext(cut(wrapped, 26)),
  ])
  table([10, 9, 9, 9, 8, 9, 11], ['id', 'tenant', 'purpose', 'version', 'state', 'kms', 'kek_id', 'wrapped'], rows)
  return keys.length
}
