import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { type KmsEmulator, startKmsEmulator } from 'fieldseal/testing'
import { BlindIndex, Encrypted, EncryptionKeyColumns, EncryptionKeys, forTenant, Tenant } from 'fieldseal/typeorm'
import { Column, Entity, PrimaryColumn, type Repository } from 'typeorm'
import { emulatedKms } from '../support/clinic.js'
import { refusal } from '../support/refusal.js'
import { openEntities, type SourceUnderTest } from './openSource.js'
import { emptyTables } from './people.js'

/** What the KMS itself encrypts, value by value. */
@Entity()
class Credential {
  @PrimaryColumn({ type: 'uuid' })
  declare id: string

  @Tenant()
  @Column({ type: 'text' })
  declare org: string

  @Encrypted({ mode: 'kms', nullable: true })
  declare secret: string | null

  @BlindIndex<Credential>('secret')
  declare secretIndex?: string

  @Encrypted({ mode: 'kms', column: 'bytea', nullable: true })
  declare certificate: Uint8Array | null

  @Encrypted({ mode: 'kms', type: 'Json', nullable: true })
  declare settings: unknown

  @Encrypted({ mode: 'kms', array: true, nullable: true })
  declare scopes: string[] | null

  @Encrypted({ mode: 'kms', bind: 'id', mask: 'hidden', nullable: true })
  declare pinned: string | null
}

@EncryptionKeys()
class Keys extends EncryptionKeyColumns {}

let source: SourceUnderTest
let emulator: KmsEmulator
let acme: Repository<Credential>
beforeAll(async () => {
  emulator = await startKmsEmulator()
  const kms = emulatedKms(emulator, { maxRetries: 0 })
  source = await openEntities([Credential, Keys], { defaultTenant: null, encryption: { kms } })
  acme = forTenant(source.dataSource, 'acme').getRepository(Credential)
})
beforeEach(async () => {
  emulator.faults.clear()
  await emptyTables(source)
})
afterAll(async () => {
  await source?.close()
  await emulator.close()
})

const values = () => ({
  id: randomUUID(),
  org: 'acme',
  secret: 'sk_live_秘密',
  certificate: Buffer.from([0, 255]),
  settings: { a: [1, null] },
  scopes: ['read', ''],
  pinned: 'to its row',
})

describe('a column that the KMS encrypts', () => {
  it('gives back what was written, and is found by', async () => {
    const written = values()
    await acme.insert({ ...written })
    expect(await acme.findOneByOrFail({ secret: written.secret })).toMatchObject(written)
    const [row] = await source.stored('SELECT * FROM credential')
    expect(row!.secret).toMatch(/^fs1\.Ag/)
    expect(row!.scopes).toEqual([expect.stringMatching(/^fs1\.Ag/)])
  })

  it('asks the KMS once for each value', async () => {
    await acme.save(values())
    emulator.calls.reset()
    await acme.find()
    expect(emulator.calls.byAction.Decrypt).toBe(5)
  })

  it('of another row or another tenant is refused', async () => {
    const [one, two] = [values(), values()]
    await acme.save([one, { ...two, secret: 'other' }])
    await source.stored('UPDATE credential SET pinned = (SELECT pinned FROM credential WHERE id = $1) WHERE id = $2', [
      one.id,
      two.id,
    ])
    expect(await refusal(() => acme.findOneBy({ id: two.id }))).toMatchObject({
      code: 'DECRYPTION_FAILED',
      message: expect.stringContaining('Credential.pinned'),
    })
    await source.stored(`UPDATE credential SET org = 'globex'`)
    const globex = forTenant(source.dataSource, 'globex').getRepository(Credential)
    expect(await refusal(() => globex.findOneBy({ id: one.id }))).toMatchObject({
      code: expect.stringMatching(/^(DECRYPTION_FAILED|TENANT_MISMATCH)$/),
    })
  })

  it('cannot be read or written while the KMS is down, and is hidden without it', async () => {
    const written = values()
    await acme.save(written)
    emulator.faults.add({ kind: 'status', status: 500, times: 'always' })
    expect((await refusal(() => acme.find())).code).toMatch(/^KMS_/)
    source.takeSql()
    expect((await refusal(() => acme.insert(values()))).code).toMatch(/^KMS_/)
    expect(source.takeSql()).toEqual([])
    const hidden = forTenant(source.dataSource, 'acme', { allow: [] }).getRepository(Credential)
    expect(await hidden.find({ select: { id: true, pinned: true } })).toMatchObject([{ pinned: '•••' }])
  })

  it('is unchanged when the entity is saved again, without a call', async () => {
    await acme.save(values())
    const found = await acme.findOneByOrFail({})
    emulator.calls.reset()
    await acme.save(found)
    expect(emulator.calls.byAction.Encrypt ?? 0).toBe(0)
  })
})
