import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { type HierarchicalKmsOptions, hierarchicalKms } from 'fieldseal/hierarchical-kms'
import type { EncryptionEvent } from 'fieldseal/prisma'
import pg from 'pg'
import { parseNotification } from '../../src/keys/notifications/keyNotification.js'
import { type ClinicUnderTest, emulatedKms, openClinic } from '../support/clinic.js'
import { eventually } from '../support/eventually.js'
import { onTestFinished } from '../support/onTestFinished.js'
import { askEach, onPgBouncer, startPgBouncer } from '../support/pgBouncer.js'
import { refusalCode } from '../support/refusal.js'
import { until } from '../support/until.js'

let clinic: ClinicUnderTest
let count = 0
const open: Client[] = []
beforeAll(async () => {
  clinic = await openClinic()
})
afterEach(async () => {
  await Promise.all(open.splice(0).map((client) => client.$encryption.close()))
})
afterAll(() => clinic.close())

type Client = ClinicUnderTest['prisma']

/** An app that listens, with DEKs that would be held for an hour. */
function app(keys: object = {}, onEvent?: (event: EncryptionEvent) => void): Client {
  const notify = () => new pg.Client({ connectionString: clinic.database.url, application_name: 'fieldseal news' })
  const client = clinic.another({ keys: { ttl: '1h', notify, ...keys }, ...(onEvent && { onEvent }) })
  open.push(client)
  return client
}

async function newTenant(): Promise<string> {
  count += 1
  const id = `tenant-${count}`
  await clinic.plain.clinic.create({ data: { id, name: id } })
  return id
}

const write = (client: Client, clinicId: string, number: number) =>
  client.patient.create({ data: { clinicId, number, name: `n${number}` } })
const read = (client: Client, clinicId: string) =>
  client.$forTenant(clinicId).patient.findMany({ where: { clinicId }, orderBy: { number: 'asc' } })
const staleInto = (events: EncryptionEvent[]) => (event: EncryptionEvent) => {
  if (event.type === 'key.stale') events.push(event)
}
const versionOf = async (clinicId: string, number: number) => {
  const row = await clinic.plain.$queryRaw<{ version: number }[]>`
    SELECT k.version FROM patients p JOIN encryption_keys k
      ON position(translate(rtrim(encode(decode('0100' || replace(k.id::text, '-', ''), 'hex'), 'base64'), '='), '+/', '-_') IN p.name) > 0
    WHERE p.clinic_id = ${clinicId} AND p.number = ${number}`
  return row[0]?.version
}
const listeners = async () => {
  const rows = await clinic.plain.$queryRaw<{ pid: number }[]>`
    SELECT pid FROM pg_stat_activity WHERE application_name = 'fieldseal news' AND datname = current_database()
      AND query <> '' AND query NOT LIKE '%pg_backend_pid%' AND state = 'idle'`
  return rows.map(({ pid }) => pid)
}
const listening = (wanted: number) => eventually(async () => expect((await listeners()).length).toBe(wanted))

