import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { runSql } from '../support/sql.js'
import { type Fixture, openFixture } from './fixtureClient.js'

let fixture: Fixture
let guards: string
beforeAll(async () => {
  fixture = await openFixture('typed.prisma', { normalizers: { noVowels: (text) => text } })
  guards = readFileSync(join(fixture.folder, 'generated/guards.sql'), 'utf8')
  await runSql(fixture.url, guards)
})
afterAll(() => fixture?.close())

const PLAIN = [
  ['"the text, in a column with quite a long näme fit"', "'Ada'"],
  ['"the text, in a column with quite a long näme fit"', "''"],
  ['json', `'{"a":1}'`],
  ['json', `'"Ada"'`],
  ['json', `'null'`],
  ['old', `'["fs1."]'`],
  ['bytes', `'\\x00'`],
  ['bytes', `''`],
  ['names', `'{Ada}'`],
  ['names', `'{fs1.a,fs1.b}'`],
  ['names', `'{NULL}'`],
  ['names', `'[0:0]={Ada}'`],
  ['scans', `ARRAY['\\x00']::bytea[]`],
]

describe('the guards that the generator writes', () => {
  it.each(PLAIN)('let no tool put plaintext into %s: %s', async (column, value) => {
    const insert = runSql(fixture.url, `INSERT INTO "guarded rows" (${column}) VALUES (${value})`)
    await expect(insert).rejects.toMatchObject({ code: '23514' })
  })

  it('let the encrypting client work, and NULL and empty lists be', async () => {
    const { prisma, Prisma } = fixture
    const full = {
      text: 'Ada',
      json: { a: 1 },
      old: 'text',
      bytes: new Uint8Array([1]),
      names: ['x'],
      scans: [new Uint8Array([2])],
      plain: 'fs1.',
    }
    const { id } = await prisma.guarded!.create({ data: full })
    expect(await prisma.guarded!.findUniqueOrThrow({ where: { id } })).toEqual({ id, ...full })
    await prisma.guarded!.update({ where: { id }, data: { json: Prisma.JsonNull, text: null, names: [] } })
    await runSql(fixture.url, `INSERT INTO "guarded rows" (names) VALUES ('{}'), (NULL)`)
  })

  it('can be applied again', async () => {
    await runSql(fixture.url, guards)
    const names = await runSql(
      fixture.url,
      `SELECT conname FROM pg_constraint WHERE conname LIKE 'fieldseal\\_guarded%'`,
    )
    expect(names).toHaveLength(6)
  })

  it('are taken from fields that are migrating or ejecting', async () => {
    expect(guards).toMatch(/^ALTER TABLE "old rows" DROP CONSTRAINT IF EXISTS "fieldseal_old rows_when it was";$/m)
    expect(guards).not.toMatch(/(old rows|Ejecting)" ADD/)
    await runSql(fixture.url, `INSERT INTO "old rows" (name) VALUES ('Ada')`)
  })

  it('have names that PostgreSQL cuts nothing off', () => {
    const names = [...guards.matchAll(/ADD CONSTRAINT "([^"]+)"/g)].map(([, name]) => name!)
    expect(new Set(names).size).toBe(names.length)
    for (const name of names) expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63)
  })
})
