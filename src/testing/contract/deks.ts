import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { DekIdentity } from '../../keys/kms.js'
import { assertBytes, type Cell, dekIdentity, KMS_CODES, type Section } from './trial.js'

const PURPOSES: readonly DekIdentity['purpose'][] = ['encrypt', 'index', 'wrap', 'check', 'maintenance']
const TENANTS = ['acme', '*', '租户-"一"', '🏥\\', 'a b\t{"c":1}', 't'.repeat(900)]

/** DEKs, as long as nothing is wrong. */
export const deks: Section = {
  title: 'a DEK',
  cells: [
    ...PURPOSES.map(
      (purpose): Cell => ({
        title: `is 32 bytes, and another process unwraps it (purpose ${purpose})`,
        run: async (trial) => {
          const identity = dekIdentity({ purpose })
          const { dek, ...wrapped } = await trial.timely(trial.kmsOf().generate(identity))
          assert.equal(dek.length, 32)
          assertBytes(await trial.timely(trial.kmsOf().unwrap(wrapped, identity)), dek, 'The unwrapped DEK')
        },
      }),
    ),
    ...TENANTS.map(
      (tenant): Cell => ({
        title: `may be of the tenant ${JSON.stringify(tenant.length > 40 ? `${tenant.slice(0, 3)}… (900)` : tenant)}`,
        run: async (trial) => {
          const identity = dekIdentity({ tenant })
          const { dek, ...wrapped } = await trial.timely(trial.kmsOf().generate(identity))
          assertBytes(await trial.timely(trial.kmsOf().unwrap(wrapped, identity)), dek, 'The unwrapped DEK')
        },
      }),
    ),
    {
      title: 'of a tenant whose id is very long works, or is TENANT_INVALID',
      run: async (trial) => {
        const identity = dekIdentity({ tenant: 't'.repeat(2_000) })
        const making = trial.timely(trial.kmsOf().generate(identity))
        const code = await making.then(
          () => undefined,
          (error: { readonly code?: unknown }) => error.code,
        )
        if (code !== undefined) return assert.equal(code, 'TENANT_INVALID')
        const { dek, ...wrapped } = await making
        assertBytes(await trial.kmsOf().unwrap(wrapped, identity), dek, 'The unwrapped DEK')
      },
    },
    {
      title: 'is never made twice, nor is its wrapped text',
      run: async (trial) => {
        const [kms, identity] = [trial.kmsOf(), dekIdentity()]
        const made = await trial.timely(Promise.all(Array.from({ length: 16 }, () => kms.generate(identity))))
        const again = await trial.timely(trial.kmsOf().generate(identity))
        const all = [...made, again]
        assert.equal(new Set(all.map(({ dek }) => dek.toString('hex'))).size, all.length, 'A DEK was given twice.')
        assert.equal(new Set(all.map(({ wrapped }) => wrapped)).size, all.length, 'A wrapped text was given twice.')
      },
    },
    {
      title: 'has memory of its own, so that zeroing it leaves no copy in a pool',
      run: async (trial) => {
        const { wrapped, identity } = await trial.prepared()
        const { dek } = await trial.kmsOf().generate(identity)
        for (const buffer of [dek, await trial.kmsOf().unwrap(wrapped, identity)])
          assert.equal(buffer.buffer.byteLength, 32, 'The DEK is a part of other memory.')
      },
    },
    {
      title: 'belongs to the caller: zeroing it takes it from nobody else',
      run: async (trial) => {
        const { wrapped, identity, dek } = await trial.prepared()
        const kms = trial.kmsOf()
        const [one, other] = await Promise.all([kms.unwrap(wrapped, identity), kms.unwrap(wrapped, identity)])
        one.fill(0)
        assertBytes(other, dek, 'The DEK of another caller')
        assertBytes(await kms.unwrap(wrapped, identity), dek, 'The DEK, when it is unwrapped again,')
        const made = await kms.generate(identity)
        const kept = Buffer.from(made.dek)
        made.dek.fill(0)
        assertBytes(await kms.unwrap(made, identity), kept, 'The DEK, after the maker has zeroed it,')
      },
    },
    {
      title: 'does not show in its wrapped text',
      run: async (trial) => {
        const { wrapped } = await trial.prepared()
        trial.secretive(wrapped)
        for (const form of ['base64', 'hex', 'utf8'] as const) {
          for (const part of wrapped.wrapped.split(/[^A-Za-z0-9+/=_-]+/))
            trial.secretive(Buffer.from(part, form).toString('latin1'))
        }
      },
    },
    {
      title: 'that another Kms made is taken over, and left as it is',
      needs: ['wrap'],
      run: async (trial) => {
        const [dek, identity] = [randomBytes(32), dekIdentity()]
        const given = Buffer.from(dek)
        const wrapped = await trial.timely(trial.kmsOf().wrap!(given, identity))
        assertBytes(given, dek, 'The DEK that was given')
        assertBytes(await trial.timely(trial.kmsOf().unwrap(wrapped, identity)), dek, 'The unwrapped DEK')
      },
    },
    ...[0, 16, 31, 33, 64].map(
      (length): Cell => ({
        title: `of ${length} bytes does not come out, whoever wrapped it`,
        needs: ['wrap'],
        run: async (trial) => {
          const [key, identity] = [randomBytes(length), dekIdentity()]
          trial.known(key)
          const both = async () => trial.kmsOf().unwrap(await trial.kmsOf().wrap!(Buffer.from(key), identity), identity)
          await trial.refused(both, KMS_CODES)
        },
      }),
    ),
    {
      title: 'is the same one after a rewrap, and opens under both texts',
      needs: ['rewrap'],
      run: async (trial) => {
        const { wrapped, identity, dek } = await trial.prepared()
        const moved = await trial.timely(trial.kmsOf().rewrap!(wrapped, identity))
        assertBytes(await trial.kmsOf().unwrap(moved, identity), dek, 'The rewrapped DEK')
        assertBytes(await trial.kmsOf().unwrap(wrapped, identity), dek, 'The DEK under its older text')
      },
    },
    {
      title: 'that nothing is newer for comes back from a rewrap as it was given',
      needs: ['rewrap'],
      run: async (trial) => {
        const { wrapped, identity } = await trial.prepared()
        const { wrapped: text, kekId } = await trial.timely(trial.kmsOf().rewrap!(wrapped, identity))
        assert.deepEqual({ text, kekId }, { text: wrapped.wrapped, kekId: wrapped.kekId })
      },
    },
    {
      title: 'is unwrapped by all who ask at once',
      run: async (trial) => {
        const { wrapped, identity, dek } = await trial.prepared()
        const kms = trial.kmsOf()
        const all = await trial.timely(Promise.all(Array.from({ length: 50 }, () => kms.unwrap(wrapped, identity))))
        for (const each of all) assertBytes(each, dek, 'The DEK')
      },
    },
    {
      title: 'is made by a Kms with a name that stays, which shows no secret when it is inspected',
      run: async (trial) => {
        const [one, other] = [trial.kmsOf(), trial.kmsOf()]
        assert.ok(typeof one.name === 'string' && one.name !== '', 'The Kms has no name.')
        assert.equal(one.name, other.name)
        await trial.prepared(one)
        trial.secretive(one)
      },
    },
  ],
}
