import { createSecretKey } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { aadOf } from '../../src/crypto/aad.js'
import { blindIndexes, indexPrefix } from '../../src/crypto/blindIndex.js'
import { rawHead } from '../../src/crypto/ciphertext.js'
import type { Engine } from '../../src/crypto/engine.js'
import { decodeField, decodeFieldText, encodeField, textCodecOf } from '../../src/crypto/fieldValue.js'
import { encodeHeader } from '../../src/crypto/header.js'
import { deriveWith } from '../../src/crypto/keys.js'
import { pad } from '../../src/crypto/padding.js'
import { placed } from './placed.js'
import {
  type BlindIndexVector,
  type CiphertextVector,
  formOf,
  hex,
  plainOf,
  published,
  storedOf,
  vectors,
} from './vectors.js'

/**
 * Gives an engine the frozen and the published vectors, where no test runner is to be had.
 *
 * @returns how many it agreed with
 * @throws Error with the name of one that it does not
 */
export function proveEngine(engine: Engine): number {
  const proofs = [
    ...vectors.ciphertexts.map((vector) => [vector.name, () => agreesWithCiphertext(engine, vector)] as const),
    ...vectors.blindIndexes.map((vector) => [vector.name, () => agreesWithIndex(engine, vector)] as const),
    ...published.aes256gcm.map(
      (vector) => [vector.name, () => agreesWithPublished(engine, vector, vector.msg)] as const,
    ),
    ...published.aes256gcmForged.map((vector) => [vector.name, () => agreesWithPublished(engine, vector)] as const),
  ]
  for (const [name, agrees] of proofs) if (!agrees()) throw new Error(`the engine disagrees with ${name}`)
  return proofs.length
}

function agreesWithCiphertext({ open }: Engine, vector: CiphertextVector): boolean {
  const { id, tenant, dek } = vectors.deks[vector.dek]!
  const header = encodeHeader({ suite: 1, flags: vector.padTo ? 1 : 0, dekId: id })
  const key = deriveWith(hex(dek), 'encrypt', (secret, bytes) => placed(open(secret, bytes))).made
  const place = { aad: aadOf(header, tenant, vector.context), bound: [vector.bound] }
  const form = formOf(vector)
  const encoded = encodeField(form, plainOf(vector), true)
  const plaintexts = [vector.padTo ? pad(Buffer.from(encoded as string), vector.padTo) : encoded]
  const raw = vector.form === 'raw' ? ('raw' as const) : ('text' as const)
  const made = key.encrypt({ ...place, header, form: raw, plaintexts, nonces: hex(vector.nonce) })
  const opened = [textCodecOf(form), undefined].map((codec) => {
    const [outcome] = key.decrypt({
      ...place,
      header,
      stored: [storedOf(vector)],
      padded: Boolean(vector.padTo),
      codec,
    })
    return typeof outcome === 'string' ? decodeFieldText(form, outcome) : decodeField(form, outcome as Buffer)
  })
  return isDeepStrictEqual([made[0], ...opened], [storedOf(vector), plainOf(vector), plainOf(vector)])
}

function agreesWithIndex({ openIndex }: Engine, vector: BlindIndexVector): boolean {
  const key = deriveWith(hex(vectors.deks[vector.dek]!.dek), 'index', (secret, bytes) => openIndex(secret, bytes)).made
  const [index] = blindIndexes(key, indexPrefix([vector.context], vector), [hex(vector.plaintext)], vector.bits)
  return index?.toString('hex') === vector.raw
}

type GcmVector = (typeof published.aes256gcm)[number]

/** @param msg the plaintext; without one the vector is a forgery, and must not open */
function agreesWithPublished({ open }: Engine, { key, iv, aad, ct, tag }: GcmVector, msg?: string): boolean {
  const worker = placed(open(createSecretKey(hex(key)), hex(key)))
  const header = encodeHeader({ suite: 1, flags: 0, dekId: Object.values(vectors.deks)[0]!.id })
  const stored = [Buffer.concat([rawHead(header), hex(iv + ct + tag)])]
  const [outcome] = worker.decrypt({ header, aad: hex(aad), bound: undefined, stored, padded: false, codec: undefined })
  // No value of a field is empty: it has its codec.
  if (msg === undefined || msg === '') return typeof outcome === 'number'
  return outcome instanceof Uint8Array && hex(msg).equals(outcome)
}