describe('processes with keys.notify', () => {
  it('drop the keys of a tenant within a second of its shred, and the receipt names each of them', async () => {
    const tenant = await newTenant()
    const [one, two, three] = [app(), app(), app()]
    await write(one, tenant, 1)
    for (const client of [two, three]) expect(await read(client, tenant)).toHaveLength(1)
    await listening(3)
    const receipt = await one.$encryption.shred(tenant)
    // It holds those alone that said so within a second.
    expect(new Set(receipt.acknowledged).size).toBe(3)
    for (const client of [one, two, three]) {
      expect(client.$encryption.stats().cachedDeks).toBe(0)
      expect(await refusalCode(() => read(client, tenant))).toBe('KEY_DESTROYED')
      expect(await refusalCode(() => write(client, tenant, 2))).toBe('KEY_DESTROYED')
    }
  })

  it('write under the new DEK soon after another one has rotated', async () => {
    const tenant = await newTenant()
    const [one, two] = [app(), app()]
    await write(one, tenant, 1)
    await write(two, tenant, 2)
    await listening(2)
    await one.$encryption.rotate({ tenants: tenant })
    let number = 2
    await eventually(async () =>
      expect(
        await (async () => {
          number += 1
          await write(two, tenant, number)
          return versionOf(tenant, number)
        })(),
      ).toBe(2),
    )
    expect(await versionOf(tenant, 2)).toBe(1)
    expect(await read(app(), tenant)).toHaveLength(number)
  })

  it('do not use a DEK any more that an operator has retired and announced', async () => {
    const tenant = await newTenant()
    const client = app()
    await write(client, tenant, 1)
    await listening(1)
    await clinic.plain.encryptionKey.updateMany({ where: { tenant, purpose: 'encrypt' }, data: { state: 'retired' } })
    const news = JSON.stringify({ kind: 'retired', tenant })
    await clinic.plain.$executeRaw`SELECT pg_notify('fieldseal', ${news})`
    let number = 1
    await eventually(async () =>
      expect(
        await (async () => {
          number += 1
          await write(client, tenant, number)
          return versionOf(tenant, number)
        })(),
      ).toBe(2),
    )
  })

  describe('while the KMS is down', () => {
    it.each([
      ['rotated', { by: 'somebody' }],
      ['retired', {}],
      ['destroyed', { id: 'forged' }],
    ] as const)('serve on after forged news that a key was %s', async (kind, more) => {
      const tenant = await newTenant()
      const stale: EncryptionEvent[] = []
      const client = app({ ttl: 300, staleFor: '1h' }, staleInto(stale))
      await listening(1)
      await write(client, tenant, 1)
      clinic.emulator.faults.add({ kind: 'status', status: 503, times: 'always' })
      try {
        const news = JSON.stringify({ kind, tenant, ...more })
        for (let sent = 0; sent < 20; sent += 1) await clinic.plain.$executeRaw`SELECT pg_notify('fieldseal', ${news})`
        await until('the time of the key is over', async () => {
          expect(await read(client, tenant)).toHaveLength(1)
          return stale.length > 0
        })
        await write(client, tenant, 2)
        expect(await versionOf(tenant, 2)).toBe(1)
      } finally {
        clinic.emulator.faults.clear()
      }
    })
  })

  it('tell one from whom the shred did not hear, and believe no name that is none', async () => {
    const tenant = await newTenant()
    const [one, forger] = [app(), new pg.Client({ connectionString: clinic.database.url })]
    await write(one, tenant, 1)
    await listening(1)
    await forger.connect()
    const names = ['\u001b[2Jhost:1:abcdef', 'no name', 'x'.repeat(4_000), 'host.example:12:0a1b2c']
    forger.on('notification', async ({ payload }) => {
      const news = parseNotification(payload)
      if (news?.kind !== 'destroyed') return
      const { id } = news
      for (const process of names) {
        await forger.query('SELECT pg_notify($1, $2)', ['fieldseal', JSON.stringify({ kind: 'dropped', id, process })])
      }
    })
    await forger.query('LISTEN fieldseal')
    const { acknowledged } = await one.$encryption.shred(tenant)
    await forger.end()
    expect(acknowledged.slice(1)).toEqual(['host.example:12:0a1b2c'])
  })

  it('do not acknowledge a shred while they cannot ask the keys table, and serve nothing once they can', async () => {
    const tenant = await newTenant()
    const stale: EncryptionEvent[][] = [[], []]
    const [one, two] = [app({}, staleInto(stale[0]!)), app({ staleFor: '1h' }, staleInto(stale[1]!))]
    await write(one, tenant, 1)
    expect(await read(two, tenant)).toHaveLength(1)
    await listening(2)
    const blind = new pg.Client({ connectionString: clinic.database.url })
    await blind.connect()
    await blind.query('ALTER TABLE encryption_keys RENAME TO elsewhere')
    await blind.query(
      `UPDATE elsewhere SET state = 'destroyed', wrapped = NULL, destroyed_at = now() WHERE tenant = $1`,
      [tenant],
    )
    const heard: string[] = []
    blind.on('notification', ({ payload }) => heard.push(parseNotification(payload)?.kind ?? 'nothing'))
    await blind.query('LISTEN fieldseal')
    const news = JSON.stringify({ kind: 'destroyed', tenant, id: 'by hand' })
    await blind.query(`SELECT pg_notify('fieldseal', $1)`, [news])
    await until('both have asked the keys table in vain', async () => {
      for (const client of [one, two]) expect(await read(client, tenant)).toHaveLength(1)
      return stale.every((events) => events.length > 0)
    })
    expect(heard).toEqual(['destroyed'])
    await blind.query('ALTER TABLE elsewhere RENAME TO encryption_keys')
    await eventually(async () =>
      expect(await refusalCode(() => read(two, tenant)).catch(() => 'readable')).toBe('KEY_DESTROYED'),
    )
    await blind.query(`SELECT pg_notify('fieldseal', $1)`, [news])
    await eventually(() => expect(heard.filter((kind) => kind === 'dropped').length).toBe(2))
    await blind.end()
  })

  it('connect again when the connection is lost, and find out then what they have missed', async () => {
    const [gone, rotated] = [await newTenant(), await newTenant()]
    const client = app()
    for (const tenant of [gone, rotated]) await write(client, tenant, 1)
    await listening(1)
    const deaf = clinic.another()
    const [pid] = await listeners()
    await deaf.$encryption.shred(gone)
    await deaf.$encryption.rotate({ tenants: rotated })
    expect([await read(client, gone), await versionOf(rotated, 1)]).toMatchObject([[{ number: 1 }], 1])
    await clinic.plain.$executeRaw`SELECT pg_terminate_backend(${pid}::int)`
    await eventually(async () => expect((await listeners()).filter((other) => other !== pid).length).toBe(1))
    await eventually(async () =>
      expect(await refusalCode(() => read(client, gone)).catch(() => 'readable')).toBe('KEY_DESTROYED'),
    )
    await eventually(async () =>
      expect(
        await (async () => {
          const { number } = await write(client, rotated, Math.floor(Math.random() * 1e9))
          return versionOf(rotated, number)
        })(),
      ).toBe(2),
    )
  })

  it('are not disturbed by messages that mean nothing to them', async () => {
    const tenant = await newTenant()
    const client = app()
    await write(client, tenant, 1)
    await listening(1)
    for (const text of ['', 'null', '{"kind":"rotated"}', '{"kind":"later","tenant":"x"}', '[1]', 'x'.repeat(7_000)]) {
      await clinic.plain.$executeRaw`SELECT pg_notify('fieldseal', ${text})`
    }
    await write(client, tenant, 2)
    expect(await read(client, tenant)).toHaveLength(2)
    expect(await listeners()).toHaveLength(1)
  })

  it('have no connection left when they are closed', async () => {
    const client = app()
    await listening(1)
    await client.$encryption.close()
    await eventually(async () => expect((await listeners()).length).toBe(0))
    await write(client, await newTenant(), 1)
  })
})

