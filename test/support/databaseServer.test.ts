import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { createDatabase, type TestDatabase } from './database.js'
import { startDatabaseServer } from './databaseServer.js'
import { restoreVariables, setVariable } from './environment.js'
import { runSql } from './sql.js'

let prefix: string
let database: TestDatabase

beforeEach(async () => {
  prefix = `fieldseal_other_${randomBytes(4).toString('hex')}_`
  database = await createDatabase({ schema: resolve('test/package/projects/models.prisma') })
  setVariable('FIELDSEAL_TEST_DATABASE', '')
  setVariable('TEST_DATABASE_URL', '')
  setVariable('POSTGRES_IMAGE', 'localhost:1/there-is-no-such-image')
})
afterEach(async () => {
  restoreVariables()
  await database.drop()
})

describe('startDatabaseServer', () => {
  it('refuses a kind of database that does not exist', async () => {
    setVariable('FIELDSEAL_TEST_DATABASE', 'oracle')
    await expect(startDatabaseServer({ prefix })).rejects.toThrow('it can be url, docker, embedded')
  })

  it('falls back on nothing when the forced one cannot be had', async () => {
    setVariable('FIELDSEAL_TEST_DATABASE', 'docker')
    await expect(startDatabaseServer({ prefix })).rejects.toThrow()
    setVariable('FIELDSEAL_TEST_DATABASE', 'url')
    await expect(startDatabaseServer({ prefix })).rejects.toThrow('set TEST_DATABASE_URL')
  })

  it('falls back on nothing when the given one does not answer', async () => {
    setVariable('TEST_DATABASE_URL', 'postgresql://nobody@127.0.0.1:1/none')
    await expect(startDatabaseServer({ prefix })).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('starts an embedded one without Docker or its image, and says why', async () => {
    const { url, description, stop } = await startDatabaseServer({ prefix })
    expect(description).toMatch(/^embedded PostgreSQL [\d.]+ \(no Docker: .+\)$/)
    expect(await databases(url)).toContain('postgres')
    await stop()
  })

  it('takes the given one, never tells its password, and leaves no database of the run in it', async () => {
    const given = new URL(database.url)
    setVariable('TEST_DATABASE_URL', given.href)
    const { url, description, stop } = await startDatabaseServer({ prefix })
    expect({ url, description }).toEqual({
      url: given.href,
      description: `TEST_DATABASE_URL, ${given.host}${given.pathname}`,
    })
    await runSql(url, `CREATE DATABASE ${prefix}forgotten`)
    await stop()
    expect((await databases(url)).filter((name) => name.startsWith(prefix))).toEqual([])
    expect(await databases(url)).toContain(given.pathname.slice(1))
  })
})

async function databases(url: string): Promise<string[]> {
  return (await runSql(url, 'SELECT datname FROM pg_database')).map(({ datname }) => String(datname))
}
