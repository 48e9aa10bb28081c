import { randomBytes } from 'node:crypto'
import {
  CK_PARAMS_GCM,
  CKM_AES_ECB,
  CKM_AES_GCM,
  type Pkcs11Handle,
  type Pkcs11Mechanism,
  type Pkcs11Module,
} from './pkcs11Module.js'
import { APPENDED_IV_BYTES, type GcmMessage, IV_BYTES, TAG_BYTES } from './wrappedText.js'

/** Who makes the iv of each message: this process, at random, or the token (as FIPS mode of many demands). */
export type IvSource = 'process' | 'token'

/** A key, and a session to use it in; nobody else uses that meanwhile. */
export interface KeyInUse {
  readonly module: Pkcs11Module
  readonly session: Pkcs11Handle
  readonly key: Pkcs11Handle
}

/** What the token did is not what was asked for. */
export class WrongOutput extends Error {
  override readonly name = 'WrongOutput'
}

const TAG_BITS = 8 * TAG_BYTES

/**
 * Buffers that a thread of libuv, or the module, reads or writes: pkcs11js holds on to none of them, so they would be
 * collected below the thread.
 */
const inUse = new Set<readonly Buffer[]>()

/**
 * AES-256-GCM in the token. Leaves `plaintext` as it is.
 *
 * @throws WrongOutput for a token that does not do with the iv what `ivSource` says
 */
export async function gcmEncrypt(
  { module, session, key }: KeyInUse,
  plaintext: Buffer,
  aad: Buffer,
  ivSource: IvSource,
): Promise<GcmMessage> {
  const given = ivSource === 'process' ? randomBytes(IV_BYTES) : Buffer.alloc(IV_BYTES)
  const [iv, input] = [Buffer.from(given), Buffer.from(plaintext)]
  const output = Buffer.alloc(plaintext.length + TAG_BYTES + APPENDED_IV_BYTES)
  const buffers = [iv, input, output, aad]
  inUse.add(buffers)
  try {
    await module.C_EncryptInit(session, gcm(iv, aad), key)
    const made = Buffer.from(await module.C_EncryptAsync(session, input, output))
    const message = { iv, sealed: made }
    return ivSource === 'process'
      ? expectOwnIv(message, given, plaintext.length)
      : readTokenIv(message, plaintext.length)
  } finally {
    input.fill(0)
    inUse.delete(buffers)
  }
}

/** The plaintext in a buffer of its own, owned by the caller; fails as the module does. */
export async function gcmDecrypt(
  { module, session, key }: KeyInUse,
  { iv, sealed }: GcmMessage,
  aad: Buffer,
): Promise<Buffer> {
  const output = Buffer.alloc(sealed.length)
  const buffers = [iv, sealed, output, aad]
  inUse.add(buffers)
  try {
    await module.C_DecryptInit(session, gcm(iv, aad), key)
    const opened = await module.C_DecryptAsync(session, sealed, output)
    const plaintext = Buffer.alloc(opened.length)
    opened.copy(plaintext)
    opened.fill(0)
    return plaintext
  } finally {
    output.fill(0)
    inUse.delete(buffers)
  }
}

/** One block of AES-256-ECB. */
export async function encryptBlock({ module, session, key }: KeyInUse, block: Buffer): Promise<Buffer> {
  const output = Buffer.alloc(2 * block.length)
  const buffers = [block, output]
  inUse.add(buffers)
  try {
    await module.C_EncryptInit(session, { mechanism: CKM_AES_ECB }, key)
    const made = await module.C_EncryptAsync(session, block, output)
    if (made.length !== block.length) throw new WrongOutput('CKM_AES_ECB gave another length than it was given')
    return Buffer.from(made)
  } finally {
    inUse.delete(buffers)
  }
}

function gcm(iv: Buffer, aad: Buffer): Pkcs11Mechanism {
  const parameter = { type: CK_PARAMS_GCM, iv, ivBits: 8 * iv.length, aad, tagBits: TAG_BITS }
  return { mechanism: CKM_AES_GCM, parameter }
}

function expectOwnIv(message: GcmMessage, given: Buffer, length: number): GcmMessage {
  if (message.sealed.length === length + TAG_BYTES && message.iv.equals(given)) return message
  throw new WrongOutput('the token makes the iv itself: give pkcs11Kms the option iv: "token"')
}

/** CloudHSM and ProtectServer write the iv where the one of zeros was; Luna appends one of 16 bytes. */
function readTokenIv({ iv, sealed }: GcmMessage, length: number): GcmMessage {
  const end = length + TAG_BYTES
  if (sealed.length === end + APPENDED_IV_BYTES) return { iv: sealed.subarray(end), sealed: sealed.subarray(0, end) }
  if (sealed.length === end && iv.some((byte) => byte !== 0)) return { iv, sealed }
  throw new WrongOutput('the token makes no iv itself: leave out the option iv: "token" of pkcs11Kms')
}
