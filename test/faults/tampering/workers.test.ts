import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { configure, runCommand, startCommand } from '../../cli/runCommand.js'
import { empty, type Migration, openMigration } from '../../maintenance/migration.js'
import { until } from '../../support/until.js'
import { openWriter, WRITES_PROGRESS, type Writer } from './writer.js'

const MINUTES = 60_000
const WORDS = 6_000

let migration: Migration
let writer: Writer | undefined
beforeAll(async () => {
  migration = await openMigration()
  configure(migration)
})
beforeEach(async () => {
  await writer?.close()
  writer = undefined
  await migration.sql('DROP SCHEMA IF EXISTS fieldseal_queue CASCADE')
  await empty(migration)
  await migration.sql(
    `INSERT INTO "Word" (text, note) SELECT lpad(n::text, 6, '0'), 'note ' || n FROM generate_series(1, ${WORDS}) n`,
  )
  await migration.sql('ANALYZE "Word"')
  await migration.run('encrypt', { models: ['Word'] })
})
afterAll(async () => {
  await writer?.close()
  await migration?.close()
})

const plaintexts = async () =>
  Number((await migration.sql(`SELECT count(*) FROM "Word" WHERE note NOT LIKE 'fs1.%'`))[0]!.count)

/** A command whose output can be waited for. */
function start(...args: string[]) {
  const running = startCommand(migration, ...args)
  let printed = ''
  running.child.stdout!.on('data', (chunk) => {
    printed += String(chunk)
  })
  const prints = (pattern: RegExp) =>
    until(`it prints ${pattern}`, () => {
      const found = pattern.test(printed)
      if (!found && running.child.exitCode !== null) throw new Error(`it ended before ${pattern}: ${printed}`)
      return found
    })
  return { ...running, prints }
}

describe('a command with workers', () => {
  it(
    'whose run somebody turns into another operation stops and says so, and no row becomes plaintext',
    async () => {
      writer = await openWriter(migration, WRITES_PROGRESS)
      await migration.another().$encryption.rotate()
      const command = start('re-encrypt', '--model', 'Word', '--workers', '1', '--rate', '1000', '--json')
      await command.prints(/"event":"progress".*"scanned":[1-9]/)
      await writer.sql(`UPDATE fieldseal.progress SET operation = 'decrypt' WHERE state = 'running'`)
      const { code, output, errors } = await command.ended
      expect({ code, errors }).toMatchObject({ code: 1, errors: expect.stringContaining('PROGRESS_INVALID') })
      expect(errors).toContain('somebody else has written to fieldseal.progress')
      expect(output).not.toContain('"event":"report"')
      expect(await plaintexts()).toBe(0)
      expect(await runCommand(migration, 're-encrypt', '--model', 'Word', '--workers', '1', '--restart')).toMatchObject(
        {
          code: 0,
        },
      )
      expect(await plaintexts()).toBe(0)
    },
    4 * MINUTES,
  )
})

describe('a worker that waits for work', () => {
  it(
    'refuses an order that somebody planted, with its job, and says so',
    async () => {
      const worker = start('worker', '--json')
      await worker.prints(/"event":"ready"/)
      writer = await openWriter(migration, [
        'GRANT USAGE ON SCHEMA fieldseal, fieldseal_queue',
        'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA fieldseal, fieldseal_queue',
        'GRANT USAGE ON ALL SEQUENCES IN SCHEMA fieldseal, fieldseal_queue',
        'GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA fieldseal_queue',
      ])
      const [run] = (
        await writer.sql(
          `INSERT INTO fieldseal.progress (operation, model, fields, run_key, work_order, mac)
         SELECT 'decrypt', 'Word', '{note}', run_key, 'AAAA.{"issue":1,"ranges":1,"onError":"skip"}', mac
         FROM fieldseal.progress LIMIT 1 RETURNING id`,
        )
      ).rows
      const plant = `INSERT INTO fieldseal.ranges (run, number, mac) VALUES ($1, 1, 'AAAA') RETURNING id`
      const [range] = (await writer.sql(plant, [run.id])).rows
      await writer.connection.query(`SELECT pg_advisory_lock_shared(${0x66730002}, $1::int)`, [run.id])
      await writer.sql(`SELECT fieldseal_queue.add_job('fieldseal.range', payload := $1::json, job_key := $2)`, [
        JSON.stringify({ range: String(range.id), onError: 'skip' }),
        `fieldseal.range ${range.id}`,
      ])
      await worker.prints(/"event":"failure".*PROGRESS_INVALID/)
      worker.child.kill('SIGTERM')
      expect(await worker.ended).toMatchObject({ code: 0 })
      expect(await plaintexts()).toBe(0)
    },
    4 * MINUTES,
  )
})

describe('the queue', () => {
  it(
    'decides by what its jobs hold nothing but which range is next',
    async () => {
      await migration.another().$encryption.rotate()
      const command = start('re-encrypt', '--model', 'Word', '--workers', '2', '--rate', '1500', '--json')
      await command.prints(/"event":"worker"/)
      await until('the queue has its tables', async () => {
        const [row] = await migration.sql(`SELECT to_regclass('fieldseal_queue._private_jobs') AS there`)
        return row!.there !== null
      })
      writer = await openWriter(migration, [
        'GRANT USAGE ON SCHEMA fieldseal_queue',
        'GRANT SELECT, UPDATE ON ALL TABLES IN SCHEMA fieldseal_queue',
      ])
      const [own] = await migration.sql('SELECT min(id)::text AS id FROM fieldseal.ranges')
      const more = { operation: 'decrypt', fields: ['note'], onError: 'stop', rowsPerSecond: 1, tenant: 'globex' }
      const payloads = [null, 7, [], {}, { range: 'x' }, { range: '999999' }, more, { range: own!.id, ...more }]
      let changed = 0
      for (let i = 0; i < 40; i++) {
        const payload = JSON.stringify(payloads[i % payloads.length])
        const { rowCount } = await writer.sql('UPDATE fieldseal_queue._private_jobs SET payload = $1', [payload])
        changed += rowCount!
        await delay(50)
      }
      expect(changed).toBeGreaterThan(10)
      const { code, output, errors } = await command.ended
      expect({ code, errors }).toEqual({ code: 0, errors: '' })
      expect(output).toMatch(new RegExp(`"event":"report".*"scanned":${WORDS}`))
      expect(await plaintexts()).toBe(0)
      expect(await runCommand(migration, 'verify', '--model', 'Word', '--restart')).toMatchObject({ code: 0 })
    },
    4 * MINUTES,
  )
})