describe('processes with intermediate keys and keys.notify', () => {
  const notifying = {
    notify: () => new pg.Client({ connectionString: clinic.database.url, application_name: 'fieldseal news' }),
  }
  let groups = 0
  beforeEach(() => {
    groups += 1
  })
  /** Each test has a group of its own. */
  const group = () => `group-${groups}`
  function hierarchical(options: Omit<HierarchicalKmsOptions, 'kms'> = {}): Client {
    const name = group()
    const kms = hierarchicalKms({ kms: emulatedKms(clinic.emulator), group: () => name, ttl: '1h', ...options })
    const client = clinic.another({ kms, keys: { ttl: '1h', ...notifying } })
    open.push(client)
    return client
  }
  const writeNew = async (client: Client) => {
    const tenant = await newTenant()
    await write(client, tenant, 1)
    return (await clinic.plain.encryptionKey.findFirstOrThrow({ where: { tenant, purpose: 'encrypt' } })).kekId
  }
  const announce = (kind: string, tenant: string) => {
    const news = JSON.stringify({ kind, tenant, id: 'by hand' })
    return clinic.plain.$executeRaw`SELECT pg_notify('fieldseal', ${news})`
  }
  const change = (tenant: string, data: object) =>
    clinic.plain.encryptionKey.updateMany({ where: { tenant, purpose: 'wrap' }, data })

  it('drop one that was destroyed, all of them, and make no DEK under it', async () => {
    const name = group()
    const [one, two] = [hierarchical(), hierarchical()]
    await listening(2)
    expect(await writeNew(one)).toBe(await writeNew(two))
    await change(name, { state: 'destroyed', wrapped: null })
    expect(await writeNew(one)).toBe(await writeNew(two))
    await announce('destroyed', name)
    for (const client of [one, two]) {
      await eventually(async () =>
        expect(await refusalCode(() => writeNew(client)).catch(() => 'written')).toBe('KMS_KEY_UNUSABLE'),
      )
    }
  })

  it('find out that one was destroyed when they connect again', async () => {
    const name = group()
    const client = hierarchical()
    await writeNew(client)
    await listening(1)
    await change(name, { state: 'destroyed', wrapped: null })
    const [pid] = await listeners()
    await clinic.plain.$executeRaw`SELECT pg_terminate_backend(${pid}::int)`
    await eventually(async () =>
      expect(await refusalCode(() => writeNew(client)).catch(() => 'written')).toBe('KMS_KEY_UNUSABLE'),
    )
  })

  it('wrap no more DEKs under one that was retired and announced', async () => {
    const name = group()
    const client = hierarchical()
    await listening(1)
    const before = await writeNew(client)
    await change(name, { state: 'retired' })
    expect(await writeNew(client)).toBe(before)
    await announce('retired', name)
    await eventually(async () => expect(await writeNew(client)).not.toBe(before))
  })

  it('wrap under the new one soon after another process has made it, by age', async () => {
    const [rotating, other] = [hierarchical({ rotateAfter: 1_000, ttl: 100 }), hierarchical()]
    const before = await writeNew(rotating)
    expect(await writeNew(other)).toBe(before)
    await listening(2)
    await eventually(async () => expect(await writeNew(rotating)).not.toBe(before), { timeout: 5_000, interval: 300 })
    await eventually(async () => expect(await writeNew(other)).not.toBe(before))
  })
})

