import {
  CKA_ALWAYS_SENSITIVE,
  CKA_DECRYPT,
  CKA_ENCRYPT,
  CKA_EXTRACTABLE,
  CKA_KEY_TYPE,
  CKA_LABEL,
  CKA_LOCAL,
  CKA_NEVER_EXTRACTABLE,
  CKA_PRIVATE,
  CKA_SENSITIVE,
  CKA_TOKEN,
  CKA_VALUE_LEN,
  CKK_AES,
  type Pkcs11Handle,
  type Pkcs11Module,
} from './pkcs11Module.js'
import { returned } from './returnCodes.js'
import { numberOf } from './tokenSlot.js'

type Want = readonly [type: number, wanted: number | boolean, wrong: string]

const ALWAYS: readonly Want[] = [
  [CKA_KEY_TYPE, CKK_AES, 'it is no AES key (CKA_KEY_TYPE)'],
  [CKA_VALUE_LEN, 32, 'it does not have 32 bytes (CKA_VALUE_LEN)'],
  [CKA_TOKEN, true, 'it is gone when its session ends (CKA_TOKEN is false)'],
  [CKA_SENSITIVE, true, 'it can be read (CKA_SENSITIVE is false)'],
  [CKA_EXTRACTABLE, false, 'it can be taken out of the token (CKA_EXTRACTABLE is true)'],
  [CKA_ENCRYPT, true, 'it may not encrypt (CKA_ENCRYPT is false)'],
  [CKA_DECRYPT, true, 'it may not decrypt (CKA_DECRYPT is false)'],
]

const PRIVATE: Want = [CKA_PRIVATE, true, 'it serves without a login (CKA_PRIVATE is false)']

/** Tokens need not have these. */
const IF_GIVEN: readonly Want[] = [
  [CKA_ALWAYS_SENSITIVE, true, 'it could be read before (CKA_ALWAYS_SENSITIVE is false)'],
  [CKA_NEVER_EXTRACTABLE, true, 'it could be taken out of the token before (CKA_NEVER_EXTRACTABLE is false)'],
  [CKA_LOCAL, true, 'it was not made in the token (CKA_LOCAL is false)'],
]

/** An object, and a session to look at it in. */
export interface ObjectInSession {
  readonly module: Pkcs11Module
  readonly session: Pkcs11Handle
  readonly key: Pkcs11Handle
}

/** What is wrong with a key as a KEK; nothing if it is right. */
export async function whatIsWrong(
  object: ObjectInSession,
  { imported, login }: { readonly imported: boolean; readonly login: boolean },
): Promise<string[]> {
  const wrong: string[] = []
  for (const [type, wanted, what] of login ? [...ALWAYS, PRIVATE] : ALWAYS)
    if ((await read(object, type, wanted)) !== wanted) wrong.push(what)
  if (imported) return wrong
  for (const [type, wanted, what] of IF_GIVEN) {
    const given = await read(object, type, wanted)
    if (given !== undefined && given !== wanted) wrong.push(what)
  }
  return wrong
}

/** Empty where there is none. */
export async function readLabel(object: ObjectInSession): Promise<string> {
  return (await readBytes(object, CKA_LABEL))?.toString('utf8') ?? ''
}

async function read(
  object: ObjectInSession,
  type: number,
  like: number | boolean,
): Promise<number | boolean | undefined> {
  const bytes = await readBytes(object, type)
  if (typeof like === 'boolean') return bytes?.length === 1 ? bytes[0] !== 0 : undefined
  const number = bytes && numberOf(bytes)
  return number === undefined ? undefined : Number(number)
}

/** One at a time: a module that does not know one of several answers none. */
async function readBytes({ module, session, key }: ObjectInSession, type: number): Promise<Buffer | undefined> {
  try {
    const [attribute] = await module.C_GetAttributeValue(session, key, [{ type }])
    return Buffer.isBuffer(attribute?.value) ? attribute.value : undefined
  } catch (error) {
    if (returned(error, 'CKR_ATTRIBUTE_TYPE_INVALID')) return undefined
    throw error
  }
}
