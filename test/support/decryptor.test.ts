import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from '@jest/globals'
import { type CiphertextVector, hex, plainOf, storedOf, vectors } from '../crypto/vectors.js'
import { blindIndex, decrypt, openDek, openOfKms, parse, requestOf, tokens } from './decryptor.mjs'

const program = fileURLToPath(new URL('decryptor.mjs', import.meta.url))
const page = readFileSync(new URL('../../docs/format.md', import.meta.url), 'utf8')
const run = promisify(execFile)

function inputOf(vector: CiphertextVector) {
  const { tenant, dek } = vectors.deks[vector.dek]!
  return { dek: hex(dek), tenant, context: vector.context, bound: vector.bound, stored: storedOf(vector) }
}

function argumentsOf(vector: CiphertextVector, tenant = vectors.deks[vector.dek]!.tenant): string[] {
  const bound = vector.bound.map((value) => `--bound=${value}`)
  const place = [`--dek=${vectors.deks[vector.dek]!.dek}`, `--tenant=${tenant}`, `--context=${vector.context}`]
  return [program, ...place, ...bound, '--', vector.stored]
}

function printed({ kind, value }: CiphertextVector): string {
  return kind === 'Json' ? JSON.stringify(value) : (value as string)
}

function bare(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(bare)
  return value instanceof Buffer ? new Uint8Array(value) : value
}

function named(name: string): CiphertextVector {
  return vectors.ciphertexts.find((vector) => vector.name === name)!
}

describe('the decryptor written from docs/format.md', () => {
  it('imports nothing of the library', () => {
    const imports = [...readFileSync(program, 'utf8').matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)]
    expect(imports.length).toBeGreaterThan(0)
    for (const [, specifier] of imports) expect(specifier).toMatch(/^node:/)
  })

  it.each(vectors.ciphertexts)('refuses $name for another tenant', (vector) => {
    expect(() => decrypt({ ...inputOf(vector), tenant: 'other' })).toThrow(/authenticate/)
  })

  it.each(vectors.ciphertexts)('decrypts $name', (vector) => {
    const { kind, value } = decrypt(inputOf(vector))
    expect(kind).toBe(vector.list ? 'List' : vector.kind)
    expect(bare(value)).toEqual(plainOf(vector))
    expect(parse(storedOf(vector)).dekId).toBe(vectors.deks[vector.dek]!.id)
  })

  it.each(vectors.kmsValues.values)('asks the KMS for $name as the page says, and reads its answer', (vector) => {
    const place = { tenant: vector.tenant, context: vector.context, bound: vector.bound, stored: storedOf(vector) }
    expect(requestOf(place)).toEqual({ blob: vector.blob, encryptionContext: vector.encryptionContext })
    const plaintext = hex(vector.plaintext)
    expect(bare(openOfKms({ ...place, plaintext }).value)).toEqual(plainOf(vector))
    expect(() => openOfKms({ ...place, plaintext, tenant: 'other' })).toThrow(/authenticate/)
    expect(() => openOfKms({ ...place, plaintext, bound: ['other'] })).toThrow(/authenticate/)
  })

  const { keks, rows } = vectors.wrappedDeks
  const keys = (names: readonly string[]) => ({
    keks: names.map((name) => hex(keks[name]!)),
    intermediate: (id: string) => rows.find((row) => row.id === id)!,
  })

  it.each(rows)('opens the DEK $name', (row) => {
    expect(openDek(row, keys(['north', 'south'])).toString('hex')).toBe(row.dek)
    expect(() => openDek({ ...row, tenant: 'other' }, keys(['north']))).toThrow(/authenticate/)
    expect(() => openDek({ ...row, purpose: 'wrap', id: row.dek }, keys(['north']))).toThrow(/authenticate/)
    expect(() => openDek({ ...row, state: 'destroyed', wrapped: null }, keys(['north']))).toThrow('destroyed')
  })

  it('opens a DEK by any one member of redundantKms', () => {
    const row = rows.find(({ kms }) => kms === 'redundant')!
    for (const name of ['north', 'south']) expect(openDek(row, keys([name])).toString('hex')).toBe(row.dek)
    expect(() => openDek(row, keys([]))).toThrow('no KEK')
  })

  it.each(vectors.blindIndexes)('makes the blind index $name', (vector) => {
    const own = { withoutBlanks: (text: string) => text.split(' ').join('') }
    const { kind, context, bits, normalize, dek } = vector
    const values = [{ kind, context, value: plainOf(vector) }]
    expect(blindIndex({ dek: hex(vectors.deks[dek]!.dek), values, bits, normalize, own }).toString('hex')).toBe(
      vector.raw,
    )
  })

  it.each(vectors.combinedIndexes)('makes the blind index $name', ({ dek, sources, bits, normalize, raw }) => {
    const values = sources.map((source) => ({ ...source, value: plainOf(source) }))
    expect(blindIndex({ dek: hex(vectors.deks[dek]!.dek), values, bits, normalize }).toString('hex')).toBe(raw)
  })

  it.each(vectors.tokenIndexes)('makes the tokens of $name', ({ dek, context, parameters, value, tokens: frozen }) => {
    const own = { withoutBlanks: (text: string) => text.split(' ').join('') }
    const given = parameters.unit === undefined ? value : BigInt(value)
    expect(tokens({ dek: hex(vectors.deks[dek]!.dek), context, parameters, value: given, own })).toEqual(frozen)
  })

  it('exits with an error, and prints no part of a value that is not authentic', async () => {
    const failing = run(process.execPath, argumentsOf(named('a string'), 'other'))
    await expect(failing).rejects.toMatchObject({ code: 1, stdout: '' })
  })

  it.each(['a string', 'padded and bound bytes', 'a JSON object'])('prints %s on the command line', async (name) => {
    const { stdout } = await run(process.execPath, argumentsOf(named(name)))
    expect(stdout).toBe(`${printed(named(name))}\n`)
  })

  it('answers a line for a line, errors among them', async () => {
    const lines = vectors.ciphertexts.map((vector) => {
      return { ...inputOf(vector), dek: vectors.deks[vector.dek]!.dek, stored: vector.stored }
    })
    const running = run(process.execPath, [program, '--lines'])
    running.child.stdin!.end([...lines, { ...lines[0], context: 'x' }].map((line) => JSON.stringify(line)).join('\n'))
    const answers = (await running).stdout.trimEnd().split('\n')
    const expected = vectors.ciphertexts.map(({ kind, value, list }) => ({ kind: list ? 'List' : kind, value }))
    expect(answers.slice(0, -1).map((line) => JSON.parse(line))).toEqual(expected)
    expect(JSON.parse(answers.at(-1)!)).toEqual({ error: expect.any(String) })
  })
})

