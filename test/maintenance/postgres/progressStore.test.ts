import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { localKms } from 'fieldseal/local-kms'
import type pg from 'pg'
import type { RunTask } from '../../../src/maintenance/jobs/progressStore.js'
import { RunKeyring } from '../../../src/maintenance/jobs/runKeyring.js'
import { postgresProgress } from '../../../src/maintenance/postgres/progressStore.js'
import { createDatabase, type TestDatabase } from '../../support/database.js'
import { openPool } from '../../support/pool.js'

const KMS = localKms({ key: 'ab'.repeat(32) })
const task: RunTask = { operation: 'encrypt', model: 'Patient', fields: ['name'], tenant: undefined }

let database: TestDatabase
let pool: pg.Pool
beforeAll(async () => {
  database = await createDatabase()
  pool = openPool(database.url, { max: 10 })
})
afterAll(async () => {
  await pool?.end()
  await database?.drop()
})

/** Opens the task as so many commands do at once, whose KMS answers them all at the same moment. */
function commandsAtOnce(count: number) {
  let waiting = 0
  let answer: () => void
  const all = new Promise<void>((resolve) => {
    answer = resolve
  })
  const generate: typeof KMS.generate = async (identity) => {
    if (++waiting === count) answer()
    await all
    return KMS.generate(identity)
  }
  const stores = Array.from({ length: count }, () => postgresProgress(pool, new RunKeyring({ ...KMS, generate })))
  return Promise.all(stores.map((store) => store.open(task, false)))
}

describe('the progress of a task', () => {
  it('is one run, also of commands that begin it at the same moment', async () => {
    await postgresProgress(pool, new RunKeyring(KMS)).open(task, true)
    await pool.query('DELETE FROM fieldseal.progress')
    const runs = await commandsAtOnce(8)
    expect(new Set(runs.map(({ id }) => id)).size).toBe(1)
    const { rows } = await pool.query('SELECT state FROM fieldseal.progress')
    expect(rows).toEqual([{ state: 'running' }])
  })

  it.each(["o'hara", 'back\\slash', '"quoted"', '{a,b}', '日本 $1'])(
    'is found again for a tenant like %s',
    async (tenant) => {
      const open = () => postgresProgress(pool, new RunKeyring(KMS)).open({ ...task, tenant }, false)
      const { id } = await open()
      expect((await open()).id).toBe(id)
    },
  )

  it('is taken up by the next command, and begun anew once it is done', async () => {
    const store = postgresProgress(pool, new RunKeyring(KMS))
    const progress = { cursor: ['7'], scanned: 7, changed: 7, conflicts: 0, skipped: 0, problems: [] }
    const first = await store.open(task, true)
    await first.save(progress)
    const second = await store.open(task, false)
    expect([second.id, second.saved]).toEqual([first.id, progress])
    await second.finish(progress)
    const third = await store.open(task, false)
    expect([third.id === first.id, third.saved]).toEqual([false, null])
  })
})
