import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { openClient } from '../../src/cli/openClient.js'
import { refusal, refusalCode } from '../support/refusal.js'
import { type Guests, openGuests } from './guests.js'

let guests: Guests
beforeAll(async () => {
  guests = await openGuests(40)
})
afterAll(() => guests?.close())

const run = (...args: string[]) => guests.run(...args)

describe('fieldseal with a data source of TypeORM', () => {
  it('shows, encrypts, verifies, rotates, re-encrypts, rewraps and shreds, and changes no table', async () => {
    expect(await run('status')).toMatchObject({ code: 3, errors: '', output: expect.stringMatching(/Guest\.email/) })
    expect(await run('encrypt')).toMatchObject({ code: 0, errors: '' })
    expect(await guests.encrypted()).toBe(40)
    expect(await run('verify')).toMatchObject({ code: 0, errors: '' })
    expect(await run('rotate')).toMatchObject({ code: 0, output: expect.stringContaining('2 keys changed') })
    expect(await run('re-encrypt')).toMatchObject({ code: 0, errors: '' })
    expect(await run('reindex')).toMatchObject({ code: 0, errors: '' })
    expect(await run('rewrap')).toMatchObject({ code: 0, errors: '' })
    expect(await run('status')).toMatchObject({ code: 0, output: expect.stringMatching(/v2 active: 40/) })
    expect(await run('doctor')).toMatchObject({ errors: '', output: expect.stringContaining('0 problems') })
    const { output } = await run('doctor')
    expect(output).toContain('write @Index() beside the @BlindIndex of Guest.emailIndex, and have TypeORM generate')
    const strict = await guests.start({ GUESTS_STATE: 'strict' }, 'doctor').ended
    expect(strict.output).toContain('into Guest.email\n         → say `guards: true` to fieldEncryption')
    expect(await run('advise', 'Guest.email')).toMatchObject({
      code: 0,
      errors: '',
      output: expect.stringContaining(
        "Blind index: recommended; it shows which rows are equal, and that tells little of their values.\n  → @BlindIndex('email')",
      ),
    })
    expect(await run('shred', '--tenant', 'ritz', '--yes')).toMatchObject({ code: 0 })
    const { dataSource } = await import('./fixtures/typeorm/dataSource.js')
    const { client } = await openClient({ dataSource })
    const states = await guests.pool.query(`SELECT DISTINCT tenant, state FROM encryption_keys WHERE tenant = 'ritz'`)
    expect(states.rows).toEqual([{ tenant: 'ritz', state: 'destroyed' }])
    await client.$encryption.checkKey('adlon')
    await client.$disconnect()
    expect(dataSource.isInitialized).toBe(false)
  }, 300_000)

  it('finds in doctor what shows encrypted columns and is not declared', async () => {
    await guests.pool.query('CREATE VIEW addresses AS SELECT email FROM guest')
    const { output } = await run('doctor')
    await guests.pool.query('DROP VIEW addresses')
    expect(output).toContain('public.addresses.email shows Guest.email, and nothing declares that')
    expect(output).toContain('@EncryptedView')
  })

  it('says what to do about files in TypeScript that it cannot load, which works', async () => {
    const env = { GUESTS_MIGRATIONS: 'migrations/*.ts' }
    const { code, errors } = await guests.start(env, 'keys', 'export-metadata').ended
    expect([code, errors]).toEqual([2, expect.stringContaining('OPTIONS_INVALID')])
    expect(errors).toContain(
      "run the command with NODE_OPTIONS='--import tsx', or list the classes instead of the files",
    )
    const compiled = guests.start({ ...env, NODE_OPTIONS: '--import tsx' }, 'keys', 'export-metadata')
    expect(await compiled.ended).toMatchObject({ code: 0, errors: '' })
  }, 120_000)

  it('takes a function that makes it, and one that is initialised already', async () => {
    const { dataSource } = await import('./fixtures/typeorm/dataSource.js')
    dataSource.setOptions({ dropSchema: false, synchronize: false })
    const opened = await openClient({ dataSource: () => dataSource.initialize() })
    expect(opened.client.$encryption.schema.models).toHaveProperty('Guest')
    expect(opened.connection).toMatchObject({ connectionString: guests.url })
    await opened.client.$disconnect()
  })

  it('refuses one that does not encrypt, and tells what keeps one from beginning', async () => {
    const plain = { driver: {}, isInitialized: false } as never
    expect(await refusalCode(() => openClient({ dataSource: plain }))).toBe('OPTIONS_INVALID')
    const { dataSource } = await import('./fixtures/typeorm/dataSource.js')
    const { connect } = dataSource.driver
    dataSource.driver.connect = () => Promise.reject(new Error('no route to host'))
    const { code, message } = await refusal(() => openClient({ dataSource }))
    expect([code, message]).toEqual(['DATABASE_UNAVAILABLE', expect.stringContaining('no route to host')])
    dataSource.driver.connect = connect
  })

  it('tells what is wrong with its entities and migrations from what is wrong with the database', async () => {
    const { dataSource } = await import('./fixtures/typeorm/dataSource.js')
    const internals = dataSource as unknown as { buildMetadatas(): Promise<void> }
    const { buildMetadatas } = internals
    const failing = async (cause: Error) => {
      internals.buildMetadatas = () => Promise.reject(cause)
      const { code, message } = await refusal(() => openClient({ dataSource }))
      return [code, message]
    }
    const loaded = 'the entities, migrations and subscribers of the data source could not be loaded: '
    const unknown = 'Unknown file extension ".ts" for /app/src/migrations/1-start.ts'
    expect(await failing(Object.assign(new TypeError(unknown), { code: 'ERR_UNKNOWN_FILE_EXTENSION' }))).toEqual([
      'OPTIONS_INVALID',
      expect.stringMatching(/^.*\.ts; patterns .* NODE_OPTIONS='--import tsx', or list the classes/),
    ])
    const decorator = Object.assign(new SyntaxError('Invalid or unexpected token'), { stack: '/app/src/user.ts:3' })
    expect(await failing(decorator)).toEqual(['OPTIONS_INVALID', expect.stringContaining('--import tsx')])
    const broken = new Error('Entity "User" does not have a primary column.')
    expect(await failing(broken)).toEqual(['OPTIONS_INVALID', loaded + broken.message])
    internals.buildMetadatas = buildMetadatas
    expect(dataSource.isInitialized).toBe(false)
  })
})
