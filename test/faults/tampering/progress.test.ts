import { describe, expect, it } from '@jest/globals'
import type { RangeJob } from 'fieldseal/prisma'
import { refusal } from '../../support/refusal.js'
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
import { columnsOf } from './writer.js'

wordsFirst()

const RUBBISH = `'AAAA'`
const COUNTS = ['scanned', 'changed', 'conflicts', 'skipped'] as const
const counts = Object.fromEntries(COUNTS.map((name) => [name, `${name} = ${name} + 1`]))
const PROBLEM = `'[{"model":"Word","key":["x"],"code":"ROW_BUSY","message":"call 555-0100"}]'`

/** What whoever can write to one table may try, column by column. */
const PROGRESS: Record<string, string> = {
  id: 'id = DEFAULT',
  operation: `operation = 'verify'`,
  model: `model = 'Customer'`,
  fields: `fields = '{note,text}'`,
  tenant: `tenant = 'globex'`,
  state: `state = 'done'`,
  started_at: `started_at = 'epoch'`,
  run_key: `run_key = jsonb_set(run_key, '{wrapped}', '"AAAA"')`,
  work_order: `work_order = '${RUBBISH.slice(1, -1)}.{"issue":9,"ranges":0,"onError":"skip"}'`,
  cursor: `cursor = '{001999}'`,
  ...counts,
  problems: `problems = ${PROBLEM}`,
  updated_at: `updated_at = 'epoch'`,
  mac: `mac = ${RUBBISH}`,
}
const RANGES: Record<string, string> = {
  id: 'id = DEFAULT',
  run: 'run = run - 1',
  number: 'number = number + 10',
  begins_after: `begins_after = '{001999}'`,
  ends_with: `ends_with = '{001501}'`,
  state: `state = 'done'`,
  failures: 'failures = failures + 1',
  failure: `failure = '{"code":"KMS_DENIED","message":"call 555-0100"}'`,
  cursor: `cursor = '{001999}'`,
  ...counts,
  problems: `problems = ${PROBLEM}`,
  updated_at: `updated_at = 'epoch'`,
  mac: `mac = ${RUBBISH}`,
}

const changeRun = async (change: string, which = `state = 'running'`) => {
  const { rowCount } = await progressWriter.sql(`UPDATE fieldseal.progress SET ${change} WHERE ${which}`)
  expect(rowCount).toBe(1)
}
const changeRange = async (change: string, which = 'number = 4') => {
  const { rowCount } = await rangesWriter.sql(`UPDATE fieldseal.ranges SET ${change} WHERE ${which}`)
  expect(rowCount).toBe(1)
}

/** Everything is encrypted and readable, and a run that trusts nothing of what is stored says so. */
async function expectAllDone(): Promise<void> {
  expect(await ciphertexts()).toBe(WORDS)
  const [verified] = await migration.run('verify', { models: ['Word'], restart: true })
  expect(verified).toMatchObject({ scanned: WORDS, skipped: 0 })
}

/** Without `restart` it stays refused; with it nothing of what is stored counts. */
async function expectRestarted(): Promise<void> {
  expect((await refusal(() => encrypt())).code).toBe('PROGRESS_INVALID')
  expect(await encrypt({ restart: true })).toMatchObject({ outcome: 'done', resumed: false, scanned: WORDS })
  await expectAllDone()
}

const except = (table: Record<string, string>, ...names: string[]) =>
  Object.entries(table).filter(([name]) => !names.includes(name))
const only = (table: Record<string, string>, ...names: string[]) =>
  Object.entries(table).filter(([name]) => names.includes(name))

it('each column of both tables is tried below', async () => {
  expect(Object.keys(PROGRESS).toSorted()).toEqual(await columnsOf(migration, 'progress'))
  expect(Object.keys(RANGES).toSorted()).toEqual(await columnsOf(migration, 'ranges'))
})

