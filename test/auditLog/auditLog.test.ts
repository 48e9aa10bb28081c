import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { type AuditLog, auditLog } from 'fieldseal/audit-log'
import type { AuditEntry } from 'fieldseal/prisma'
import type pg from 'pg'
import { createDatabase, type TestDatabase } from '../support/database.js'
import { openPool } from '../support/pool.js'

const KEY = randomBytes(32).toString('base64')

let database: TestDatabase
let pool: pg.Pool
beforeAll(async () => {
  database = await createDatabase()
  pool = openPool(database.url, { max: 4 })
})
afterAll(async () => {
  await pool?.end()
  await database?.drop()
})

let log: AuditLog
beforeEach(async () => {
  await pool.query('DROP SCHEMA IF EXISTS fieldseal CASCADE')
  log = auditLog({ database: pool, key: KEY })
  await log.init()
})

function entry(rest: Partial<AuditEntry> = {}): AuditEntry {
  return {
    at: new Date('2026-05-01T10:00:00.123Z'),
    ...{ tenant: 'acme', actor: 'dr. house', purpose: 'support', operation: 'findMany' },
    ...{ field: 'Patient.name', mode: 'decrypt', rows: 3 },
    ...rest,
  }
}

/** Entries 1 to `count`, of which each tells its number. */
async function write(count: number, by: AuditLog = log): Promise<void> {
  for (let rows = 1; rows <= count; rows += 1) await by.record(entry({ rows }))
}

const stored = async () => (await pool.query('SELECT * FROM fieldseal.audit_log ORDER BY sequence')).rows
const findings = async (...given: Parameters<AuditLog['verify']>) => (await log.verify(...given)).findings

describe('an audit log', () => {
  it('keeps each entry in a row that anybody can read, in order', async () => {
    await log.record(entry())
    await log.record(entry({ tenant: null, actor: undefined, purpose: undefined, mode: 'encrypt' }))
    expect(await stored()).toMatchObject([
      {
        ...{ sequence: '1', at: new Date('2026-05-01T10:00:00.123Z'), tenant: 'acme', actor: 'dr. house' },
        ...{ purpose: 'support', operation: 'findMany', field: 'Patient.name', mode: 'decrypt', rows: 3 },
      },
      { sequence: '2', tenant: null, actor: null, purpose: null, mode: 'encrypt' },
    ])
    expect(await log.verify()).toMatchObject({ entries: 2, findings: [] })
  })

  it('has whatever texts there are', async () => {
    const texts = [
      '',
      ' ',
      'NULL',
      'a"b\\c{},',
      'ünïcödé 🦭',
      'nul \0 inside',
      'half \ud83e',
      "'; DROP TABLE x; --",
      '\n',
    ]
    await Promise.all(texts.map((text) => log.record(entry({ actor: text, purpose: text, tenant: text || 'x' }))))
    expect(await log.verify()).toMatchObject({ entries: texts.length, findings: [] })
    expect((await stored()).map(({ actor }) => actor)).toEqual(
      texts.map((text) => text.replace('\0', '\uFFFD').toWellFormed()),
    )
  })

  it('has MACs as docs/format.md describes them', async () => {
    const fixed = auditLog({ database: pool, key: Buffer.from(Array.from({ length: 32 }, (_, i) => i)) })
    await fixed.record(entry())
    await fixed.record(entry({ tenant: null, actor: undefined, purpose: undefined, mode: 'encrypt' }))
    expect((await stored()).map(({ key_id, mac }) => [key_id, mac])).toEqual([
      ['5575cfea6ab6e836', '1fca44403cd9e18e148acfe3add3297b795c68974a212a568448215903fd2332'],
      ['5575cfea6ab6e836', 'a4d4a65afc22e0d1445bca047a2bfa1c7de0c32765722ef82fa74e315f16cd02'],
    ])
  })

  it('is one chain, however many write to it at once', async () => {
    const writers = Array.from({ length: 4 }, () => auditLog({ database: pool, key: KEY }))
    await Promise.all(
      writers.flatMap((writer, i) =>
        Array.from({ length: 50 }, (_, rows) => writer.record(entry({ actor: `${i}`, rows }))),
      ),
    )
    expect(await log.verify()).toMatchObject({ entries: 200, findings: [] })
    const rows = (await stored()).filter(({ actor }) => actor === '2').map(({ rows }) => rows)
    expect(rows).toEqual(Array.from({ length: 50 }, (_, i) => i))
  })

  it('goes on under a new key, the old one beside it', async () => {
    await write(2)
    const key = randomBytes(32)
    const renewed = auditLog({ database: pool, key, formerKeys: [KEY] })
    await renewed.record(entry())
    expect(await renewed.verify()).toMatchObject({ entries: 3, findings: [] })
    expect(await findings()).toEqual([{ kind: 'unknown-key', from: '3', to: '3' }])
  })

  it('takes its key as bytes, as base64 or as hexadecimal digits, and leaves the bytes as they are', async () => {
    const key = randomBytes(32)
    const copy = Buffer.from(key)
    for (const form of [key, ` ${key.toString('base64')}\n`, key.toString('hex')])
      await auditLog({ database: pool, key: form }).record(entry())
    expect(new Set((await stored()).map(({ key_id }) => key_id)).size).toBe(1)
    expect(key).toEqual(copy)
  })

  it('is made once, also by several at once', async () => {
    await pool.query('DROP SCHEMA fieldseal CASCADE')
    await Promise.all([log.init(), log.init(), auditLog({ database: pool, key: KEY }).init()])
    await write(1)
    await log.init()
    expect(await log.verify()).toMatchObject({ entries: 1 })
  })

  it.each([
    [{ key: 'short' }, '"key" must be 32 bytes'],
    [{ key: undefined }, '"key" must be 32 bytes'],
    [{ formerKeys: ['short'] }, '"formerKeys" must be 32 bytes'],
    [{ formerKeys: KEY }, '"formerKeys" must be a list'],
    [{ database: 'postgres://x' }, '"database" must be a Pool of the package pg'],
    [{ keys: [] }, 'does not know the option "keys"'],
  ])('cannot be made with %j', (wrong, message) => {
    expect(() => auditLog({ database: pool, key: KEY, ...wrong } as never)).toThrow(
      expect.objectContaining({ code: 'OPTIONS_INVALID', message: expect.stringContaining(message) }),
    )
  })
})

