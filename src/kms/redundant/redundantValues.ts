import { FieldsealError } from '../../errors.js'
import type { KmsMembers } from '../../keys/aroundKms.js'
import { encryptsValues, type ValueIdentity, type ValueKms } from '../../keys/kms.js'
import { type FailoverMember, type FailoverMembers, firstAnswer } from './failover.js'

const PREFIX = 'fsmv1.'

type ValueMembers = Pick<KmsMembers, 'encrypt' | 'decrypt' | 'concurrency'>

/** What each member answered, by its name. */
type Entries = { readonly [member: string]: string }

/**
 * Values that every member encrypts by itself; any one of them decrypts. A ciphertext is `fsmv1.` ‖ the JSON of
 * `{ member: ciphertext }`, with sorted names. Nothing when not all members can.
 */
export function redundantValues(all: FailoverMembers, minimum: number): ValueMembers {
  const members = all.filter((member): member is FailoverMember<ValueKms> => encryptsValues(member[1]))
  if (members.length < all.length) return { encrypt: undefined, decrypt: undefined, concurrency: undefined }
  const limits = members.flatMap(([, { concurrency }]) => concurrency ?? [])
  return {
    encrypt: (plaintext, identity) => encrypt(members, { plaintext, identity, minimum }),
    decrypt: (ciphertext, identity) => decrypt(members, ciphertext, identity),
    concurrency: limits.length > 0 ? Math.min(...limits) : undefined,
  }
}

interface Value {
  readonly plaintext: Buffer
  readonly identity: ValueIdentity
  readonly minimum: number
}

async function encrypt(members: FailoverMembers<ValueKms>, { plaintext, identity, minimum }: Value): Promise<string> {
  const outcomes = await Promise.allSettled(members.map(([, kms]) => kms.encrypt(plaintext, identity)))
  const entries = outcomes.flatMap((outcome, i): [string, string][] =>
    outcome.status === 'fulfilled' ? [[members[i]![0], outcome.value]] : [],
  )
  if (entries.length >= minimum) return PREFIX + JSON.stringify(Object.fromEntries(entries.sort(byName)))
  throw outcomes.find((outcome) => outcome.status === 'rejected')!.reason
}

function byName([one]: [string, string], [other]: [string, string]): number {
  return one < other ? -1 : 1
}

async function decrypt(
  members: FailoverMembers<ValueKms>,
  ciphertext: string,
  identity: ValueIdentity,
): Promise<Buffer> {
  const entries = entriesOf(ciphertext)
  const able = members.filter(([name]) => Object.hasOwn(entries, name))
  if (able.length === 0) throw noMember(entries)
  const [, value] = await firstAnswer(able, (kms, name) => kms.decrypt(entries[name]!, identity))
  return value
}

function entriesOf(ciphertext: string): Entries {
  try {
    const entries: unknown = ciphertext.startsWith(PREFIX) ? JSON.parse(ciphertext.slice(PREFIX.length)) : undefined
    if (isEntries(entries)) return entries
  } catch {
    // Said below.
  }
  throw new FieldsealError('KMS_REFUSED', 'The ciphertext is none that redundantKms has made: it was changed.')
}

function isEntries(value: unknown): value is Entries {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return Object.values(value).every((entry) => typeof entry === 'string')
}

function noMember(entries: Entries): FieldsealError {
  const names = Object.keys(entries).map((name) => JSON.stringify(name))
  const message = `redundantKms: the value is encrypted by ${names.join(', ') || 'none'}, and none of these is a member now.`
  return new FieldsealError('KMS_KEY_UNUSABLE', message)
}