describe('a process whose keys.notify cannot connect', () => {
  it('works as one without, and a shred says that nobody else has acknowledged', async () => {
    const tenant = await newTenant()
    const client = app({ notify: () => new pg.Client({ connectionString: 'postgresql://nobody@127.0.0.1:1/none' }) })
    await write(client, tenant, 1)
    const receipt = await client.$encryption.shred(tenant)
    expect(receipt.acknowledged).toHaveLength(1)
    expect(await refusalCode(() => read(client, tenant))).toBe('KEY_DESTROYED')
  })

  onPgBouncer('PgBouncer in transaction mode', () => {
    it('is warned of once where nothing would be heard, and has nobody else listen', async () => {
      const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {})
      onTestFinished(() => warn.mockRestore())
      const url = await startPgBouncer(clinic.database.url, 'transaction')
      const client = app({ notify: () => new pg.Client({ connectionString: url }) })
      await eventually(() => expect(warn).toHaveBeenCalledTimes(1))
      const code = 'FIELDSEAL_NOTIFY_POOLED'
      expect(warn).toHaveBeenCalledWith(expect.stringMatching(/pooler/), expect.objectContaining({ code }))
      const tenant = await newTenant()
      await write(client, tenant, 1)
      expect((await client.$encryption.shred(tenant)).acknowledged).toHaveLength(1)
      for (const channels of await askEach(url, 'SELECT pg_listening_channels()')) expect(channels).toEqual([])
    })
  })

  it('is refused when it is no function', () => {
    expect(() => clinic.another({ keys: { notify: 'postgresql://' as never } })).toThrow(
      expect.objectContaining({ code: 'OPTIONS_INVALID' }),
    )
  })
})
