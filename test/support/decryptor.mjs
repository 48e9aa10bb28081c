#!/usr/bin/env node
/**
 * Decrypts fieldseal's ciphertexts, unwraps DEKs, and makes blind and token indexes. Written from docs/format.md alone,
 * without a line of src, so that it can tell whether the page and the library agree. Plain Node, nothing to install.
 *
 *   node test/support/decryptor.mjs --dek <64 hex digits> --tenant acme --context User.email [--bound <text>]… <stored>
 *
 * `<stored>` is the text of a String column, the JSON of a Json column, or the hex of a Bytes column (`\x…` too).
 * A string is printed as it is, JSON and lists as JSON, bytes as hex, dates in ISO 8601. With `--lines`, it reads one JSON object a line from standard
 * input, `{"dek", "tenant", "context", "bound", "stored"}`, and prints one a line, `{"kind", "value"}` or `{"error"}`.
 */
import { createDecipheriv, createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const KINDS = ['String', 'Bytes', 'Json', 'Int', 'BigInt', 'Float', 'Decimal', 'Boolean', 'DateTime', 'List']

/** The ciphertext's parts. `stored` is text or bytes. */
export function parse(stored) {
  const isText = typeof stored === 'string'
  const prefix = isText ? stored.slice(0, 4) : Buffer.from(stored.subarray(0, 4)).toString('latin1')
  if (prefix !== 'fs1.') throw new Error('no prefix fs1.')
  const body = isText ? fromBase64url(stored.slice(4)) : Buffer.from(stored.subarray(4))
  if (body.length < 18 + 1) throw new Error('too short')
  const header = body.subarray(0, 18)
  const [suite, flags] = header
  if (flags > 1) throw new Error(`unknown flags ${flags}`)
  if (suite === 2) return parseOfKms(header, body.subarray(18))
  if (suite !== 1) throw new Error(`unknown suite ${suite}`)
  if (body.length < 18 + 12 + 1 + 16) throw new Error('too short')
  return {
    header,
    padded: flags === 1,
    dekId: uuid(header.subarray(2)),
    nonce: body.subarray(18, 30),
    encrypted: body.subarray(30, -16),
    tag: body.subarray(-16),
  }
}

function parseOfKms(header, sealed) {
  if (header.subarray(2).some((byte) => byte !== 0)) throw new Error('a DEK id in suite 2')
  const blob = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(sealed)
  return { header, padded: header[1] === 1, blob }
}

/** What a ciphertext of suite 2 is sent to the KMS with. */
export function requestOf({ tenant, context, bound = [], stored }) {
  const { header, blob } = parse(stored)
  const aad = digestOf({ header, tenant, context, bound }).toString('base64url')
  return { blob, encryptionContext: JSON.stringify({ aad, field: context, purpose: 'value', tenant }) }
}

/** The value in what the KMS decrypted of a ciphertext of suite 2. */
export function openOfKms({ plaintext, tenant, context, bound = [], stored }) {
  const { header, padded } = parse(stored)
  const digest = digestOf({ header, tenant, context, bound })
  if (plaintext.length <= 32 || !timingSafeEqual(plaintext.subarray(0, 32), digest))
    throw new Error('unable to authenticate data')
  const content = plaintext.subarray(32)
  return decode(padded ? unpad(content) : content)
}

function digestOf({ header, tenant, context, bound }) {
  const aad = Buffer.concat([lp('fieldseal/1'), header, ...[tenant, context, ...bound].map(lp)])
  return createHash('sha256').update(aad).digest()
}

/** @returns `{kind, value}`: a string, a Buffer or what the JSON says */
export function decrypt({ dek, tenant, context, bound = [], stored }) {
  const { header, padded, nonce, encrypted, tag } = parse(stored)
  if (!tag) throw new Error('encrypted by the KMS itself: no DEK opens it')
  const decipher = createDecipheriv('aes-256-gcm', hkdf(dek, 'fieldseal/1 aes-256-gcm'), nonce, { authTagLength: 16 })
  decipher.setAAD(Buffer.concat([lp('fieldseal/1'), header, ...[tenant, context, ...bound].map(lp)]))
  decipher.setAuthTag(tag)
  const plaintext = Buffer.concat([decipher.update(encrypted), decipher.final()])
  return decode(padded ? unpad(plaintext) : plaintext)
}

/**
 * The DEK in a row of the keys table that `localKms` wrapped, `redundantKms` with members that it wrapped, or an
 * intermediate key.
 *
 * @param keks the KEKs of `localKms` at hand, in any order
 * @param intermediate what gives the row of the keys table with an id
 */
export function openDek(row, { keks, intermediate }) {
  const { wrapped } = row
  if (row.state === 'destroyed' || wrapped === null) throw new Error('destroyed')
  const context = JSON.stringify({ key: row.id, purpose: row.purpose, tenant: row.tenant })
  if (wrapped.startsWith('fslk1.')) return openLocal(row, context, keks)
  if (wrapped.startsWith('fsm1.')) return openRedundant(row, context, keks)
  if (wrapped.startsWith('fsw1.')) return openUnderIntermediate(row, context, { keks, intermediate })
  throw new Error('a text of another KMS')
}

function openLocal({ wrapped, kekId }, context, keks) {
  const kek = keks.find((each) => kekId === `local:${checkValue(each)}`)
  if (!kek) throw new Error(`the KEK ${kekId} is not at hand`)
  return unsealed(kek, [lp('fieldseal/1 local-kms'), lp(context)], wrapped.slice('fslk1.'.length))
}

function openRedundant({ wrapped, kekId }, context, keks) {
  const entries = Object.entries(JSON.parse(wrapped.slice('fsm1.'.length)))
  const sorted = entries.toSorted(([one], [other]) => (one < other ? -1 : 1))
  const names = sorted.map(([name, entry]) => `${name}=${entry.kekId}`).join(' ')
  if (names !== kekId) throw new Error('the KEKs of the row are not those of its text')
  const local = entries
    .map(([, entry]) => entry)
    .find((entry) => keks.some((kek) => entry.kekId === `local:${checkValue(kek)}`))
  if (!local) throw new Error('no KEK of a member is at hand')
  return openLocal(local, context, keks)
}

function openUnderIntermediate({ wrapped, kekId }, context, { keks, intermediate }) {
  const row = intermediate(kekId)
  if (row.purpose !== 'wrap') throw new Error('no intermediate key')
  const key = hkdf(openDek(row, { keks, intermediate }), 'fieldseal/1 dek-wrap')
  return unsealed(key, [lp('fieldseal/1 dek-wrap'), lp(kekId), lp(context)], wrapped.slice('fsw1.'.length))
}

function checkValue(kek) {
  return hkdf(kek, 'fieldseal/1 local-kms check value').subarray(0, 8).toString('hex')
}

function unsealed(key, aad, text) {
  const bytes = fromBase64url(text)
  if (bytes.length !== 12 + 32 + 16) throw new Error('not the text of 32 bytes')
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), { authTagLength: 16 })
  decipher.setAAD(Buffer.concat(aad))
  decipher.setAuthTag(bytes.subarray(-16))
  return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()])
}

