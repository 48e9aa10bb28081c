import { randomBytes } from 'node:crypto'
import { lengthPrefixed } from '../../crypto/bytes.js'
import { isDekId } from '../../crypto/header.js'
import { DEK_BYTES } from '../../crypto/keys.js'
import { FieldsealError, quoted } from '../../errors.js'
import { DekCache } from '../../keys/cache/dekCache.js'
import type { Dek } from '../../keys/dek.js'
import { encryptionContext } from '../../keys/encryptionContext.js'
import { KeyRing } from '../../keys/keyRing.js'
import type { KeyStore } from '../../keys/keyStore.js'
import type { DekIdentity, GeneratedDek, WrappedDek } from '../../keys/kms.js'
import type { KeyHolder } from '../../keys/notifications/keyNotification.js'
import type { Observation } from '../../keys/observedKms.js'
import { ANY_TENANT, type TenantScope } from '../../tenancy/scope.js'
import { seal, unwrapDek, type Wrapping } from '../keyWrap.js'
import type { HierarchySettings } from './hierarchicalOptions.js'
import type { TenantGroups } from './tenantGroups.js'

const PREFIX = 'fsw1.'
const LABEL = lengthPrefixed('fieldseal/1 dek-wrap')

/** Of this and later versions of the format: none of them means anything to a KMS. */
const ANY_PREFIX = /^fsw\d+\./

/** Whether a wrapped DEK is under an intermediate key. */
export function isUnderIntermediate({ wrapped }: WrappedDek): boolean {
  return ANY_PREFIX.test(wrapped)
}

/**
 * DEKs wrapped by keys of groups of tenants. Those keys are DEKs of the purpose `wrap` themselves: rows of the keys table
 * with the group's name in place of a tenant's, wrapped by the KMS, counted, succeeded and held in memory as others are.
 */
export class IntermediateKeys {
  readonly #ring: KeyRing
  readonly #groups: TenantGroups

  constructor(settings: HierarchySettings, store: KeyStore, observation?: Observation) {
    this.#groups = settings.groups
    const { kms, ttl, staleFor, max, rotateAfter } = settings
    const cache = new DekCache({ ttl, max, staleFor })
    const watched = observation && { observation }
    this.#ring = new KeyRing({ kms, store, cache, counted: 'wrap', rotation: { rotateAfter }, ...watched })
  }

  /** Other processes make and destroy intermediate keys, too. */
  get holder(): KeyHolder {
    return this.#ring.held
  }

  async generate(group: string, identity: DekIdentity): Promise<GeneratedDek> {
    const key = await this.#spend(group, identity)
    const dek = randomBytes(DEK_BYTES)
    return { dek, ...wrapUnder(key, dek, identity) }
  }

  async wrap(group: string, dek: Buffer, identity: DekIdentity): Promise<WrappedDek> {
    return wrapUnder(await this.#spend(group, identity), dek, identity)
  }

  /** No intermediate key wraps another: the KMS does. */
  async unwrap({ wrapped, kekId }: WrappedDek, identity: DekIdentity): Promise<Buffer> {
    if (!isDekId(kekId) || identity.purpose === 'wrap') throw intermediateRefused(kekId)
    const aad = aadOf(kekId, identity)
    const { key } = await this.#load(kekId, identity)
    const dek = unwrapDek({ prefix: PREFIX, key, aad }, wrapped)
    if (!dek) throw intermediateRefused(kekId)
    return dek
  }

  /**
   * The KMS has bound an intermediate key to its group. One of another group is not even unwrapped: its holder could give
   * this tenant DEKs that they know, and this process may be one that is not to have it.
   */
  async #load(kekId: string, identity: DekIdentity): Promise<Dek> {
    const groups: readonly TenantScope[] = this.#groups.all(identity.tenant) ?? [ANY_TENANT]
    for (const group of groups) {
      try {
        const [key] = await asKms(this.#ring.loaded.load([kekId], group))
        return key!
      } catch (error) {
        if (!FieldsealError.is(error, 'TENANT_MISMATCH')) throw error
      }
    }
    throw otherGroup(kekId, identity)
  }

  /** Whether a wrapped DEK is under the newest key of its group. */
  async isNewest(group: string, { kekId }: WrappedDek): Promise<boolean> {
    return (await asKms(this.#ring.active.get(group, 'wrap'))).id === kekId
  }

  /** A key that may wrap one more DEK. The context is checked before anything is asked for. */
  async #spend(group: string, identity: DekIdentity): Promise<Dek> {
    encryptionContext(identity)
    const { active } = this.#ring
    const allotments = active.take(group, 1) ?? (await asKms(active.allot(group, 1)))
    return allotments[0]!.dek
  }
}

function wrapUnder({ id, key }: Dek, dek: Buffer, identity: DekIdentity): WrappedDek {
  const wrapping: Wrapping = { prefix: PREFIX, key, aad: aadOf(id, identity) }
  return { wrapped: seal(wrapping, dek), kekId: id }
}

function aadOf(kekId: string, identity: DekIdentity): Buffer {
  return Buffer.concat([LABEL, lengthPrefixed(kekId), lengthPrefixed(encryptionContext(identity))])
}

/** An intermediate key is the KEK of others: what is wrong with it is wrong with the KMS, in their eyes. */
async function asKms<T>(answer: Promise<T>): Promise<T> {
  return answer.catch((cause: unknown) => {
    if (!FieldsealError.is(cause) || !OF_THE_KEY.has(cause.code)) throw cause
    const message =
      `An intermediate key cannot be used: ${cause.message}. Compare the rows with the purpose "wrap" of the keys table ` +
      'with a backup; without them no DEK under them opens.'
    throw new FieldsealError('KMS_KEY_UNUSABLE', message, { cause })
  })
}

const OF_THE_KEY = new Set(['KEY_NOT_FOUND', 'KEY_MISSING', 'KEY_DESTROYED', 'KEY_INVALID'])

function otherGroup(kekId: string, { key, tenant }: DekIdentity): FieldsealError {
  return new FieldsealError(
    'KMS_KEY_UNUSABLE',
    `The DEK ${quoted(key)} is wrapped by the intermediate key ${quoted(kekId)} of a group to which tenant ` +
      `${quoted(tenant)} does not belong. If it did, name that group in the option "formerGroups" of hierarchicalKms until ` +
      'the DEK is rewrapped; if it never did, the row of the keys table was changed: compare it with a backup.',
  )
}

function intermediateRefused(kekId: string): FieldsealError {
  return new FieldsealError(
    'KMS_REFUSED',
    `The wrapped DEK does not open under the intermediate key ${quoted(kekId)}: it was changed, or it belongs to another ` +
      'DEK id, purpose or tenant. Compare its row of the keys table with a backup.',
  )
}
