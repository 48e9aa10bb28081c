import { describe, expect, it } from '@jest/globals'
import { withTenant } from 'fieldseal'
import type { AuditEntry, EncryptionEvent, FieldEncryptionOptions, Operation } from 'fieldseal/prisma'
import type { FixtureClient } from '../prisma/fixtureClient.js'
import { ejecting } from '../support/ejecting.js'
import { dump, TENANTS } from './migration.js'
import { migration, plaintextFirst } from './plaintextFirst.js'

plaintextFirst()

function audited(options: Partial<FieldEncryptionOptions> = {}) {
  const entries: AuditEntry[] = []
  const events: EncryptionEvent[] = []
  const audit = { actor: () => 'the night job', record: (entry: AuditEntry) => entries.push(entry) }
  const client = migration.another({ audit, onEvent: (event) => events.push(event), ...options })
  return { client, entries, events }
}

const maintain = (client: FixtureClient, operation: Operation, options: object = {}) =>
  client.$encryption.maintain({ operation, database: migration.pool, tenants: TENANTS, ...options })

/** Rows by tenant, field and mode. */
function totals(entries: readonly AuditEntry[]): Record<string, number> {
  const sums: Record<string, number> = {}
  for (const { tenant, field, mode, rows } of entries) {
    const name = `${tenant} ${field} ${mode}`
    sums[name] = (sums[name] ?? 0) + rows
  }
  return sums
}

const count = async (sql: string) => Number((await migration.sql(sql))[0]!.count)

describe('maintenance with an audit hook', () => {
  it('records what it encrypts and indexes: tenant, actor, purpose, field and rows', async () => {
    const { client, entries, events } = audited()
    await maintain(client.$acrossTenants({ purpose: 'migration' }), 'encrypt', { models: ['Customer', 'Invoice'] })
    for (const entry of entries) {
      expect(entry).toMatchObject({
        actor: 'the night job',
        purpose: 'migration',
        operation: '$encryption.maintain encrypt',
        at: expect.any(Date),
      })
    }
    expect(totals(entries)).toMatchObject({
      'acme Customer.name encrypt': 40,
      'globex Customer.name encrypt': 20,
      'acme Customer.email encrypt': await count("SELECT count(email) FROM customers WHERE tenant_id = 'acme'"),
      'globex Customer.email index': await count("SELECT count(email) FROM customers WHERE tenant_id = 'globex'"),
      'acme Invoice.text encrypt': 40,
    })
    expect(entries.some(({ mode }) => mode === 'decrypt')).toBe(false)
    const values = events.filter((event) => event.type === 'values')
    expect(values).toContainEqual(
      expect.objectContaining({ field: 'Invoice.text', mode: 'encrypt', purpose: 'migration' }),
    )
    const text = JSON.stringify([entries, events])
    for (const value of ['Example.com', 'invoice of', 'name 1']) expect(text).not.toContain(value)
  })

  it('records what it reads again: to verify, to re-encrypt, to decrypt', async () => {
    await migration.run('encrypt')
    const { client, entries } = audited()
    await maintain(client, 'verify', { models: ['Invoice'] })
    expect(totals(entries.splice(0))).toEqual({ 'acme Invoice.text decrypt': 40, 'globex Invoice.text decrypt': 20 })
    await client.$encryption.rotate({ tenants: 'acme' })
    expect(entries.splice(0)).toEqual([])
    await withTenant('acme', { purpose: 'rotation' }, () => maintain(client, 're-encrypt', { models: ['Invoice'] }))
    expect(new Set(entries.map(({ purpose }) => purpose))).toEqual(new Set(['rotation']))
    expect(totals(entries.splice(0))).toEqual({ 'acme Invoice.text decrypt': 40, 'acme Invoice.text encrypt': 40 })
    const leaving = audited({ schema: ejecting(migration.schema) })
    await maintain(leaving.client, 'decrypt', { models: ['Word'], tenant: undefined })
    expect(totals(leaving.entries)).toMatchObject({ 'acme Word.note decrypt': 12 })
  })

  it('records nothing of a dry run', async () => {
    const { client, entries } = audited()
    await maintain(client, 'encrypt', { dryRun: true })
    expect(entries).toEqual([])
  })

  it.each<Operation>(['encrypt', 'decrypt'])(
    'ends with the error of a hook that throws, before anything is written: %s',
    async (operation) => {
      if (operation === 'decrypt') await migration.run('encrypt')
      const before = await dump(migration)
      const full = new Error('the audit log is full')
      const record = () => {
        throw full
      }
      const deployed = operation === 'decrypt' ? { schema: ejecting(migration.schema) } : {}
      const client = migration.another({ audit: { record }, ...deployed })
      await expect(maintain(client, operation)).rejects.toBe(full)
      expect(await dump(migration)).toEqual(before)
      const [report] = await migration.run(operation, { models: ['Customer'] })
      expect(report).toMatchObject({ outcome: 'done', changed: 60, skipped: 0 })
    },
  )
})