/**
 * The bytes of a blind index.
 *
 * @param values `{kind, context, value}` of each source, in order
 * @param own what the normalisers of the application do
 */
export function blindIndex({ dek, values, bits = 128, normalize = [], own = {} }) {
  const plaintexts = values.map(({ kind, value }) => {
    return encode(
      kind,
      kind === 'String' ? normalize.reduce((text, name) => (own[name] ?? NORMALISERS[name])(text), value) : value,
    )
  })
  const contexts = values.map(({ context }) => context).join('+')
  const parameters = JSON.stringify({ bits, normalize })
  const message = plaintexts.length === 1 ? plaintexts : plaintexts.map(lp)
  const key = hkdf(dek, 'fieldseal/1 blind-index')
  return hmac(key, Buffer.concat([lp(contexts), lp(parameters), ...message])).subarray(0, bits / 8)
}

/**
 * The tokens of a text or of a number, a bigint in units.
 *
 * @param parameters as docs/format.md lists them; those of a range have `unit`
 */
export function tokens({ dek, context, parameters, value, own = {} }) {
  const { unit, normalize = [] } = parameters
  const isRange = unit !== undefined
  const key = hkdf(dek, isRange ? 'fieldseal/1 range-index' : 'fieldseal/1 text-index')
  const normal = isRange ? '' : normalize.reduce((given, name) => (own[name] ?? NORMALISERS[name])(given), value)
  const text = normalize.includes('lowercase') ? normal.split('\u03c2').join('\u03c3') : normal
  const bodies = isRange ? rangeBodies(parameters, value) : textBodies(parameters, Array.from(text))
  const sorted = Object.fromEntries(Object.entries(parameters).toSorted(([one], [other]) => (one < other ? -1 : 1)))
  const start = Buffer.concat([lp(context), lp(JSON.stringify(sorted))])
  const made = bodies.map((body) => uuid(hmac(key, Buffer.concat([start, body])).subarray(0, 16)))
  return [...new Set(made)].toSorted()
}

