import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { hierarchicalKms } from 'fieldseal/hierarchical-kms'
import { localKms } from 'fieldseal/local-kms'
import type { FieldEncryptionOptions } from 'fieldseal/prisma'
import { redundantKms } from 'fieldseal/redundant-kms'
import { type Fixture, openFixture, type Row } from '../prisma/fixtureClient.js'
import { blindIndex, decrypt, parse } from '../support/decryptor.mjs'
import { type OpenedKeys, readKeysTable } from '../support/keysTableReader.js'

const [north, south] = [randomBytes(32), randomBytes(32)]
const local = (kek: Buffer) => localKms({ key: kek.toString('hex') })
const redundant = redundantKms({ members: { north: local(north), south: local(south) } })

const KMS: { readonly [name: string]: FieldEncryptionOptions['kms'] } = {
  local: local(north),
  redundant,
  hierarchical: hierarchicalKms({ kms: redundant }),
}

const EMAIL = ' Ädä@Example.com'

describe.each(Object.keys(KMS))('who has a database, a KEK and docs/format.md, by the %s KMS', (name) => {
  let fixture: Fixture
  let keys: OpenedKeys
  const sql = (text: string): Promise<Row[]> => fixture.plain.$queryRawUnsafe(text)

  beforeAll(async () => {
    fixture = await openFixture('migration.prisma', { kms: KMS[name]! })
    for (const tenantId of ['acme', 'globex']) {
      const client = fixture.prisma.$forTenant(tenantId)
      const data = {
        tenantId,
        number: 1,
        name: `of ${tenantId}`,
        email: EMAIL,
        phone: '+86 1',
        notes: { b: 1, 2: [null] },
      }
      const { id } = await client.customer!.create({ data })
      await client.invoice!.create({ data: { customerId: id, text: `owed by ${tenantId}` } })
    }
    await fixture.another().word!.create({ data: { text: 'sun', note: 'of the default tenant' } })
    keys = await readKeysTable(sql, [south, north])
  })
  afterAll(() => fixture?.close())

  /** A stored value, by the tenant that its own DEK names. */
  function read(stored: unknown, context: string, bound: readonly string[] = []): unknown {
    const { dek, tenant } = keys.of(parse(stored as string).dekId)
    return [tenant, decrypt({ dek, tenant, context, bound, stored: stored as string }).value]
  }

  it('reads all values, also of models without a tenant column', async () => {
    for (const row of await sql('SELECT id::text, tenant_id, name, email, phone, notes FROM customers')) {
      const tenant = row.tenant_id as string
      expect(read(row.name, 'Customer.name')).toEqual([tenant, `of ${tenant}`])
      expect(read(row.email, 'Customer.email')).toEqual([tenant, EMAIL])
      expect(read(row.phone, 'Customer.phone', [row.id as string])).toEqual([tenant, '+86 1'])
      expect(read(row.notes, 'Customer.notes')).toEqual([tenant, { 2: [null], b: 1 }])
    }
    const invoices = (await sql('SELECT "the text" FROM invoices')).map((row) => read(row['the text'], 'Invoice.text'))
    expect(new Set(invoices)).toEqual(new Set(['acme', 'globex'].map((tenant) => [tenant, `owed by ${tenant}`])))
    const [word] = await sql('SELECT note FROM "Word"')
    expect(read(word!.note, 'Word.note')).toEqual(['acme', 'of the default tenant'])
  })

  it('makes every blind index again, by the key of the tenant whose ciphertext is beside it', async () => {
    const rows = await sql('SELECT email, email_index, name, name_index FROM customers')
    expect(rows).toHaveLength(2)
    for (const row of rows) {
      const index = (stored: unknown, context: string, normalize: readonly string[]) => {
        const [tenant, value] = read(stored, context) as [string, string]
        return blindIndex({ dek: keys.ofIndexes(tenant), values: [{ kind: 'String', context, value }], normalize })
      }
      expect(index(row.email, 'Customer.email', ['trim', 'lowercase']).toString('base64url')).toBe(row.email_index)
      expect(index(row.name, 'Customer.name', []).equals(row.name_index as Buffer)).toBe(true)
    }
  })
})