/** These say which run is gone on with; no other decides anything. */
const TASK = ['operation', 'model', 'fields', 'tenant', 'state']

describe('a run that one process goes on with, when somebody has written to fieldseal.progress,', () => {
  it.each(except(PROGRESS, ...TASK, 'id', 'started_at', 'updated_at'))('is refused: %s', async (_, change) => {
    await interruptAlone()
    await changeRun(change)
    await expectRefused(() => encrypt())
    await expectRestarted()
  })

  it.each(only(PROGRESS, 'id', 'started_at', 'updated_at'))('goes on where it was: %s', async (_, change) => {
    await interruptAlone()
    await changeRun(change)
    expect(await encrypt()).toMatchObject({ outcome: 'done', resumed: true, changed: WORDS, missed: 0 })
    await expectAllDone()
  })

  it.each(only(PROGRESS, ...TASK))('is begun anew: %s', async (_, change) => {
    await interruptAlone()
    await changeRun(change)
    expect(await encrypt()).toMatchObject({ outcome: 'done', resumed: false, scanned: WORDS })
    await expectAllDone()
  })

  it('is not taken for another task, nor for one that is not done', async () => {
    await interruptAlone()
    await changeRun(PROGRESS.operation!)
    await expectRefused(() => migration.run('verify', { models: ['Word'] }))
    await encrypt({ restart: true })
    await addWords(WORDS + 1, WORDS + 10)
    await changeRun(`state = 'running'`, `operation = 'encrypt' AND state = 'done'`)
    await expectRefused(() => encrypt())
  })

  it('is begun anew when its row is gone', async () => {
    await interruptAlone()
    await migration.sql('DELETE FROM fieldseal.progress')
    expect(await encrypt()).toMatchObject({ outcome: 'done', resumed: false, scanned: WORDS })
  })
})

describe('a command that watches its workers, when somebody writes to fieldseal.progress,', () => {
  /** Nobody works until something was written. */
  async function whileWatching(change: () => Promise<unknown>, after = 0) {
    const queue = new QueueHere(0)
    let changed: Promise<void> | undefined
    const keep = async (jobs: readonly RangeJob[]) => {
      changed ??= change().then(() => {
        queue.limit = after
      })
      await changed
      await queue.keep(jobs)
    }
    return encrypt({ workers: { queue: { keep, remove: () => queue.remove() }, count: 1 } })
  }

  it.each(except(PROGRESS, 'id', 'started_at', 'updated_at'))('stops, and says why: %s', async (_, change) => {
    const message = await expectRefused(() => whileWatching(() => changeRun(change)))
    expect(message).toMatch(/somebody else has written to fieldseal\.progress.*--restart/)
    expect(await encrypt({ restart: true })).toMatchObject({ outcome: 'done', scanned: WORDS })
    await expectAllDone()
  })

  it.each(only(PROGRESS, 'started_at', 'updated_at'))('goes on: %s', async (_, change) => {
    expect(await whileWatching(() => changeRun(change), 10)).toMatchObject({ outcome: 'done', scanned: WORDS })
    await expectAllDone()
  })

  it('keeps the id by which its ranges name it', async () => {
    await interruptShared()
    await expect(changeRun(PROGRESS.id!)).rejects.toMatchObject({ code: '23503' })
  })

  it('stops as if another command had begun anew: state', async () => {
    expect(await whileWatching(() => changeRun(`state = 'dropped'`))).toMatchObject({ outcome: 'interrupted' })
  })

  it.each([
    ['the order is taken away', () => changeRun('work_order = NULL')],
    ['the run is deleted', () => migration.sql(`DELETE FROM fieldseal.progress WHERE state = 'running'`)],
  ])('stops when %s', async (_, change) => {
    await expectRefused(() => whileWatching(change))
  })

  it('stops when a genuine order is put back that is no longer in force', async () => {
    await interruptShared()
    const [{ work_order } = {}] = await migration.sql('SELECT work_order FROM fieldseal.progress')
    const put = () => progressWriter.sql('UPDATE fieldseal.progress SET work_order = $1', [work_order])
    expect(await expectRefused(() => whileWatching(put))).toContain('an older order')
  })
})

