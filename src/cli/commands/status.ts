import { writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { type PgConnection, runSql } from '../../maintenance/postgres/sql.js'
import type { FieldSurvey } from '../../maintenance/postgres/survey.js'
import type { Survey } from '../../maintenance/survey.js'
import { printable } from '../../printable.js'
import type { EncryptionSchema } from '../../schema/encryptionSchema.js'
import { ageInDays, kekName, oldestFirst } from '../activeKeys.js'
import { EXIT, type ExitCode } from '../exitCode.js'
import { readPackage } from '../init/readPackage.js'
import type { CommandContext } from '../loadConfig.js'
import { reportPage } from '../report/page.js'
import { count, counted, type Terminal } from '../terminal.js'

export interface StatusArguments {
  readonly model?: readonly string[]
  readonly field?: readonly string[]
  readonly tenant?: string
  readonly html?: string
}

/** Keys, and KEKs, shown one by one. */
const SHOWN = 20

/** Shows what is encrypted and under which keys. Plaintext that is left is a problem. */
export async function runStatus(context: CommandContext, terminal: Terminal, args: StatusArguments): Promise<ExitCode> {
  const { model, field, tenant, html } = args
  const survey = await context.client.$encryption.survey({
    ...{ database: context.database, tenants: context.tenants, models: model, fields: field, tenant },
  })
  terminal.event({ event: 'status', ...survey })
  showFields(terminal, survey)
  showKeys(terminal, survey)
  showKeks(terminal, survey)
  if (html !== undefined) {
    const scope = [projectName(process.cwd()), await databaseName(context.database), scopeOf(args)]
    await writeFile(html, reportPage(survey, scope.filter(Boolean).join(' · ')))
    terminal.say(`Wrote ${html}`)
  }
  return isOpen(survey, context.client.$encryption.schema) ? EXIT.problems : EXIT.done
}

/** Whether something is left to do: plaintext is what decrypting leaves, and gets its indexes with its encryption. */
function isOpen({ fields, indexes }: Survey, { models }: EncryptionSchema): boolean {
  const leaving = ({ model, field }: FieldSurvey) => models[model]!.encrypted[field]!.state === 'ejecting'
  return (
    fields.some((field) => field.unknownKey + field.former.rows + (leaving(field) ? 0 : field.plaintext) > 0) ||
    indexes.some(({ missing, unencrypted, stray }) => missing - unencrypted + stray > 0)
  )
}

function showFields(terminal: Terminal, { fields, indexes }: Survey): void {
  terminal.table(
    ['field', 'rows', 'null', 'plaintext', 'encrypted', 'by key version'],
    fields.map((field) => [
      `${field.model}.${field.field}`,
      ...[field.rows, field.null, field.plaintext, field.ciphertext].map(count),
      [
        ...(field.former.rows > 0 ? [`${field.former.library}: ${count(field.former.rows)}`] : []),
        ...(field.direct > 0 ? [`the KMS itself: ${count(field.direct)}`] : []),
        ...field.versions.map(({ version, state, rows }) => printable(`v${version} ${state}: ${count(rows)}`)),
        ...(field.unknownKey > 0 ? [`unknown key: ${count(field.unknownKey)}`] : []),
      ].join('\n'),
    ]),
  )
  if (indexes.length === 0) return
  terminal.table(
    ['index', 'missing', 'beside no value'],
    indexes.map(({ model, field, missing, stray }) => [`${model}.${field}`, count(missing), count(stray)]),
  )
}

function showKeys(terminal: Terminal, { keys, at }: Survey): void {
  const active = oldestFirst(keys, at)
  const tenants = new Set(keys.filter(({ purpose }) => purpose !== 'wrap').map(({ tenant }) => tenant))
  terminal.say(
    `${counted(tenants.size, 'tenant')}, ${counted(active.length, 'active key')}, ${count(keys.length)} in all`,
  )
  if (active.length === 0) return
  terminal.table(
    ['tenant', 'purpose', 'version', 'age in days', 'reserved', 'KEK'],
    active
      .slice(0, SHOWN)
      .map((key) => [
        printable(key.tenant),
        printable(key.purpose),
        key.version,
        Math.floor(ageInDays(key, at)),
        count(key.messages),
        printable(kekName(key)),
      ]),
  )
  if (active.length > SHOWN)
    terminal.say(`… and ${count(active.length - SHOWN)} more, none of them older; --json lists all.`)
}

/** Where the keys are; while tenants move from one KMS to another, how many still have to. */
function showKeks(terminal: Terminal, { keks }: Survey): void {
  if (keks.length === 0) return
  terminal.table(
    ['KMS', 'tenants', 'active keys', 'older keys', 'KEK'],
    keks.slice(0, SHOWN).map(({ kms, kekId, tenants, active, older }) => {
      return [printable(kms), ...[tenants, active, older].map(count), printable(kekId)]
    }),
  )
  if (keks.length > SHOWN) terminal.say(`… and ${count(keks.length - SHOWN)} KEKs more; --json lists all.`)
}

/** By its package.json, or its folder. */
function projectName(folder: string): string {
  return readPackage(folder).name ?? basename(folder)
}

async function databaseName(database: PgConnection): Promise<string> {
  const [row] = await runSql<'name'>(database, 'SELECT current_database() AS name')
  return `database ${row!.name}`
}

function scopeOf({ model = [], field = [], tenant }: StatusArguments): string {
  const chosen = [...model, ...field].join(', ')
  return [...(tenant === undefined ? [] : [`tenant ${tenant}`]), ...(chosen ? [`only ${chosen}`] : [])].join(' · ')
}