describe('an entry that cannot be stored', () => {
  it('is an error that says what to do, and the next one is stored', async () => {
    await pool.query('DROP TABLE fieldseal.audit_log')
    const missing = { code: 'DATABASE_UNAVAILABLE', message: expect.stringContaining('npx fieldseal audit init') }
    await expect(log.record(entry())).rejects.toMatchObject(missing)
    await log.init()
    await write(2)
    expect(await log.verify()).toMatchObject({ entries: 2, findings: [] })
  })

  it('is refused where the database has a rule of its own, without an end of trying', async () => {
    await pool.query(`ALTER TABLE fieldseal.audit_log ADD CHECK (actor <> 'nobody')`)
    const refused = { code: 'DATABASE_UNAVAILABLE', message: expect.stringContaining('refuses the entry') }
    await expect(log.record(entry({ actor: 'nobody' }))).rejects.toMatchObject(refused)
    await write(1)
    expect(await log.verify()).toMatchObject({ entries: 1, findings: [] })
  })
})

describe('whoever can write to the database', () => {
  let end: string
  beforeEach(async () => {
    await write(10)
    end = (await log.verify()).end!
  })

  it.each([
    `actor = 'somebody else'`,
    'actor = NULL',
    `at = at + interval '1 millisecond'`,
    `at = 'infinity'`,
    `at = '294000-01-01'`,
    `tenant = 'globex'`,
    `purpose = ''`,
    `operation = 'count'`,
    `field = 'Patient.email'`,
    `mode = 'mask'`,
    'rows = rows + 1',
    `mac = repeat('0', 64)`,
    `mac = 'no MAC'`,
    `previous = repeat('0', 64)`,
  ])('cannot change an entry: %s', async (change) => {
    await pool.query(`UPDATE fieldseal.audit_log SET ${change} WHERE sequence = 5`)
    expect(await findings()).toContainEqual({ kind: 'changed', from: '5', to: '5' })
  })

  it('cannot take any out of the middle', async () => {
    await pool.query('DELETE FROM fieldseal.audit_log WHERE sequence IN (4, 5)')
    expect(await findings()).toEqual([{ kind: 'missing', from: '4', to: '5' }])
  })

  it('cannot close the gap with the entries after it', async () => {
    await pool.query('DELETE FROM fieldseal.audit_log WHERE sequence = 4')
    await pool.query('UPDATE fieldseal.audit_log SET sequence = sequence - 1 WHERE sequence > 4')
    expect(await findings()).toEqual([{ kind: 'changed', from: '4', to: '9' }])
  })

  it('cannot put two in the place of each other', async () => {
    await pool.query('UPDATE fieldseal.audit_log SET sequence = 100 WHERE sequence = 4')
    await pool.query('UPDATE fieldseal.audit_log SET sequence = 4 WHERE sequence = 5')
    await pool.query('UPDATE fieldseal.audit_log SET sequence = 5 WHERE sequence = 100')
    expect(await findings()).toContainEqual({ kind: 'changed', from: '4', to: '5' })
  })

  it('cannot write one', async () => {
    await pool.query(`INSERT INTO fieldseal.audit_log
      SELECT 11, at, tenant, actor, purpose, operation, field, mode, rows, key_id, mac, previous FROM fieldseal.audit_log WHERE sequence = 10`)
    expect(await findings()).toEqual([{ kind: 'changed', from: '11', to: '11' }])
  })

  it('cannot put one before the first', async () => {
    await pool.query('ALTER TABLE fieldseal.audit_log DROP CONSTRAINT audit_log_sequence_check')
    await pool.query('UPDATE fieldseal.audit_log SET sequence = -1 WHERE sequence = 1')
    expect(await findings()).toEqual([
      { kind: 'changed', from: '-1', to: '-1' },
      { kind: 'missing', from: '1', to: '1' },
    ])
  })

  it('cannot cut the beginning off', async () => {
    await pool.query('DELETE FROM fieldseal.audit_log WHERE sequence < 4')
    expect(await findings()).toEqual([{ kind: 'missing', from: '1', to: '3' }])
  })

  it('cannot cut the end off, for whoever has kept it', async () => {
    await pool.query('DELETE FROM fieldseal.audit_log WHERE sequence > 8')
    expect(await findings()).toEqual([])
    expect(await findings({ end })).toEqual([{ kind: 'missing', from: '9', to: '10' }])
  })

  it('cannot cut the end off a process that goes on', async () => {
    await pool.query('DELETE FROM fieldseal.audit_log WHERE sequence > 8')
    await log.record(entry())
    expect(await findings()).toEqual([{ kind: 'missing', from: '9', to: '10' }])
  })

  it('cannot cut the end off a process that goes on, nor while it loses its connection', async () => {
    await pool.query('DELETE FROM fieldseal.audit_log WHERE sequence > 8')
    await pool.query('ALTER TABLE fieldseal.audit_log RENAME TO away')
    await expect(log.record(entry())).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
    await pool.query('ALTER TABLE fieldseal.away RENAME TO audit_log')
    await log.record(entry())
    expect(await findings()).toEqual([{ kind: 'missing', from: '9', to: '10' }])
  })

  it('cannot have another process write genuine entries in the place of those', async () => {
    await pool.query('DELETE FROM fieldseal.audit_log WHERE sequence > 8')
    await write(2, auditLog({ database: pool, key: KEY }))
    await log.record(entry())
    expect(await findings()).toEqual([{ kind: 'replaced', from: '11', to: '11' }])
    expect(await findings({ end })).toEqual([{ kind: 'replaced', from: '10', to: '11' }])
  })

  it('cannot empty it, for whoever has kept its end', async () => {
    await pool.query('TRUNCATE fieldseal.audit_log')
    expect(await log.verify({ end })).toEqual({
      ...{ entries: 0, end: undefined, findings: [{ kind: 'missing', from: '1', to: '10' }] },
    })
  })
})

