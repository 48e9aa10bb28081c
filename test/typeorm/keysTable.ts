import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { keysModelSource } from '../../src/prisma/schema/keysModelSource.js'
import { createDatabase, type TestDatabase } from '../support/database.js'

/** A database with the keys table that Prisma makes of the model of the documents. */
export async function createKeysTable(): Promise<TestDatabase> {
  const folder = mkdtempSync(join(tmpdir(), 'fieldseal-keys-'))
  try {
    const schema = join(folder, 'keys.prisma')
    writeFileSync(schema, `datasource db {\n  provider = "postgresql"\n}\n\n${keysModelSource}\n`)
    return await createDatabase({ schema })
  } finally {
    rmSync(folder, { recursive: true })
  }
}
