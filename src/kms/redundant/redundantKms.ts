import { timingSafeEqual } from 'node:crypto'
import { FieldsealError, quoted } from '../../errors.js'
import { invalidOptions } from '../../invalidOptions.js'
import type { KmsMembers } from '../../keys/aroundKms.js'
import type { DekIdentity, GeneratedDek, Kms, WrappedDek } from '../../keys/kms.js'
import { combinedHolder } from '../../keys/notifications/keyNotification.js'
import { type FailoverMembers, failoverMembers, firstAnswer } from './failover.js'
import { redundantValues } from './redundantValues.js'

const invalid = invalidOptions('redundantKms', '.')

/** Options of `redundantKms`. */
export interface RedundantKmsOptions {
  /**
   * The KMSs, by names that you choose and keep (`guangzhou`, `shanghai`), in the order in which they are asked. Each needs
   * `wrap`, as `tencentKms` and `localKms` have it.
   */
  readonly members: { readonly [name: string]: Kms }
  /** In how many of them a new DEK must be wrapped before it is used; 1 unless given. */
  readonly minimum?: number
}

const PREFIX = 'fsm1.'
const NAME = /^[a-z0-9][a-z0-9-]{0,31}$/

type Entries = { readonly [member: string]: WrappedDek }

/**
 * Each DEK wrapped by several KEKs, in several regions or at several vendors: any one of them opens it, so that the loss
 * of one loses nothing. A wrapped DEK is `fsm1.` ‖ the JSON of `{ member: { kekId, wrapped } }`, in the column that is
 * there already. A member that cannot be reached when a DEK is made is left out; `$encryption.rewrap()` adds it, as it
 * does a member that is new, and drops one that is no longer among them. Values of fields with `mode: kms` are encrypted by
 * all members as well, if all of them can; no rewrapping reaches these.
 *
 * @throws FieldsealError `OPTIONS_INVALID`. Its methods throw the error of the first member when none helps.
 * @example
 * ```ts
 * import { redundantKms } from 'fieldseal/redundant-kms'
 *
 * const kms = redundantKms({
 *   members: {
 *     guangzhou: tencentKms({ client: guangzhou, keyId: guangzhouKeyId }),
 *     shanghai: tencentKms({ client: shanghai, keyId: shanghaiKeyId }),
 *   },
 * })
 * ```
 */
export function redundantKms(options: RedundantKmsOptions): Kms {
  checkOptions(options)
  const { minimum = 1 } = options
  const members = failoverMembers(options.members)
  const all: KmsMembers = {
    name: 'redundant',
    reads: undefined,
    members: options.members,
    ownBreaker: true,
    holder: combinedHolder(members.map(([, kms]) => kms.holder)),
    ...redundantValues(members, minimum),
    generate: (identity) => generate(members, identity, minimum),
    unwrap: async (wrapped, identity) => unwrap(members, entriesOf(wrapped), identity),
    wrap: async (dek, identity) => textOf(checkMinimum(await wrapAll(members, dek, identity), minimum)),
    rewrap: (wrapped, identity) => rewrap(members, wrapped, identity),
  }
  return all as Kms
}

/** The first that can makes the DEK; the others wrap it. */
async function generate(members: FailoverMembers, identity: DekIdentity, minimum: number): Promise<GeneratedDek> {
  const [maker, { dek, ...first }] = await firstAnswer(members, (kms) => kms.generate(identity))
  try {
    const others = members.filter(([name]) => name !== maker)
    const { entries, errors } = await wrapAll(others, dek, identity)
    const all = { entries: { [maker]: first, ...entries }, errors }
    return { dek, ...textOf(checkMinimum(all, minimum)) }
  } catch (error) {
    dek.fill(0)
    throw error
  }
}

async function unwrap(members: FailoverMembers, entries: Entries, identity: DekIdentity): Promise<Buffer> {
  const able = members.filter(([name]) => Object.hasOwn(entries, name))
  if (able.length === 0) {
    const names = Object.keys(entries).map(quoted).join(', ')
    throw unusable(`the DEK ${identity.key} is wrapped by ${names || 'none'}, and none of these is a member now`)
  }
  const [, dek] = await firstAnswer(able, (kms, name) => kms.unwrap(entries[name]!, identity))
  return dek
}

interface Wrapped {
  readonly entries: Entries
  readonly errors: readonly unknown[]
}

