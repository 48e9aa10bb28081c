import { randomBytes } from 'node:crypto'
import { lengthPrefixed } from '../../crypto/bytes.js'
import { FieldsealError, quoted } from '../../errors.js'
import { type MessageCount, messageCountOf } from '../messageCount.js'
import { encryptBlock, gcmDecrypt, gcmEncrypt, type IvSource, type KeyInUse, WrongOutput } from './gcm.js'
import { readLabel, whatIsWrong } from './kekAttributes.js'
import { CHECK_BLOCK, checkValueOf, kekIdOf } from './kekId.js'
import { parseKeyName, templateOf } from './keyName.js'
import type { Pkcs11Handle, Pkcs11Module } from './pkcs11Module.js'
import { pkcs11FailureOf } from './returnCodes.js'
import type { GcmMessage } from './wrappedText.js'

/** A KEK in the token, as this stretch of being logged in knows it. */
export interface Kek {
  readonly key: Pkcs11Handle
  readonly kekId: string
  /** The check value. */
  readonly check: string
  readonly count: MessageCount
  readonly known: KnownAnswer
}

/** What is known to open under a KEK: tells a text that was changed from a token that is broken. */
export interface KnownAnswer {
  readonly message: GcmMessage
  /** Random, and no secret. */
  readonly plaintext: Buffer
}

/** How KEKs are looked for. */
export interface KekSearch {
  readonly module: Pkcs11Module
  readonly session: Pkcs11Handle
  readonly iv: IvSource
  /** Whether a KEK may have been made elsewhere. */
  readonly imported: boolean
  /** Whether the token wants a login. */
  readonly login: boolean
}

const KNOWN_BYTES = 32
const KNOWN_AAD = lengthPrefixed('fieldseal/1 pkcs11 known answer')
const OTHER_AAD = lengthPrefixed('fieldseal/1 pkcs11 other')

/**
 * Finds a KEK by its name in the options, and tries it: that its attributes keep it in the token, that what it encrypts
 * opens again, and that it does so with the same AAD only.
 *
 * @returns `undefined` if there is none
 * @throws FieldsealError `KMS_KEY_UNUSABLE` for a key that must not serve as a KEK
 */
export async function findKek(search: KekSearch, name: string): Promise<Kek | undefined> {
  const handles = await findObjects(search, name)
  const [key] = handles
  if (!key) return undefined
  if (handles.length > 1) throw unusable(name, 'several keys of the token have this name', SEVERAL)
  const object = { module: search.module, session: search.session, key }
  const wrong = await whatIsWrong(object, search)
  if (wrong.length > 0) throw unusable(name, wrong.join('; '), commandFor(name))
  const check = checkValueOf(await encryptBlock(object, CHECK_BLOCK))
  const kekId = kekIdOf(await readLabel(object), check)
  const count = messageCountOf(`the KEK ${kekId}`)
  return { key, kekId, check, count, known: await tryOut(object, search.iv, count, name) }
}

/** Whether the token opens, with the KEK, what it is known to open; fails as the module does. */
export async function opensKnown(object: KeyInUse, { message, plaintext }: KnownAnswer): Promise<boolean> {
  return (await gcmDecrypt(object, message, KNOWN_AAD)).equals(plaintext)
}

/** There is no key of this name in the token. */
export function kekMissing(name: string): FieldsealError {
  return unusable(name, 'the token has no such secret key, or hides it from this user', commandFor(name))
}

async function findObjects({ module, session }: KekSearch, name: string): Promise<Pkcs11Handle[]> {
  const parsed = parseKeyName(name)
  if (!parsed) return []
  const found: Pkcs11Handle[] = []
  await module.C_FindObjectsInit(session, templateOf(parsed))
  try {
    while (found.length < 2) {
      const more = await module.C_FindObjects(session, 2)
      if (more.length === 0) break
      found.push(...more)
    }
  } finally {
    await module.C_FindObjectsFinal(session)
  }
  return found
}

async function tryOut(object: KeyInUse, iv: IvSource, count: MessageCount, name: string): Promise<KnownAnswer> {
  count.add()
  const plaintext = randomBytes(KNOWN_BYTES)
  const message = await gcmEncrypt(object, plaintext, KNOWN_AAD, iv)
  const known = { message, plaintext }
  if (!(await opensKnown(object, known))) throw new WrongOutput('the token opens another text than it was given')
  if (await opensWithOtherAad(object, message))
    throw unusable(name, 'the token ignores the AAD of CKM_AES_GCM, which is what binds a DEK to its tenant', ASK)
  return known
}

async function opensWithOtherAad(object: KeyInUse, message: GcmMessage): Promise<boolean> {
  try {
    await gcmDecrypt(object, message, OTHER_AAD)
    return true
  } catch (error) {
    const { meaning } = pkcs11FailureOf(error)
    if (meaning === 'session' || meaning === 'stale') throw error
    return false
  }
}

const ASK = 'Ask the vendor of the token'

const SEVERAL = 'Name it by its CKA_ID as well (pkcs11:object=LABEL;id=%01), or destroy the wrong one'

function commandFor(name: string): string {
  const { label = 'fieldseal', id } = parseKeyName(name) ?? {}
  const named = `--label ${quoted(label)}${id ? ` --id ${id.toString('hex')}` : ''}`
  return (
    'Make one under a name of its own, and give pkcs11Kms that: pkcs11-tool --module MODULE --token-label TOKEN --login ' +
    `--keygen --key-type AES:32 ${named} --sensitive --private --usage-decrypt`
  )
}

function unusable(name: string, why: string, next: string): FieldsealError {
  return new FieldsealError('KMS_KEY_UNUSABLE', `PKCS#11 token, the KEK ${quoted(name)}: ${why}. ${next}.`)
}
