import { endianness } from 'node:os'
import { FieldsealError, quoted } from '../../errors.js'
import { CKF_OS_LOCKING_OK, type Pkcs11Handle, type Pkcs11Module, type Pkcs11TokenInfo } from './pkcs11Module.js'
import { fail, returned } from './returnCodes.js'

/** Where the token is: one of these. */
export interface TokenPlace {
  /** The token's label. */
  readonly token: string | undefined
  /** The id of its slot. */
  readonly slot: number | undefined
}

/**
 * Initializes the module, for use by several threads: the calls are made in those of libuv. Who has done so already is to
 * have asked for the same.
 */
export async function initialize(module: Pkcs11Module): Promise<void> {
  try {
    await module.C_Initialize({ flags: CKF_OS_LOCKING_OK })
  } catch (error) {
    if (!returned(error, 'CKR_CRYPTOKI_ALREADY_INITIALIZED')) throw error
  }
}

/**
 * Finds the slot. Slots whose token does not answer are passed over: they may be others'.
 *
 * @throws what the module would return if it is not there; FieldsealError `OPTIONS_INVALID` if several tokens have the label
 */
export async function findSlot(module: Pkcs11Module, place: TokenPlace): Promise<Pkcs11Handle> {
  const slots = await module.C_GetSlotList(true)
  const found: Pkcs11Handle[] = []
  for (const slot of slots) if (await isAt(place, module, slot)) found.push(slot)
  if (found.length > 1) throw severalTokens(place, found.length)
  return found[0] ?? fail('CKR_TOKEN_NOT_PRESENT')
}

async function isAt({ token, slot: id }: TokenPlace, module: Pkcs11Module, slot: Pkcs11Handle): Promise<boolean> {
  if (id !== undefined) return numberOf(slot) === BigInt(id)
  return (await infoOf(module, slot))?.label.trimEnd() === token
}

/** A CK_ULONG, as pkcs11js hands it over. */
export function numberOf(value: Buffer): bigint | undefined {
  const little = endianness() === 'LE'
  if (value.length === 8) return little ? value.readBigUInt64LE() : value.readBigUInt64BE()
  if (value.length === 4) return BigInt(little ? value.readUInt32LE() : value.readUInt32BE())
  return undefined
}

async function infoOf(module: Pkcs11Module, slot: Pkcs11Handle): Promise<Pkcs11TokenInfo | undefined> {
  try {
    return await module.C_GetTokenInfo(slot)
  } catch {
    return undefined
  }
}

function severalTokens({ token }: TokenPlace, count: number): FieldsealError {
  const message = `${count} tokens have the label ${quoted(token)} of the option "token" of pkcs11Kms: give "slot" instead.`
  return new FieldsealError('OPTIONS_INVALID', message)
}