/** Asks those as well that are spared: one that is back would else be missing when it is the last one left. */
async function wrapAll(members: FailoverMembers, dek: Buffer, identity: DekIdentity): Promise<Wrapped> {
  const outcomes = await Promise.allSettled(members.map(([, , kms]) => wrapChecked(kms, dek, identity)))
  const entries: { [name: string]: WrappedDek } = {}
  outcomes.forEach((outcome, i) => {
    if (outcome.status === 'fulfilled') entries[members[i]![0]] = outcome.value
  })
  const errors = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []))
  return { entries, errors }
}

/** A text that opens to something else would be found when it is the last one left. */
async function wrapChecked(kms: Kms, dek: Buffer, identity: DekIdentity): Promise<WrappedDek> {
  const wrapped = await kms.wrap!(dek, identity)
  await expectSame(kms, wrapped, { dek, identity })
  return wrapped
}

interface KnownDek {
  readonly dek: Buffer
  readonly identity: DekIdentity
}

async function expectSame(kms: Kms, wrapped: WrappedDek, { dek, identity }: KnownDek): Promise<void> {
  const opened = await kms.unwrap(wrapped, identity)
  try {
    if (opened.length === dek.length && timingSafeEqual(opened, dek)) return
    throw new FieldsealError('KMS_REFUSED', `The KMS ${quoted(kms.name)} wraps another DEK than the other members.`)
  } finally {
    opened.fill(0)
  }
}

function checkMinimum({ entries, errors }: Wrapped, minimum: number): Entries {
  if (Object.keys(entries).length >= minimum) return entries
  throw errors[0] ?? unusable('too few members wrapped the DEK')
}

/** Every member must answer: an operator asks for it, and should know what is missing. */
async function rewrap(members: FailoverMembers, wrapped: WrappedDek, identity: DekIdentity): Promise<WrappedDek> {
  const entries = entriesOf(wrapped)
  const dek = await unwrap(members, entries, identity)
  try {
    const next = await Promise.all(
      members.map(async ([name, , kms]): Promise<[string, WrappedDek]> => {
        const old = Object.hasOwn(entries, name) ? entries[name] : undefined
        if (!old || !kms.rewrap) return [name, await wrapChecked(kms, dek, identity)]
        const next = await kms.rewrap(old, identity)
        await expectSame(kms, next, { dek, identity })
        return [name, next.wrapped === old.wrapped ? old : next]
      }),
    )
    const text = textOf(Object.fromEntries(next))
    return text.wrapped === wrapped.wrapped ? wrapped : text
  } finally {
    dek.fill(0)
  }
}

function textOf(entries: Entries): WrappedDek {
  const sorted = Object.keys(entries).sort()
  const list = sorted.map((name) => [name, { kekId: entries[name]!.kekId, wrapped: entries[name]!.wrapped }])
  const kekId = sorted.map((name) => `${name}=${entries[name]!.kekId}`).join(' ')
  return { wrapped: PREFIX + JSON.stringify(Object.fromEntries(list)), kekId }
}

function entriesOf({ wrapped, kekId }: WrappedDek): Entries {
  try {
    const entries: unknown = wrapped.startsWith(PREFIX) ? JSON.parse(wrapped.slice(PREFIX.length)) : undefined
    if (isEntries(entries) && textOf(entries).kekId === kekId) return entries
  } catch {
    // Said below.
  }
  const message = `The wrapped DEK under ${quoted(kekId)} was changed: compare its row of the keys table with a backup.`
  throw new FieldsealError('KMS_REFUSED', message)
}

function isEntries(value: unknown): value is Entries {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return Object.values(value).every((entry: Partial<WrappedDek> | null) => {
    return typeof entry?.kekId === 'string' && typeof entry.wrapped === 'string'
  })
}

function checkOptions({ members, minimum = 1, ...rest }: RedundantKmsOptions): void {
  const [unknown] = Object.keys(rest)
  if (unknown !== undefined) throw invalid(`does not know the option "${unknown}"; it knows members, minimum`)
  const list = Object.entries(members ?? {})
  if (list.length === 0) throw invalid('needs at least one member')
  for (const [name, kms] of list) {
    if (!NAME.test(name)) throw invalid(`needs names of lower-case letters, digits and hyphens, not ${quoted(name)}`)
    if (typeof kms?.unwrap !== 'function' || typeof kms.generate !== 'function' || typeof kms.wrap !== 'function')
      throw invalid(`needs a Kms with wrap() as member ${quoted(name)}`)
  }
  if (!(Number.isInteger(minimum) && minimum >= 1 && minimum <= list.length))
    throw invalid(`needs a "minimum" from 1 to the number of members, ${list.length}`)
}

function unusable(what: string): FieldsealError {
  return new FieldsealError('KMS_KEY_UNUSABLE', `redundantKms: ${what}.`)
}
