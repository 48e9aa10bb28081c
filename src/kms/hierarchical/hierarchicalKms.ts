import { FieldsealError, quoted } from '../../errors.js'
import { aroundKms, type KmsMembers } from '../../keys/aroundKms.js'
import { type DekIdentity, encryptsValues, type Kms, type ValueIdentity, type WrappedDek } from '../../keys/kms.js'
import type { KmsOfStore } from '../../keys/kmsOfStore.js'
import { combinedHolder } from '../../keys/notifications/keyNotification.js'
import { checkedOptions, type HierarchicalKmsOptions, type HierarchySettings } from './hierarchicalOptions.js'
import { IntermediateKeys, isUnderIntermediate } from './intermediateKeys.js'
import type { TenantGroups } from './tenantGroups.js'

export type { KmsOfStore } from '../../keys/kmsOfStore.js'
export type { HierarchicalKmsOptions } from './hierarchicalOptions.js'
export type { FormerGroupsOf, GroupOf } from './tenantGroups.js'

/** In the `kms` column of DEKs under intermediate keys, whatever KMS wraps those. */
const NAME = 'hierarchy'

/**
 * For many tenants: their DEKs are wrapped in this process by a handful of intermediate keys, which are kept in the keys
 * table, wrapped by another KMS. That is asked for the intermediate keys only, so its log no longer shows each tenant;
 * docs/scale.md weighs that. DEKs which that KMS wrapped itself are read as before, and `$encryption.rewrap` moves them.
 *
 * @returns what the `kms` option of `fieldEncryption` takes
 * @throws FieldsealError `OPTIONS_INVALID` for options that cannot work. The methods of its `Kms` throw what the other
 * KMS throws; `KMS_KEY_UNUSABLE` for an intermediate key that is lost, was changed or is another group's, `KMS_REFUSED` for a DEK that was
 * changed, `KEY_STORE_UNAVAILABLE`, `TENANT_INVALID`.
 * @example
 * ```ts
 * import { hierarchicalKms } from 'fieldseal/hierarchical-kms'
 * import { tencentKms } from 'fieldseal/tencent-kms'
 *
 * fieldEncryption({ schema: encryptionSchema, kms: hierarchicalKms({ kms: tencentKms({ client, keyId }) }) })
 * ```
 */
export function hierarchicalKms(options: HierarchicalKmsOptions): KmsOfStore {
  const settings = checkedOptions(options)
  return (store, observation) => over(settings, new IntermediateKeys(settings, store, observation))
}

function over(settings: HierarchySettings, keys: IntermediateKeys): Kms {
  const { kms, groups } = settings
  const unwrap = (wrapped: WrappedDek, identity: DekIdentity) =>
    isUnderIntermediate(wrapped) && identity.purpose !== 'maintenance'
      ? keys.unwrap(wrapped, identity)
      : kms.unwrap(wrapped, asked(groups, identity))
  const wrap = async (dek: Buffer, identity: DekIdentity) => {
    const group = parentOf(groups, identity)
    return group === null ? wrapFlat(kms, dek, identity) : keys.wrap(group, dek, identity)
  }
  const members: KmsMembers = {
    name: NAME,
    reads: [kms.name, ...(kms.reads ?? [])],
    concurrency: kms.concurrency,
    members: membersOf(settings),
    ownBreaker: kms.ownBreaker,
    holder: combinedHolder([keys.holder, kms.holder]),
    ...valuesOf(kms),
    generate: async (identity) => {
      const group = parentOf(groups, identity)
      return group === null ? named(kms, await kms.generate(asked(groups, identity))) : keys.generate(group, identity)
    },
    unwrap,
    wrap,
    rewrap: async (wrapped, identity) => {
      const group = parentOf(groups, identity)
      const flat = !isUnderIntermediate(wrapped)
      if (group === null && flat && kms.rewrap) return named(kms, await kms.rewrap(wrapped, identity))
      return move(await unwrap(wrapped, identity), async (dek) => {
        const newest = group !== null && !flat && (await keys.isNewest(group, wrapped))
        return newest ? wrapped : wrap(dek, identity)
      })
    },
  }
  return members as Kms
}

/** An intermediate key wraps keys only: a value that the KMS is to encrypt goes to the KMS. */
function valuesOf(kms: Kms): Pick<KmsMembers, 'encrypt' | 'decrypt'> {
  if (!encryptsValues(kms)) return { encrypt: undefined, decrypt: undefined }
  return {
    encrypt: (plaintext, identity) => kms.encrypt(plaintext, identity),
    decrypt: (ciphertext, identity) => kms.decrypt(ciphertext, identity),
  }
}

/** Each of several KMSs under the hierarchy, asked as the hierarchy asks them. */
function membersOf({ kms, groups }: HierarchySettings): Kms['members'] {
  if (!kms.members) return undefined
  const seen = (member: Kms) => aroundKms(member, (_, identity, call) => call(asked(groups, identity)))
  return Object.fromEntries(Object.entries(kms.members).map(([name, member]) => [name, seen(member)]))
}

/** Purposes that are the KMS's own business: who holds an intermediate key must not be able to give orders by it. */
const OF_THE_KMS: ReadonlySet<DekIdentity['purpose']> = new Set(['wrap', 'check', 'maintenance'])

/** The group whose intermediate key wraps a DEK; `null` when the KMS does, as it does with intermediate keys. */
function parentOf(groups: TenantGroups, { purpose, tenant }: DekIdentity): string | null {
  return OF_THE_KMS.has(purpose) ? null : groups.current(tenant)
}

/** The KMS is asked for what is its own business as it is for intermediate keys: for the tenant's group. */
function asked<Identity extends DekIdentity | ValueIdentity>(groups: TenantGroups, identity: Identity): Identity {
  if (!('purpose' in identity) || (identity.purpose !== 'check' && identity.purpose !== 'maintenance')) return identity
  return { ...identity, tenant: groups.current(identity.tenant) ?? identity.tenant }
}

async function wrapFlat(kms: Kms, dek: Buffer, identity: DekIdentity): Promise<WrappedDek> {
  if (kms.wrap) return named(kms, await kms.wrap(dek, identity))
  const message = `The KMS ${quoted(kms.name)} of hierarchicalKms cannot take over DEKs that it did not make: it has no wrap().`
  throw new FieldsealError('OPTIONS_INVALID', message)
}

async function move(dek: Buffer, wrap: (dek: Buffer) => Promise<WrappedDek>): Promise<WrappedDek> {
  try {
    return await wrap(dek)
  } finally {
    dek.fill(0)
  }
}

function named<T extends WrappedDek>(kms: Kms, wrapped: T): T {
  return { ...wrapped, kms: wrapped.kms ?? kms.name }
}
