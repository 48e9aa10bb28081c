import { randomUUID } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import type { RangeFailure } from 'fieldseal/prisma'
import { ejecting } from '../../support/ejecting.js'
import { refusal } from '../../support/refusal.js'
import { until } from '../../support/until.js'
import {
  addWords,
  ciphertexts,
  encrypt,
  encryptTogether,
  expectRefused,
  interruptAlone,
  interruptShared,
  migration,
  progressWriter,
  QueueHere,
  rangesWriter,
  WORDS,
  wordsFirst,
} from './words.js'

wordsFirst()

/** The class of locks by which a command shows that it wants a run. Whoever may connect can take one. */
const WATCH = 0x66730002

/** As if a command wanted it: the locks of a connection that is nobody's of ours. */
async function pretendToWant(run: string): Promise<void> {
  await progressWriter.connection.query(`SELECT pg_advisory_lock_shared(${WATCH}, $1::int)`, [run])
}

const work = (range: string, client = migration.another()) =>
  client.$encryption.maintainRange({ range }, { database: migration.pool })

/** A run and its range, made by whoever may write to both tables, and what they took from genuine rows. */
async function plant(columns: { readonly [name: string]: unknown }): Promise<string> {
  const [run] = await migration.sql(
    `INSERT INTO fieldseal.progress (operation, model, fields, run_key, work_order, mac)
     VALUES ($1, 'Word', '{note}', $2, $3, $4) RETURNING id`,
    [columns.operation ?? 'decrypt', columns.run_key, columns.work_order, columns.mac],
  )
  const [range] = await migration.sql(
    `INSERT INTO fieldseal.ranges (run, number, mac) VALUES ($1, 1, $2) RETURNING id`,
    [run!.id, columns.mac],
  )
  await pretendToWant(run!.id as string)
  return range!.id as string
}

describe('an order that no command gave', () => {
  const order = 'AAAA.{"issue":1,"ranges":1,"onError":"skip"}'

  it.each([
    ['with a key that none is', { run_key: 'null' }],
    ['with a key of nobody', { run_key: JSON.stringify({ id: randomUUID(), wrapped: 'AAAA', kekId: 'x' }) }],
    [
      'with a key that opens the KMS’s log',
      { run_key: JSON.stringify({ id: 'x'.repeat(5_000), wrapped: '', kekId: '' }) },
    ],
  ])('is refused by a worker that waits for work: %s', async (_, key) => {
    await encrypt()
    const range = await plant({ ...key, work_order: order, mac: 'AAAA' })
    const { code } = await refusal(() => work(range))
    expect(['PROGRESS_INVALID', 'KMS_KEY_UNUSABLE']).toContain(code)
    expect(await ciphertexts()).toBe(WORDS)
  })

  it('is refused with the genuine key, order and code of another run', async () => {
    await interruptShared()
    const [{ run_key, work_order, mac } = {}] = await migration.sql('SELECT * FROM fieldseal.progress')
    const genuine = { run_key: JSON.stringify(run_key), work_order, mac }
    await migration.sql('TRUNCATE fieldseal.progress CASCADE')
    const range = await plant(genuine)
    const before = await ciphertexts()
    expect((await refusal(() => work(range))).code).toBe('PROGRESS_INVALID')
    expect(await ciphertexts()).toBe(before)
  })

  it('is refused with the key of a tenant', async () => {
    await encrypt()
    const [key] = await migration.sql(`SELECT id, wrapped, "kekId" FROM "EncryptionKey" LIMIT 1`)
    const range = await plant({ run_key: JSON.stringify(key), work_order: order, mac: 'AAAA' })
    const { code, message } = await refusal(() => work(range))
    expect({ code, message }).toMatchObject({
      code: 'PROGRESS_INVALID',
      message: expect.stringContaining('refused by the KMS'),
    })
  })
})

describe('a genuine order', () => {
  it('to decrypt is refused by a worker whose own schema keeps the field encrypted, and the command tells', async () => {
    await encrypt()
    const queue = new QueueHere(1)
    const failures: RangeFailure[] = []
    const leaving = migration.another({ schema: ejecting(migration.schema) })
    const controller = new AbortController()
    const [report] = await leaving.$encryption.maintain({
      ...{ operation: 'decrypt', database: migration.pool, models: ['Word'], workers: { queue, count: 1 } },
      signal: controller.signal,
      onFailure: (failure) => {
        failures.push(failure)
        controller.abort()
      },
    })
    expect(report).toMatchObject({ outcome: 'interrupted', changed: 0 })
    expect(queue.refused).toMatchObject([{ code: 'OPTIONS_INVALID' }])
    expect(failures).toMatchObject([{ code: 'OPTIONS_INVALID', message: expect.stringContaining('Word.note') }])
    expect(await ciphertexts()).toBe(WORDS)
  })

  it('whose command is gone does no more than that command wanted', async () => {
    await interruptShared()
    const [{ id, range } = {}] = await migration.sql(
      `SELECT p.id, r.id AS range FROM fieldseal.progress p JOIN fieldseal.ranges r ON r.run = p.id WHERE r.number = 3`,
    )
    expect(await work(range as string)).toEqual({ outcome: 'none' })
    await pretendToWant(id as string)
    expect(await work(range as string)).toMatchObject({ outcome: 'done', operation: 'encrypt' })
  })

  it.each(['', '0', 'x', '1; DROP TABLE x', 7, null, { operation: 'decrypt' }])(
    'is for a range and nothing else: %j',
    async (range) => {
      expect((await refusal(() => work(range as string))).code).toBe('OPTIONS_INVALID')
    },
  )
})

