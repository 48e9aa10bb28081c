import { FieldsealError, quoted } from '../../errors.js'
import { printable } from '../../printable.js'
import { acrossTenants } from '../acrossTenants.js'
import type { CommandContext } from '../loadConfig.js'
import { count, counted } from '../terminal.js'
import type { AdvisedField } from './advisedField.js'
import { type FieldCounts, type FieldRow, FieldRows, type TenantRows } from './fieldRows.js'

/** Decrypted values of a field, divided into what an attacker knows and what he attacks. */
export interface Sample {
  readonly counts: FieldCounts
  /** Values that could not be decrypted. */
  readonly unreadable: number
  /** As if from public statistics. */
  readonly known: readonly unknown[]
  /** The tenant whose rows are attacked: the one that is asked for, or that has most rows. */
  readonly tenant: TenantRows
  readonly attacked: readonly unknown[]
  /** The same of all tenants, as `scope: global` shows them; `undefined` where only one is looked at. */
  readonly everyones: readonly unknown[] | undefined
}

export interface SampleOptions {
  readonly tenant: string | undefined
  /** The most values to decrypt. */
  readonly size: number
  readonly onProgress: (done: number, total: number) => void
}

/** So many values are decrypted at once. */
const BATCH = 500
/** The same, where each value is a call of the KMS. */
const BATCH_OF_KMS = 10

/**
 * Reads values by lot and decrypts them in this process.
 *
 * @throws FieldsealError `OPTIONS_INVALID` when there are none; `KMS_*`, `DATABASE_UNAVAILABLE`
 */
export async function drawSample(
  context: CommandContext,
  field: AdvisedField,
  options: SampleOptions,
): Promise<Sample> {
  const { client, database, tenants } = context
  const { keys } = await client.$encryption.survey({ database, tenants, models: [] })
  const rows = new FieldRows(database, field, keys)
  const counts = await rows.count()
  const [largest] = counts.tenants
  if (largest === undefined) throw nothingToRead(field, counts)
  const asked = options.tenant === undefined ? undefined : tenantOf(field, counts, options.tenant)
  const only = asked ?? (counts.tenants.length === 1 ? largest : undefined)
  const drawn = await rows.draw(only?.tenant, options.size)
  const half = Math.ceil(drawn.length / 2)
  const [known, others] = [drawn.slice(0, half), drawn.slice(half)]
  const attacked = only === undefined ? await drawOthers(rows, largest, known, options.size) : others
  const reader = new Reader(
    context,
    field,
    options.onProgress,
    known.length + attacked.length + (only ? 0 : others.length),
  )
  const read = { known: await reader.read(known), attacked: await reader.read(attacked) }
  const everyones = only === undefined ? await reader.read(others) : undefined
  if (read.known.length === 0 || read.attacked.length === 0) throw unreadable(field, reader.unreadable)
  return { counts, unreadable: reader.unreadable, tenant: only ?? largest, ...read, everyones }
}

/** Whom an attacker knows already is no proof of the attack. */
async function drawOthers(
  rows: FieldRows,
  { tenant }: TenantRows,
  known: readonly FieldRow[],
  size: number,
): Promise<FieldRow[]> {
  const places = new Set(known.map(({ place }) => place))
  const drawn = await rows.draw(tenant, size)
  return drawn.filter(({ place }) => !places.has(place)).slice(0, Math.max(1, size >> 1))
}

class Reader {
  readonly #context: CommandContext
  readonly #field: AdvisedField
  readonly #onProgress: SampleOptions['onProgress']
  readonly #total: number
  #done = 0
  unreadable = 0

  constructor(context: CommandContext, field: AdvisedField, onProgress: SampleOptions['onProgress'], total: number) {
    this.#context = context
    this.#field = field
    this.#onProgress = onProgress
    this.#total = total
  }

  async read(rows: readonly FieldRow[]): Promise<unknown[]> {
    const size = this.#field.spec.mode === 'kms' ? BATCH_OF_KMS : BATCH
    const values: unknown[] = []
    for (let i = 0; i < rows.length; i += size) {
      values.push(...(await this.#readBatch(rows.slice(i, i + size))))
      this.#done += Math.min(size, rows.length - i)
      this.#onProgress(this.#done, this.#total)
    }
    return values
  }

  /** One by one, if one of them is in the way of the others. */
  async #readBatch(rows: readonly FieldRow[]): Promise<unknown[]> {
    try {
      return await this.#decrypt(rows)
    } catch (error) {
      if (!isOfTheRow(error)) throw explained(error)
      if (rows.length > 1) return (await each(rows, (row) => this.#readBatch([row]))).flat()
      this.unreadable += 1
      return []
    }
  }

  async #decrypt(rows: readonly FieldRow[]): Promise<unknown[]> {
    const { model, modelName, field } = this.#field
    const across = acrossTenants(this.#context.client)
    const stored = rows.map((row) => row.stored)
    const opened = await across.$encryption.decryptRows(modelName, stored)
    return opened.map((row) => row[model.columns[field]!])
  }
}

async function each<Item, Result>(items: readonly Item[], work: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = []
  for (const item of items) results.push(await work(item))
  return results
}

/** What is wrong with single ciphertexts is the business of verify. */
const OF_ROWS = [
  'CIPHERTEXT_INVALID',
  'DECRYPTION_FAILED',
  'KEY_NOT_FOUND',
  'KEY_DESTROYED',
  'KEY_INVALID',
  'TENANT_MISMATCH',
] as const

function isOfTheRow(error: unknown): boolean {
  return OF_ROWS.some((code) => FieldsealError.is(error, code))
}

function explained(error: unknown): unknown {
  if (!FieldsealError.is(error) || !error.code.startsWith('KMS_')) return error
  const message = `advise reads values, and the KMS opens no key for that: ${error.message} \`fieldseal doctor\` tells more. Nothing was changed.`
  return new FieldsealError(error.code, message, { cause: error })
}

function nothingToRead({ name }: AdvisedField, { rows, plaintext, lost, ...counts }: FieldCounts): FieldsealError {
  if (rows === 0) return nothing(`${name} has no rows yet: write some, or run this where the real data are`)
  if (counts.null === rows)
    return nothing(`${name} is null in ${allRows(rows)}: write some values, or run this where the real data are`)
  if (plaintext > 0)
    return nothing(
      `${name} holds nothing encrypted yet, and ${counted(plaintext, 'value')} in plaintext: run \`fieldseal encrypt --field ${name}\` first`,
    )
  return nothing(
    `${name} holds ${counted(lost, 'ciphertext')} whose keys are destroyed or unknown: \`fieldseal status\` shows them`,
  )
}

function allRows(rows: number): string {
  return rows === 1 ? 'its only row' : `all of its ${count(rows)} rows`
}

function tenantOf({ name }: AdvisedField, { tenants }: FieldCounts, tenant: string): TenantRows {
  const found = tenants.find((one) => one.tenant === tenant)
  if (found !== undefined) return found
  const most = tenants.slice(0, 5).map((one) => printable(quoted(one.tenant)))
  throw nothing(
    `${name} has no readable value of the tenant ${printable(quoted(tenant))}; most are of ${most.join(', ')}`,
  )
}

function unreadable({ name }: AdvisedField, values: number): FieldsealError {
  if (values === 0)
    return nothing(`${name} has too few values to hold some against others: run this where there are more`)
  return nothing(
    `none of ${counted(values, 'value')} of ${name} could be decrypted: \`fieldseal verify --field ${name}\` says why`,
  )
}

function nothing(message: string): FieldsealError {
  return new FieldsealError('OPTIONS_INVALID', `advise: ${message}`)
}
