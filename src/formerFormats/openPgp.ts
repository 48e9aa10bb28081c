import { createDecipheriv, createHash } from 'node:crypto'
import { inflateRawSync, inflateSync } from 'node:zlib'

/*
 * Messages of OpenPGP that are encrypted with a passphrase, as far as pgcrypto writes them (RFC 4880, sections 3.7, 4.2,
 * 5.3, 5.6, 5.9, 5.13): AES, and with an integrity check.
 */

/** It is none of these messages, or was written with options that are not read. */
export class MessageRefused extends Error {}

const TAG = { sessionKey: 3, compressed: 8, unprotected: 9, literal: 11, protected: 18 }
const CIPHERS: { readonly [id: number]: { readonly name: string; readonly keyBytes: number } } = {
  7: { name: 'aes-128-cfb', keyBytes: 16 },
  8: { name: 'aes-192-cfb', keyBytes: 24 },
  9: { name: 'aes-256-cfb', keyBytes: 32 },
}
const HASHES: { readonly [id: number]: string } = { 1: 'md5', 2: 'sha1', 8: 'sha256', 9: 'sha384', 10: 'sha512' }
const BLOCK = 16
const SHA1_BYTES = 20
/** Of the packet with the integrity check, which is the last one. */
const CHECK_HEAD = Buffer.of(0xd3, 0x14)
/** The most bytes that a passphrase is stretched over. The message says how many, before anything shows who wrote it. */
const MOST_COUNT = 2 ** 22
/** What a value may be unpacked to, in bytes: as much as PostgreSQL holds in one. */
const LARGEST = 2 ** 30

interface Packet {
  readonly tag: number
  readonly body: Buffer
}

/**
 * The data in a message.
 *
 * @returns `undefined` when the passphrase is another one, or the message was changed
 * @throws {MessageRefused}
 */
export function decryptMessage(message: Buffer, passphrase: string): Buffer | undefined {
  const [key, data, ...others] = packetsOf(message)
  if (key?.tag !== TAG.sessionKey || data === undefined || others.length > 0)
    throw new MessageRefused('it is no message of OpenPGP with one passphrase')
  if (data.tag === TAG.unprotected)
    throw new MessageRefused('it has no integrity check (disable-mdc), so that nobody can tell whether it was changed')
  if (data.tag !== TAG.protected || data.body[0] !== 1) throw new MessageRefused('it is encrypted in another way')
  const opened = openProtected(data.body.subarray(1), sessionKeyOf(key.body, passphrase))
  return opened && literalIn(opened)
}

interface SessionKey {
  readonly cipher: string
  readonly key: Buffer
}

/** A passphrase makes the key, or the key that the key is encrypted with (`sess-key=1`). */
function sessionKeyOf(body: Buffer, passphrase: string): SessionKey | undefined {
  const [version, algorithm = 0, mode = -1, hashId = 0] = body
  const cipher = CIPHERS[algorithm]
  const hash = HASHES[hashId]
  if (version !== 4 || ![0, 1, 3].includes(mode)) throw new MessageRefused('its key is made in another way')
  if (cipher === undefined) throw new MessageRefused('its cipher is not AES')
  if (hash === undefined) throw new MessageRefused('its key is made with a hash that is not read')
  const salt = body.subarray(4, mode === 0 ? 4 : 12)
  const coded = body[12] ?? 0
  const count = mode === 3 ? (16 + (coded & 15)) << ((coded >> 4) + 6) : 0
  if (count > MOST_COUNT) throw new MessageRefused(`its s2k-count is above ${MOST_COUNT}`)
  const key = stretched(hash, { salt, passphrase, count, length: cipher.keyBytes })
  const encrypted = body.subarray(4 + salt.length + (mode === 3 ? 1 : 0))
  if (encrypted.length === 0) return { cipher: cipher.name, key }
  const [inner = 0, ...bytes] = cfb({ cipher: cipher.name, key }, encrypted)
  const own = CIPHERS[inner]
  return own?.keyBytes === bytes.length ? { cipher: own.name, key: Buffer.from(bytes) } : undefined
}

interface Stretch {
  readonly salt: Buffer
  readonly passphrase: string
  readonly count: number
  readonly length: number
}

