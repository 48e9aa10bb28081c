import { type PgConnection, runSql } from '../../maintenance/postgres/sql.js'
import { compilePlans } from '../../plan/compilePlans.js'
import { printable } from '../../printable.js'
import type { EncryptionSchema } from '../../schema/encryptionSchema.js'
import { readRelations } from '../../sql/databaseRelations.js'
import { loadParser } from '../../sql/parser.js'
import { relativesOf, type UndeclaredColumn, undeclaredColumns } from '../../sql/relatives.js'
import { schemaCatalog } from '../../sql/schemaCatalog.js'
import type { Check, Finding } from './finding.js'

const REFUSED =
  'declare the view as an entity with @EncryptedView on its columns, or query the table itself: statements that touch these are refused'
const AS_STORED =
  'query the table itself: these give ciphertexts, and what is written through them is stored as it is, in plaintext'

/** Views, parents and partitions through which encrypted columns can be reached, and which nobody declares to show them. */
export const undeclaredRelatives: Check = async ({ client, database, schema }) => {
  const known = client.undeclared?.()
  const columns = known ?? (await undeclaredIn(database, schema))
  const next = known === undefined ? AS_STORED : REFUSED
  return columns.map(({ table, column, of }): Finding => {
    const what = printable(`${table}.${column} shows ${of}, and nothing declares that`)
    return { severity: 'risk', check: 'relatives', what, next }
  })
}

/** Where the ORM looks at no statements, and so knows of none. */
async function undeclaredIn(database: PgConnection, schema: EncryptionSchema): Promise<UndeclaredColumn[]> {
  await loadParser()
  const catalog = schemaCatalog(schema, compilePlans(schema, { toDecimal: Object }))
  const ask = async (text: string, values: readonly unknown[]) =>
    (await runSql(database, text, values)).map((row): (string | null)[] => Object.values(row))
  return undeclaredColumns(relativesOf(catalog, await readRelations(ask, catalog)))
}
