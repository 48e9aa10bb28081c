import { FieldsealError, quoted } from '../../errors.js'
import type { KmsMembers } from '../../keys/aroundKms.js'
import { type DekIdentity, encryptsValues, type Kms, type ValueKms, type WrappedDek } from '../../keys/kms.js'
import { combinedHolder } from '../../keys/notifications/keyNotification.js'
import { type TenantKmsOptions, TenantMembers } from './tenantMembers.js'

export type { FormerMembersOf, MemberOf, TenantKmsOptions } from './tenantMembers.js'

/**
 * Each tenant its own KMS: customers that bring one, at whatever vendor, and one for all others. What becomes of one KMS
 * reaches the tenants that it serves and nobody else. The `kms` column of the keys table names the member that wrapped a
 * key; `$encryption.rewrap` moves a tenant's keys to the member that `memberOf` answers now.
 *
 * Values of fields with `mode: kms` go to the tenant's member as well, if all members encrypt values; no rewrapping
 * reaches these.
 *
 * @throws FieldsealError `OPTIONS_INVALID` for options that cannot work. Its methods throw what the member throws, and
 * `KMS_KEY_UNUSABLE` for a tenant without a member, and for a key under a member that is none of the tenant's.
 * @example
 * ```ts
 * import { tenantKms } from 'fieldseal/tenant-kms'
 *
 * const kms = tenantKms({
 *   members: { tencent: tencentKms({ client, keyId }), 'acme-own': tencentKms({ client: ofAcme, keyId: acmesKeyId }) },
 *   memberOf: (tenant) => (tenant === 'acme' ? 'acme-own' : 'tencent'),
 * })
 * ```
 */
export function tenantKms(options: TenantKmsOptions): Kms {
  const members = new TenantMembers(options)
  const all: KmsMembers = {
    name: 'tenant',
    get reads() {
      return members.names
    },
    members: undefined,
    ownBreaker: true,
    holder: combinedHolder(members.all.map(({ holder }) => holder)),
    ...valuesOf(members),
    generate: async (identity) => {
      const [kms, member] = await members.current(identity.tenant)
      return { ...(await member.generate(identity)), kms }
    },
    unwrap: (wrapped, identity) => unwrap(members, wrapped, identity),
    wrap: async (dek, identity) => wrap(await members.current(identity.tenant), dek, identity),
    rewrap: (wrapped, identity) => rewrap(members, wrapped, identity),
  }
  return all as Kms
}

/** Who gives no name of a member means the tenant's own, which looks at the KEK itself. */
async function unwrap(members: TenantMembers, { kms, ...wrapped }: WrappedDek, identity: DekIdentity): Promise<Buffer> {
  const { tenant } = identity
  const member = kms === undefined ? (await members.current(tenant))[1] : await members.own(kms, tenant)
  return member.unwrap(wrapped, identity)
}

async function wrap([kms, member]: [string, Kms], dek: Buffer, identity: DekIdentity): Promise<WrappedDek> {
  if (member.wrap) return { ...(await member.wrap(dek, identity)), kms }
  const message = `The member ${quoted(kms)} of tenantKms cannot take over DEKs that it did not make: it has no wrap().`
  throw new FieldsealError('OPTIONS_INVALID', message)
}

/** Within a member as that does it; from another one by unwrapping here. */
async function rewrap(members: TenantMembers, given: WrappedDek, identity: DekIdentity): Promise<WrappedDek> {
  const [now, member] = await members.current(identity.tenant)
  const { kms = now, ...wrapped } = given
  if (kms === now && member.rewrap) {
    const next = await member.rewrap(wrapped, identity)
    return next.wrapped === wrapped.wrapped ? given : { ...next, kms }
  }
  const dek = await unwrap(members, { ...wrapped, kms }, identity)
  try {
    return kms === now ? given : await wrap([now, member], dek, identity)
  } finally {
    dek.fill(0)
  }
}

const VALUE = /^fstv1\.([a-z0-9][a-z0-9-]{0,31})\.(.*)$/s

/** A ciphertext is `fstv1.` ‖ the member's name ‖ `.` ‖ the member's own text. */
function valuesOf(members: TenantMembers): Pick<KmsMembers, 'encrypt' | 'decrypt' | 'concurrency'> {
  const able = members.all.filter(encryptsValues)
  if (able.length < members.all.length) return { encrypt: undefined, decrypt: undefined, concurrency: undefined }
  const limits = able.flatMap(({ concurrency }) => concurrency ?? [])
  return {
    concurrency: limits.length > 0 ? Math.min(...limits) : undefined,
    encrypt: async (plaintext, identity) => {
      const [name, member] = await members.current(identity.tenant)
      return `fstv1.${name}.${await valueKms(name, member).encrypt(plaintext, identity)}`
    },
    decrypt: async (ciphertext, identity) => {
      const [, name, text] = VALUE.exec(ciphertext) ?? []
      if (name === undefined || text === undefined)
        throw new FieldsealError('KMS_REFUSED', 'The ciphertext is none that tenantKms has made: it was changed.')
      return valueKms(name, await members.own(name, identity.tenant)).decrypt(text, identity)
    },
  }
}

/** A member that was added later may not be able. */
function valueKms(name: string, member: Kms): ValueKms {
  if (encryptsValues(member)) return member
  const message = `The member ${quoted(name)} of tenantKms encrypts no values: it has no encrypt() and decrypt().`
  throw new FieldsealError('OPTIONS_INVALID', message)
}