function textBodies({ prefix, suffix, words, wordPrefix, grams }, points) {
  const bodies = []
  const add = (kind, part) => bodies.push(Buffer.concat([Buffer.of(kind), Buffer.from(part.join(''))]))
  const upTo = ([fewest, most], length, addOne) => {
    for (let n = fewest; n <= most && n <= length; n += 1) addOne(n)
  }
  if (prefix) upTo(prefix, points.length, (n) => add(1, points.slice(0, n)))
  if (suffix) upTo(suffix, points.length, (n) => add(2, points.slice(-n)))
  for (const word of wordsIn(points)) {
    if (words) add(3, word)
    if (wordPrefix) upTo(wordPrefix, word.length, (n) => add(5, word.slice(0, n)))
  }
  for (let i = 0; grams && i + grams <= points.length; i += 1) add(4, points.slice(i, i + grams))
  return bodies
}

function wordsIn(points) {
  const words = [[]]
  for (const point of points) {
    if (/^[\p{L}\p{M}\p{N}]$/u.test(point)) words.at(-1).push(point)
    else words.push([])
  }
  return words.filter((word) => word.length > 0)
}

function rangeBodies({ min, max, step, sparsity }, value) {
  const cell = (of) => (of - BigInt(min)) / BigInt(step)
  let bits = 1
  while (cell(BigInt(max)) >> BigInt(bits) > 0n) bits += 1
  const bodies = []
  for (let level = bits; level > 0; level -= sparsity) {
    const body = Buffer.alloc(9, level)
    body.writeBigUInt64BE(cell(value) >> BigInt(bits - level), 1)
    bodies.push(body)
  }
  return bodies
}

const BLANK = '[\\u0009-\\u000d\\u0020\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff]'
const ENDS = new RegExp(`^${BLANK}+|${BLANK}+$`, 'g')
const NORMALISERS = {
  trim: (text) => text.replace(ENDS, ''),
  lowercase: (text) => text.toLowerCase(),
  nfkc: (text) => text.normalize('NFKC'),
  digits: (text) =>
    Array.from(text)
      .filter((character) => /^\p{General_Category=Decimal_Number}$/u.test(character))
      .join(''),
  diacritics: (text) =>
    Array.from(text.normalize('NFD'))
      .filter((character) => !/^\p{General_Category=Nonspacing_Mark}$/u.test(character))
      .join('')
      .normalize('NFC'),
}

/** The plaintext of a value, of the kinds that have blind indexes. */
function encode(kind, value) {
  if (kind === 'Enum') return encode('String', value)
  if (kind === 'Bytes') return Buffer.concat([Buffer.of(1), value])
  if (SIZES[kind]) return encodeFixed(kind, value)
  return Buffer.concat([Buffer.of(KINDS.indexOf(kind)), Buffer.from(value, 'utf8')])
}

function encodeFixed(kind, value) {
  const bytes = Buffer.alloc(1 + SIZES[kind], KINDS.indexOf(kind))
  if (kind === 'Int') bytes.writeInt32BE(value, 1)
  else if (kind === 'BigInt') bytes.writeBigInt64BE(value, 1)
  else if (kind === 'DateTime') bytes.writeBigInt64BE(BigInt(value.getTime()), 1)
  else if (kind === 'Boolean') bytes[1] = value ? 1 : 0
  else bytes.writeDoubleBE(value === 0 ? 0 : value, 1)
  return bytes
}

function decode(plaintext) {
  const kind = KINDS[plaintext[0]]
  const bytes = plaintext.subarray(1)
  if (kind === undefined) throw new Error('unknown codec')
  if (kind === 'Bytes') return { kind, value: bytes }
  if (kind === 'List') return { kind, value: decodeList(bytes) }
  if (SIZES[kind]) return { kind, value: decodeFixed(kind, bytes) }
  const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  if (kind === 'Decimal' && !DECIMAL.test(text)) throw new Error('not a canonical decimal')
  return { kind, value: kind === 'Json' ? JSON.parse(text) : text }
}

const SIZES = { Int: 4, BigInt: 8, Float: 8, Boolean: 1, DateTime: 8 }
const DECIMAL = /^(0|-?([1-9][0-9]*|0(?=\.))(\.[0-9]*[1-9])?)$/

