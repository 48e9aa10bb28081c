import { FieldsealError } from 'fieldseal'
import { openDatabase } from './database'

type Database = ReturnType<typeof openDatabase>

/** What can be asked for, by its name: `clinic admit <clinic> <name> <email>`. */
const COMMANDS: { readonly [name: string]: (database: Database, ...args: string[]) => Promise<readonly string[]> } = {
  async admit(database, clinic, name, email) {
    const { id } = await database.$forTenant(clinic).patient.create({ data: { clinic, name, email } })
    return [id]
  },
  async find(database, clinic, email) {
    const found = await database.$forTenant(clinic).patient.findMany({ where: { clinic, email } })
    return found.map(({ id, name }) => `${id} ${name}`)
  },
  engine: async (database) => [database.$encryption.stats().engine],
}

async function main(name = '', ...args: string[]): Promise<void> {
  const command = COMMANDS[name]
  if (!command) throw new Error(`There is no command "${name}"; there are ${Object.keys(COMMANDS).join(', ')}.`)
  const database = openDatabase()
  try {
    for (const line of await command(database, ...args)) console.log(line)
  } finally {
    await database.$disconnect()
  }
}

main(...process.argv.slice(2)).catch((error: unknown) => {
  console.error(FieldsealError.is(error) ? `${error.code}: ${error.message}` : error)
  process.exitCode = 1
})