const withoutHyphens = (uuid: string) => uuid.replaceAll('-', '')

describe('docs/format.md', () => {
  const unspaced = page.replace(/LP\([^)]*\)|\bheader\b/g, '').replace(/\s/g, '')

  it('shows the frozen vectors in its worked examples', () => {
    const { stored, aad, nonce } = named('a string')
    const index = vectors.blindIndexes.find(({ name }) => name === 'trimmed and in lower case')!
    const [combined] = vectors.combinedIndexes
    const both = [combined!.message, combined!.raw, combined!.text]
    const [direct] = vectors.kmsValues.values
    const [local, global, redundant] = vectors.wrappedDeks.rows
    const wrapped = [local!.wrapped, local!.kekId, redundant!.wrapped, redundant!.kekId.replaceAll(' ', '')]
    const globalContext = vectors.encryptionContexts.find(({ tenant }) => tenant === global!.tenant)!.text
    const [text] = vectors.tokenIndexes
    const range = vectors.tokenIndexes.find(({ name }) => name === 'a number in a range')!
    const tokenIndexes = [text!, range].flatMap(({ tokens: made }) => [made.join(','), ...made.map(withoutHyphens)])
    const ofKms = [direct!.aad, direct!.plaintext, direct!.encryptionContext, direct!.blob, direct!.stored]
    for (const shown of [
      stored,
      aad,
      nonce,
      index.raw,
      index.text,
      ...both,
      ...ofKms,
      ...tokenIndexes,
      ...wrapped,
      globalContext,
      vectors.encryptionContexts[0]!.text,
    ]) {
      expect(unspaced).toContain(shown)
    }
  })
})
