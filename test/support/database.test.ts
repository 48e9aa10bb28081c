import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import pg from 'pg'
import { createDatabase } from './database.js'

let folder: string
let schema: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fieldseal-schema-'))
  schema = await writeSchema('notes.prisma', 'model Note {\n  id String @id\n  text String?\n}\n')
})
afterAll(() => rm(folder, { recursive: true }))

describe('createDatabase', () => {
  it('refuses a schema that Prisma does not understand, and tells where', async () => {
    const wrong = await writeSchema('wrong.prisma', 'model Note {\n  id Strin @id\n}\n')
    await expect(createDatabase({ schema: wrong })).rejects.toThrow(/Strin/)
    await expect(createDatabase({ schema: wrong })).rejects.toThrow(/Strin/)
  })

  it('gives every caller tables of its own', async () => {
    const [one, two] = await Promise.all([createDatabase({ schema }), createDatabase({ schema })])
    await query(one.url, `INSERT INTO "Note" (id, text) VALUES ('1', 'only here')`)
    expect(await query(one.url, 'SELECT * FROM "Note"')).toEqual([{ id: '1', text: 'only here' }])
    expect(await query(two.url, 'SELECT * FROM "Note"')).toEqual([])
    await Promise.all([one.drop(), two.drop()])
  })

  it('drops a database that still has connections', async () => {
    const { url, drop } = await createDatabase({ schema })
    const client = new pg.Client({ connectionString: url })
    const cut = new Promise((resolve) => client.on('error', resolve))
    await client.connect()
    await drop()
    expect(await cut).toMatchObject({ code: '57P01' })
    await expect(query(url, 'SELECT 1')).rejects.toMatchObject({ code: '3D000' })
  })
})

async function writeSchema(name: string, models: string): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, `datasource db {\n  provider = "postgresql"\n}\n\n${models}`)
  return path
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}