describe('the end that was kept', () => {
  it('lets older entries be deleted, if that is said', async () => {
    await write(4)
    const { end } = await log.verify()
    await write(3)
    await pool.query('DELETE FROM fieldseal.audit_log WHERE sequence <= 4')
    expect(await findings({ end: end! })).toEqual([{ kind: 'missing', from: '1', to: '4' }])
    expect(await findings({ end: end!, pruned: true })).toEqual([])
    await pool.query('DELETE FROM fieldseal.audit_log WHERE sequence = 5')
    expect(await findings({ end: end!, pruned: true })).toEqual([{ kind: 'missing', from: '1', to: '5' }])
    await expect(log.verify({ pruned: true })).rejects.toMatchObject({ code: 'OPTIONS_INVALID' })
  })

  it('is still there after more entries than are read at once', async () => {
    await Promise.all(Array.from({ length: 10_001 }, (_, rows) => log.record(entry({ rows }))))
    const check = await log.verify()
    expect(check).toMatchObject({ entries: 10_001, findings: [] })
    expect(await findings({ end: check.end! })).toEqual([])
  })

  it.each(['7', '7:abc', 'x:y', 7])('cannot be %j', async (wrong) => {
    await expect(log.verify({ end: wrong as string })).rejects.toMatchObject({ code: 'OPTIONS_INVALID' })
  })
})