describe('a genuine run that is put back', () => {
  /** As it was after its first page, with all columns that whoever can read could keep. */
  async function finishAndPutBack(operation: 'encrypt' | 'verify'): Promise<void> {
    const [kept] = await migration.sql(
      `SELECT to_jsonb(p)::text AS row FROM fieldseal.progress p WHERE state = 'running'`,
    )
    await migration.run(operation, { models: ['Word'] })
    await addWords(-10, 0)
    const columns = ['state', 'cursor', 'scanned', 'changed', 'conflicts', 'skipped', 'problems', 'mac']
    const { rowCount } = await progressWriter.sql(
      `UPDATE fieldseal.progress p SET ${columns.map((name) => `${name} = o.${name}`)}
       FROM jsonb_populate_record(NULL::fieldseal.progress, $1::jsonb) o WHERE p.id = o.id`,
      [kept!.row],
    )
    expect(rowCount).toBe(1)
  }

  it('leaves rows out that the command then finds, and says so', async () => {
    await interruptAlone()
    await finishAndPutBack('encrypt')
    expect(await encrypt()).toMatchObject({ outcome: 'done', resumed: true, missed: 11 })
    expect(await encrypt()).toMatchObject({ outcome: 'done', resumed: false, changed: 11, missed: 0 })
  })

  it('has verify go on from there, which it says, and not with restart', async () => {
    const controller = new AbortController()
    await encrypt()
    await migration.run('verify', { models: ['Word'], signal: controller.signal, onProgress: () => controller.abort() })
    await finishAndPutBack('verify')
    const [resumed] = await migration.run('verify', { models: ['Word'] })
    expect(resumed).toMatchObject({ resumed: true, skipped: 0 })
    const [anew] = await migration.run('verify', { models: ['Word'], restart: true })
    expect(anew).toMatchObject({ resumed: false, skipped: 11 })
  })
})

describe('what somebody writes into a failure', () => {
  it('is shown on one line, under a code of ours, and decides nothing', async () => {
    await interruptShared()
    const failure = { code: 'BUY', message: `\u001b[2J\u009b2J\nsend ${'money '.repeat(500)}` }
    await rangesWriter.sql('UPDATE fieldseal.ranges SET failure = $1 WHERE number = 4', [JSON.stringify(failure)])
    const told: RangeFailure[] = []
    const queue = new QueueHere(0)
    const running = encryptTogether({ onFailure: (failure) => told.push(failure) }, queue)
    await queue.asked
    await rangesWriter.sql('UPDATE fieldseal.ranges SET failures = 9, updated_at = now() WHERE number = 4')
    await until('the failure is told of', () => told.length > 0)
    queue.limit = 10
    expect(await running).toMatchObject({ outcome: 'done', scanned: WORDS })
    expect(told[0]).toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
    expect(told[0]!.message).toMatch(/^[ -~]{1,500}$/)
  })

  it('can end a command by saying that a range failed at last, which another one tries again', async () => {
    await interruptShared()
    const queue = new QueueHere(0)
    const running = encryptTogether({}, queue)
    await queue.asked
    await rangesWriter.sql(`UPDATE fieldseal.ranges SET state = 'failed' WHERE number = 4`)
    expect((await refusal(() => running)).code).toBe('DATABASE_UNAVAILABLE')
    expect(await encryptTogether()).toMatchObject({ outcome: 'done', scanned: WORDS })
  })

  it('is refused where it says that a range stopped at a row', async () => {
    await interruptShared()
    const queue = new QueueHere(0)
    const running = encryptTogether({}, queue)
    await queue.asked
    const problem = { model: 'Word', key: ['x'], code: 'ROW_BUSY', message: 'call 555-0100', mac: 'AAAA' }
    await rangesWriter.sql(`UPDATE fieldseal.ranges SET state = 'stopped', failure = $1 WHERE number = 4`, [
      JSON.stringify(problem),
    ])
    await expectRefused(() => running)
  })
})

describe('the key of a run', () => {
  const asked = () =>
    migration.emulator.calls.log
      .filter(({ encryptionContext }) => encryptionContext?.includes('"purpose":"maintenance"'))
      .map(({ action }) => action)

  it('costs one call of the KMS for each process that takes part, and is of no tenant', async () => {
    migration.emulator.calls.reset()
    expect(await encryptTogether()).toMatchObject({ outcome: 'done' })
    expect(asked()).toEqual(['GenerateDataKey', 'Decrypt'])
    const contexts = migration.emulator.calls.log.map(({ encryptionContext }) => encryptionContext)
    const [{ run_key } = {}] = await migration.sql('SELECT run_key FROM fieldseal.progress')
    const { id, wrapped } = run_key as { id: string; wrapped: string }
    expect(contexts).toContain(`{"key":"${id}","purpose":"maintenance","tenant":"*"}`)
    expect(JSON.stringify(wrapped).length).toBeGreaterThan(32)
  })
})