/** String-to-key: as many hashes as the key needs, each begun with one zero more. */
function stretched(hash: string, { salt, passphrase, count, length }: Stretch): Buffer {
  const once = Buffer.concat([salt, Buffer.from(passphrase)])
  const data = Buffer.alloc(Math.max(count, once.length), once)
  let key = Buffer.alloc(0)
  for (let zeros = 0; key.length < length; zeros++) {
    key = Buffer.concat([key, createHash(hash).update(Buffer.alloc(zeros)).update(data).digest()])
  }
  return key.subarray(0, length)
}

function cfb({ cipher, key }: SessionKey, data: Buffer): Buffer {
  return createDecipheriv(cipher, key, Buffer.alloc(BLOCK)).update(data)
}

/** Nothing of what was decrypted is looked at before the check over all of it, which is its end. */
function openProtected(sealed: Buffer, key: SessionKey | undefined): Buffer | undefined {
  if (key === undefined) return undefined
  const data = cfb(key, sealed)
  const end = data.length - SHA1_BYTES
  const head = end - CHECK_HEAD.length
  if (head < BLOCK + 2) return undefined
  const digest = createHash('sha1').update(data.subarray(0, end)).digest()
  const isWhole = digest.equals(data.subarray(end)) && CHECK_HEAD.equals(data.subarray(head, end))
  return isWhole ? data.subarray(BLOCK + 2, head) : undefined
}

function literalIn(data: Buffer): Buffer {
  const [packet, ...others] = packetsOf(data)
  if (packet === undefined || others.length > 0) throw new MessageRefused('it holds more than one value')
  if (packet.tag === TAG.compressed) return literalIn(unpacked(packet.body))
  if (packet.tag !== TAG.literal) throw new MessageRefused('it holds no value')
  const nameLength = packet.body[1] ?? 0
  return packet.body.subarray(2 + nameLength + 4)
}

function unpacked(body: Buffer): Buffer {
  const packed = body.subarray(1)
  switch (body[0]) {
    case 1:
      return inflateRawSync(packed, { maxOutputLength: LARGEST })
    case 2:
      return inflateSync(packed, { maxOutputLength: LARGEST })
    default:
      throw new MessageRefused('it is compressed in a way that is not read')
  }
}

function packetsOf(data: Buffer): Packet[] {
  const packets: Packet[] = []
  for (let offset = 0; offset < data.length; ) {
    const { tag, body, end } = packetAt(data, offset)
    packets.push({ tag, body })
    offset = end
  }
  return packets
}

function packetAt(data: Buffer, offset: number): Packet & { readonly end: number } {
  const first = data[offset]!
  if ((first & 0x80) === 0) throw new MessageRefused('it is no message of OpenPGP')
  if ((first & 0x40) === 0) return oldPacketAt(data, offset)
  const parts: Buffer[] = []
  let start = offset + 1
  for (;;) {
    const { length, next, isPartial } = newLengthAt(data, start)
    parts.push(slice(data, next, next + length))
    start = next + length
    if (!isPartial) return { tag: first & 0x3f, body: Buffer.concat(parts), end: start }
  }
}

function oldPacketAt(data: Buffer, offset: number): Packet & { readonly end: number } {
  const first = data[offset]!
  const bytes = [1, 2, 4, 0][first & 3]!
  const start = offset + 1 + bytes
  const end = bytes === 0 ? data.length : start + slice(data, offset + 1, start).readUIntBE(0, bytes)
  return { tag: (first >> 2) & 0xf, body: slice(data, start, end), end }
}

/** Long data come in parts, each with a length of its own. */
function newLengthAt(data: Buffer, at: number): { length: number; next: number; isPartial: boolean } {
  const first = slice(data, at, at + 1)[0]!
  if (first < 192) return { length: first, next: at + 1, isPartial: false }
  if (first < 224) {
    return { length: ((first - 192) << 8) + slice(data, at + 1, at + 2)[0]! + 192, next: at + 2, isPartial: false }
  }
  if (first < 255) return { length: 2 ** (first & 31), next: at + 1, isPartial: true }
  return { length: slice(data, at + 1, at + 5).readUInt32BE(0), next: at + 5, isPartial: false }
}

function slice(data: Buffer, start: number, end: number): Buffer {
  if (end > data.length) throw new MessageRefused('it was cut off')
  return data.subarray(start, end)
}
