import { jest } from '@jest/globals'
import { FieldsealError } from 'fieldseal'
import { ambientBinding, type BindingSource } from '../../src/client/clientBinding.js'
import type { EncryptedStatement, Statement } from '../../src/sql/statementEncryption.js'
import { ambientTenant } from '../../src/tenancy/tenant.js'
import { isSealed, openSeal } from '../../src/typeorm/seal/seal.js'

/*
 * What stands behind the waist, in small: a value in a seal becomes `enc:tenant:value`, which the same tenant reads
 * again. What is tested with it is how statements, results and bindings come and go.
 */

/** Of every statement that was prepared: for whom, and inside of what. */
export const prepared: { readonly tenant: unknown; readonly text: string; readonly inTransaction: boolean }[] = []
/** Tenants whose keys were fetched. */
export const fetched: string[] = []
export const events: unknown[] = []
export const ended = { count: 0 }
/** What a statement is refused for, and what is wrong with the next start. */
export const trouble: { refuse?: RegExp | undefined; because?: string | undefined; start?: Error | undefined } = {}

function ownerOf(binding: BindingSource): string {
  const tenant = binding.current()?.tenant ?? ambientTenant()
  if (tenant === undefined) throw new FieldsealError('TENANT_MISSING', 'nothing says for which tenant')
  return typeof tenant === 'string' ? tenant : 'all'
}

/** Only JSON columns get others than texts in these tests. */
function encryptValue(owner: string, value: unknown): string {
  const encrypted = `enc:${owner}:${JSON.stringify(value)}`
  return typeof value === 'string' ? encrypted : JSON.stringify(encrypted)
}

function readValue(owner: string, value: unknown): unknown {
  const [, tenant, text] = typeof value === 'string' ? (/^enc:(\w+):(.*)$/s.exec(value) ?? []) : []
  if (tenant === undefined) return value
  if (owner !== 'all' && owner !== tenant) throw new FieldsealError('TENANT_MISMATCH', `a row of ${tenant}`)
  return JSON.parse(text!)
}

const statements = {
  async prepare(binding: BindingSource, { text, values, inTransaction }: Statement): Promise<EncryptedStatement> {
    await Promise.resolve()
    const current = binding.current()?.tenant ?? ambientTenant()
    prepared.push({ tenant: current, text, inTransaction })
    if (trouble.refuse?.test(text))
      throw new FieldsealError('QUERY_UNSUPPORTED', trouble.because ?? 'it has no right answer')
    const encrypted = values?.map((value) =>
      isSealed(value) ? encryptValue(ownerOf(binding), openSeal(value)) : value,
    )
    const read = async (rows: readonly object[]) =>
      rows.map((row) => {
        const entries = Object.entries(row)
        const isPlain = !entries.some(([, value]) => typeof value === 'string' && value.startsWith('enc:'))
        const owner = isPlain ? '' : ownerOf(binding)
        return Object.fromEntries(entries.map(([name, value]) => [name, readValue(owner, value)]))
      })
    return { text, values: encrypted, isSensitive: this.isSensitive(text), read }
  },
  isSensitive: (text: string) => /"(text|name)"/.test(text),
}

/** Given each time that somebody is to watch. */
export const figures = { cachedDeks: 1, cacheHits: 2, cacheMisses: 3 }

export async function runEncryption(): Promise<object> {
  await Promise.resolve()
  if (trouble.start) throw trouble.start
  const ring = { active: { prepare: async (tenant: string) => void fetched.push(tenant) } }
  const limited = {
    of: (allow: ReadonlySet<string> | undefined) => {
      if (allow?.has('No.field')) throw new FieldsealError('OPTIONS_INVALID', 'there is no No.field')
    },
  }
  const auditTrail = { emit: (event: unknown) => void events.push(event), audit: undefined }
  return {
    schema: { models: { Author: {} } },
    statements,
    scopes: new Set(),
    figures: () => figures,
    relatives: { before: async () => undefined, after: async () => undefined },
    keys: {
      close: async () => {
        ended.count += 1
      },
    },
    context: {
      plans: new Map(),
      ...{ limited, ring, auditTrail },
      clientBinding: ambientBinding,
      tenancy: {},
      transactionWait: 1_000,
    },
  }
}

/** Before anything is imported that leads to it. */
export function fakeEncryption(): void {
  jest.unstable_mockModule('../../src/typeorm/runningEncryption.js', () => ({ runEncryption }))
}