function decodeFixed(kind, bytes) {
  if (bytes.length !== SIZES[kind]) throw new Error(`a ${kind} has ${SIZES[kind]} bytes`)
  if (kind === 'Int') return bytes.readInt32BE()
  if (kind === 'BigInt') return bytes.readBigInt64BE()
  if (kind === 'DateTime') return decodeDate(bytes.readBigInt64BE())
  if (kind === 'Boolean') {
    if (bytes[0] > 1) throw new Error('neither true nor false')
    return bytes[0] === 1
  }
  const number = bytes.readDoubleBE()
  if (!Number.isFinite(number) || Object.is(number, -0)) throw new Error('not a number that is ever written')
  return number
}

function decodeDate(time) {
  if (time < -62135596800000n || time > 253402300799999n) throw new Error('not a date of the years 1 to 9999')
  return new Date(Number(time))
}

function decodeList(bytes) {
  const values = []
  for (let offset = 0; offset < bytes.length; ) {
    const end = offset + 4 + bytes.readUInt32BE(offset)
    if (end > bytes.length) throw new Error('an element that is longer than its list')
    const { kind, value } = decode(bytes.subarray(offset + 4, end))
    if (kind === 'List') throw new Error('a list inside a list')
    values.push(value)
    offset = end
  }
  return values
}

function unpad(plaintext) {
  let end = plaintext.length
  while (end > 0 && plaintext[end - 1] === 0) end -= 1
  if (plaintext[end - 1] !== 0x80) throw new Error('not padded')
  return plaintext.subarray(0, end - 1)
}

/** RFC 5869 with an empty salt; one block is all that 32 bytes take. */
function hkdf(dek, info) {
  if (dek.length !== 32) throw new Error('a DEK has 32 bytes')
  const prk = hmac(Buffer.alloc(32), dek)
  return hmac(prk, Buffer.concat([Buffer.from(info), Buffer.of(1)]))
}

function hmac(key, data) {
  return createHmac('sha256', key).update(data).digest()
}

function lp(value) {
  const bytes = Buffer.from(value)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

function fromBase64url(text) {
  const bytes = []
  let bits = 0
  let held = 0
  for (const character of text) {
    const six = ALPHABET.indexOf(character)
    if (six < 0) throw new Error('a character that is not of base64url')
    bits = (bits << 6) | six
    held += 6
    if (held < 8) continue
    held -= 8
    bytes.push(bits >> held)
    bits &= (1 << held) - 1
  }
  if (held === 6 || bits !== 0) throw new Error('base64url that is not canonical')
  return Buffer.from(bytes)
}

function uuid(bytes) {
  const hex = Buffer.from(bytes).toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

/** What a column shows: text, a JSON string, or hex. */
function shown(stored) {
  if (stored.startsWith('fs1.')) return stored
  if (stored.startsWith('"')) return JSON.parse(stored)
  const hex = stored.replace(/^\\x/, '')
  if (!/^([0-9a-fA-F]{2})+$/.test(hex)) throw new Error('neither text, nor JSON, nor hex of a ciphertext')
  return Buffer.from(hex, 'hex')
}

function run({ dek, stored, ...rest }) {
  const { kind, value } = decrypt({ ...rest, dek: Buffer.from(dek, 'hex'), stored: shown(stored) })
  return { kind, value: printable(value) }
}

function printable(value) {
  if (value instanceof Date) return value.toISOString()
  if (typeof value === 'bigint') return String(value)
  if (Buffer.isBuffer(value)) return value.toString('hex')
  return Array.isArray(value) ? value.map(printable) : value
}

function runLine(line) {
  try {
    return run(JSON.parse(line))
  } catch (error) {
    return { error: error.message }
  }
}

async function main() {
  const text = { type: 'string' }
  const options = {
    dek: text,
    tenant: text,
    context: text,
    bound: { ...text, multiple: true },
    lines: { type: 'boolean' },
  }
  const { values, positionals } = parseArgs({ options, allowPositionals: true })
  if (values.lines) {
    for await (const line of createInterface({ input: process.stdin })) console.log(JSON.stringify(runLine(line)))
    return
  }
  const { dek, tenant, context, bound } = values
  if (positionals.length !== 1 || !dek || tenant === undefined || context === undefined) {
    throw new Error('usage: decryptor.mjs --dek <hex> --tenant <id> --context <Model.field> [--bound <text>]… <stored>')
  }
  const { kind, value } = run({ dek, tenant, context, bound, stored: positionals[0] })
  console.log(kind === 'Json' || kind === 'List' ? JSON.stringify(value) : value)
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  main().catch((error) => {
    console.error(error.message)
    process.exitCode = 1
  })
}
