import { timingSafeEqual } from 'node:crypto'
import { FieldsealError, quoted } from '../../errors.js'
import { checkVersion } from '../../keys/dekId.js'
import { destroyedError } from '../../keys/destroyedKeys.js'
import { keyError } from '../../keys/keyError.js'
import type { KeyStore, StoredKey } from '../../keys/keyStore.js'
import { type DekIdentity, type Kms, reads, type WrappedDek } from '../../keys/kms.js'
import { type KmsOfStore, openKms } from '../../keys/kmsOfStore.js'
import { type WalkOptions, type WalkReport, walkKeys } from './keyWalk.js'

export interface RewrapOptions extends WalkOptions {
  /** The KMS that wraps the DEKs now, where it is another one, or another region or account. */
  readonly from?: Kms | KmsOfStore
}

/** ReEncrypt of Tencent's lowest tier: 100 a second. */
const RATE = 80

/**
 * Puts each DEK under the newest version of its tenant's KEK. The DEKs stay what they are, so nothing that was encrypted
 * changes, nor does any memory. Each new text is opened and compared with the DEK before it takes the old one's place.
 */
export function rewrap(kms: Kms, store: KeyStore, options: RewrapOptions = {}): Promise<WalkReport> {
  const from = options.from && openKms(options.from, store)
  if (from && !kms.wrap) {
    const message = `the KMS ${quoted(kms.name)} cannot take over DEKs of another: it has no wrap()`
    throw new FieldsealError('OPTIONS_INVALID', message)
  }
  const each = (row: StoredKey) => rewrapRow({ kms, from: from ?? kms, store }, row)
  return walkKeys({ store, filter: { states: ['active', 'retiring', 'retired'] }, options, rate: RATE, each })
}

interface Move {
  readonly kms: Kms
  readonly from: Kms
  readonly store: KeyStore
}

async function rewrapRow({ kms, from, store }: Move, row: StoredKey): Promise<boolean> {
  const identity: DekIdentity = { key: row.id, purpose: row.purpose, tenant: row.tenant }
  if (row.destroyedAt !== null) throw destroyedError(row)
  checkVersion(row)
  if (from !== kms && row.kms !== from.name && reads(kms, row.kms)) return false
  if (!reads(from, row.kms)) throw keyError('KEY_INVALID', row.id, `is wrapped by the KMS ${quoted(row.kms)}`)
  if (row.wrapped === null)
    throw keyError('KEY_INVALID', row.id, `is ${quoted(row.state)}, yet its row has no wrapped key`)
  const old = { wrapped: row.wrapped, kekId: row.kekId, kms: row.kms }
  const own = from === kms && kms.rewrap
  const next = own ? await kms.rewrap!(old, identity) : await move({ kms, from }, old, identity)
  if (next === null || next.wrapped === old.wrapped) return false
  if (own) await compare(kms, [old, next], identity)
  return store.rewrap(row, { wrapped: next.wrapped, kekId: next.kekId, kms: next.kms ?? kms.name })
}

/** `null`: it was moved already, by a run before. */
async function move(
  { kms, from }: Pick<Move, 'kms' | 'from'>,
  old: Required<WrappedDek>,
  identity: DekIdentity,
): Promise<WrappedDek | null> {
  const dek = await from.unwrap(old, identity).catch(async (error: unknown) => {
    if (from === kms || !reads(kms, old.kms) || !FieldsealError.is(error, 'KMS_KEY_UNUSABLE')) throw error
    ;(await kms.unwrap(old, identity)).fill(0)
    return null
  })
  if (dek === null) return null
  try {
    const next = await kms.wrap!(dek, identity)
    await expectDek(kms, next, { identity, dek })
    return next
  } finally {
    dek.fill(0)
  }
}

async function compare(kms: Kms, [old, next]: [WrappedDek, WrappedDek], identity: DekIdentity): Promise<void> {
  const dek = await kms.unwrap(old, identity)
  try {
    await expectDek(kms, next, { identity, dek })
  } finally {
    dek.fill(0)
  }
}

async function expectDek(
  kms: Kms,
  wrapped: WrappedDek,
  { identity, dek }: { readonly identity: DekIdentity; readonly dek: Buffer },
): Promise<void> {
  const opened = await kms.unwrap(wrapped, identity)
  try {
    if (opened.length === dek.length && timingSafeEqual(opened, dek)) return
    throw keyError('KEY_INVALID', identity.key, 'came back from rewrapping as another DEK; its row was left as it was')
  } finally {
    opened.fill(0)
  }
}
