import { guardCondition, guardName } from '../../maintenance/postgres/guards.js'
import { quoteName, runSql, tableName } from '../../maintenance/postgres/sql.js'
import { readTableFacts } from '../../maintenance/postgres/tableFacts.js'
import { type Check, encryptedFields, type Finding, isPrisma } from './finding.js'

/** Columns into which any other tool could write plaintext. */
export const missingGuards: Check = async ({ client, schema, database }) => {
  const found: Finding[] = []
  for (const { name, model, field, spec, column } of encryptedFields(schema)) {
    if (spec.state !== undefined) continue
    const table = tableName(model)
    // The prefix of ciphertexts stands in it as text, or for Bytes as hexadecimal digits.
    const [row] = await runSql<'count'>(
      database,
      `SELECT count(*) FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey)
       WHERE c.conrelid = to_regclass($1) AND c.contype = 'c' AND a.attname = $2 AND pg_get_constraintdef(c.oid) ~ 'fs1[.]|6673312e'`,
      [table, column],
    )
    if (Number(row!.count) > 0) continue
    const { types } = await readTableFacts(database, table)
    const condition = guardCondition(quoteName(column), spec, /^json(\[\])?$/.test(types.get(column) ?? ''))
    const constraint = quoteName(guardName(model.table, column))
    const sql = `ALTER TABLE ${table} ADD CONSTRAINT ${constraint} CHECK (${condition}) NOT VALID`
    const what = `nothing keeps other tools from writing plaintext into ${name}.${field}`
    found.push({ severity: 'hint', check: 'constraints', what, next: isPrisma(client) ? forPrisma(sql) : FOR_TYPEORM })
  }
  return found
}

function forPrisma(sql: string): string {
  return `put it into a migration (prisma migrate dev --create-only), or have the generator write all of them (\`guards\`): ${sql}`
}

/** TypeORM takes away what no entity says, so that SQL would not last. */
const FOR_TYPEORM =
  'say `guards: true` to fieldEncryption, have TypeORM write the constraints into a migration (migration:generate), and run it'
