import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { refusalCode } from '../../support/refusal.js'
import { copyDatabase, exchangeDatabases } from './copies.js'
import { type Hotel, openHotel } from './hotel.js'
import { blocksOf, commandsOf } from './runbook.js'

const PAGE = 'recovered-to-earlier.md'

let hotel: Hotel
beforeAll(async () => {
  hotel = await openHotel(8)
})
afterAll(() => hotel?.close())

/** What the page's names stand for, and how this test need not wait for hours. */
const TENANTS: Record<string, string> = { acme: 'adlon', globex: 'ritz' }
const QUICK = { GUESTS_TTL: '1' }

describe(`docs/runbooks/${PAGE}`, () => {
  it('saves what a process wrote that was not stopped, shreds again, and has every row found', async () => {
    const { add, command, found, keys } = hotel
    expect(await command(['encrypt'])).toMatchObject({ code: 0, errors: '' })
    const past = await copyDatabase(hotel.url, 'past')

    const operator = await hotel.process({ keys: { ttl: 1, staleFor: 0 } })
    await operator.encryption.rotate({ tenants: ['ritz'] })
    await operator.encryption.rotateIndexKeys({ database: hotel.pool, tenant: 'ritz', settle: 1 })
    await operator.encryption.shred('adlon')
    const running = await hotel.process()
    for (const tenant of ['ritz', 'young']) await running.add(tenant, 'since@x.org')
    const before = [
      ...['adlon encrypt 1 destroyed', 'adlon index 1 destroyed', 'ritz encrypt 1 retired', 'ritz encrypt 2 active'],
      ...['ritz index 1 destroyed', 'ritz index 2 active', 'young encrypt 1 active', 'young index 1 active'],
    ]
    expect(await keys()).toEqual(before)

    await exchangeDatabases(hotel.url, past)
    const recovered = ['adlon encrypt 1 active', 'adlon index 1 active', 'ritz encrypt 1 active', 'ritz index 1 active']
    expect(await keys()).toEqual(recovered)
    for (const tenant of ['ritz', 'young']) await running.add(tenant, 'late@x.org')
    expect(await found('ritz', 'late@x.org')).toBe(0)
    expect(await refusalCode(() => found('young', 'late@x.org'))).toBe('KEY_MISSING')
    expect(await found('adlon', 'g1@x.org')).toBe(1)

    const [exporting, ...onRecovered] = blocksOf(PAGE)
    const [exported] = commandsOf(exporting!)
    expect(await command(exported!, { GUESTS_URL: past })).toMatchObject({ code: 0, errors: '' })
    const outputs: string[] = []
    for (const args of onRecovered.flatMap(commandsOf)) {
      const named = args.map((arg) => TENANTS[arg] ?? arg)
      const quick = args[0] === 'rotate' ? ['--settle', '1ms'] : []
      const { code, output, errors } = await command([...named, ...quick], QUICK)
      expect(errors).toBe('')
      outputs.push(`${args[0]} ${code}\n${output}`)
    }
    const [dry, restored, shredded, looked, verified, rotated] = outputs
    expect(dry).toMatch(/^keys 0\n4 keys would be restored, 0 there already, 2 would be brought up to date/)
    expect(restored).toMatch(/^keys 3\n4 keys restored/)
    expect(restored).toContain("fieldseal shred --tenant 'adlon'")
    expect(restored).toContain("fieldseal rotate --purpose index --tenant 'ritz'")
    expect(shredded).toMatch(/^shred 0\n/)
    expect(looked).toMatch(/^doctor 0\n/)
    expect(looked).toContain("→ fieldseal rotate --purpose index --tenant 'ritz'")
    expect(verified).toMatch(/^verify 3\n/)
    expect(verified!.match(/^(?!KEY_DESTROYED)[A-Z]+_[A-Z_]+ /gm)).toBeNull()
    expect(rotated).toMatch(/^rotate 0\n/)

    expect(await keys()).toEqual(before)
    for (const email of ['g2@x.org', 'late@x.org']) expect(await found('ritz', email)).toBe(1)
    expect(await found('young', 'late@x.org')).toBe(1)
    expect(await refusalCode(() => found('adlon', 'g1@x.org'))).toBe('KEY_DESTROYED')
    expect(await refusalCode(() => add('adlon', 'new@x.org'))).toBe('KEY_DESTROYED')
  }, 300_000)
})