describe('a command that goes on with workers, when somebody has written to fieldseal.ranges,', () => {
  it.each(except(RANGES, 'id', 'failures', 'failure', 'updated_at'))(
    'stops, and reports no success: %s',
    async (name, change) => {
      await migration.run('verify', { models: ['Event'] })
      await interruptShared()
      await changeRange(change)
      const queue = new QueueHere()
      const { code } = await refusal(() => encryptTogether({}, queue))
      expect(code).toBe('PROGRESS_INVALID')
      // Some the command meets first; the others a worker refuses, and their rows stay as they were.
      if (!['state', 'run', 'skipped'].includes(name))
        expect(queue.refused).toMatchObject([{ code: 'PROGRESS_INVALID' }])
      expect(await ciphertexts()).toBeLessThan(WORDS)
      await expectRestarted()
    },
  )

  it.each(only(RANGES, 'id', 'failures', 'failure', 'updated_at'))('does it all: %s', async (_, change) => {
    await interruptShared()
    await changeRange(change)
    expect(await encryptTogether()).toMatchObject({ outcome: 'done', scanned: WORDS, changed: WORDS, skipped: 0 })
    await expectAllDone()
  })

  it.each([
    ['one is said to wait that is done', () => changeRange(`state = 'waiting'`, `state = 'done' AND number = 1`)],
    ['what one is said to have done', () => changeRange('changed = changed + 5', `state = 'done' AND number = 1`)],
    ['one that is done is gone', () => rangesWriter.sql('DELETE FROM fieldseal.ranges WHERE number = 1')],
    ['one that waits is gone', () => rangesWriter.sql('DELETE FROM fieldseal.ranges WHERE number = 4')],
    ['all are gone', () => rangesWriter.sql('DELETE FROM fieldseal.ranges')],
    [
      'there is one more',
      () =>
        rangesWriter.sql(
          `INSERT INTO fieldseal.ranges (run, number, mac) SELECT run, 9, mac FROM fieldseal.ranges WHERE number = 4`,
        ),
    ],
    [
      'two have changed places',
      async () => {
        await changeRange('number = 0', 'number = 3')
        await changeRange('number = 3', 'number = 4')
        await changeRange('number = 4', 'number = 0')
      },
    ],
  ])('stops, and reports no success: %s', async (_, tamper) => {
    await interruptShared()
    await tamper()
    expect((await refusal(() => encryptTogether())).code).toBe('PROGRESS_INVALID')
    await expectRestarted()
  })

  it('is refused to one process, too', async () => {
    await interruptShared()
    await changeRange(RANGES.state!)
    expect((await refusal(() => encrypt())).code).toBe('PROGRESS_INVALID')
    expect(await encrypt({ restart: true })).toMatchObject({ outcome: 'done', scanned: WORDS })
  })

  it('does again what a genuine row says that was put back', async () => {
    await interruptShared()
    const [{ row } = {}] = await migration.sql(
      'SELECT to_jsonb(r)::text AS row FROM fieldseal.ranges r WHERE number = 2',
    )
    await interruptShared(1_000)
    const putBack = `UPDATE fieldseal.ranges r SET state = o.state, cursor = o.cursor, scanned = o.scanned, changed = o.changed,
      mac = o.mac FROM jsonb_populate_record(NULL::fieldseal.ranges, $1::jsonb) o WHERE r.number = 2 AND r.state = 'done'`
    expect(await rangesWriter.sql(putBack, [row])).toMatchObject({ rowCount: 1 })
    // What was changed already is found done.
    expect(await encryptTogether()).toMatchObject({ outcome: 'done', scanned: WORDS, changed: WORDS - 500, missed: 0 })
    await expectAllDone()
  })
})
