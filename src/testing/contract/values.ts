import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { assertBytes, type Cell, newValueIdentity, type Section } from './trial.js'

const LENGTHS = [1, 32, 33, 4_095, 4_096]

/** Values that the KMS itself encrypts. */
export const values: Section = {
  title: 'a value',
  cells: [
    ...LENGTHS.map((length): Cell => {
      return {
        title: `of ${length} bytes is decrypted by another process, and left as it is where it was given`,
        needs: ['values'],
        run: async (trial) => {
          const [value, identity] = [randomBytes(length), newValueIdentity()]
          const given = Buffer.from(value)
          const ciphertext = await trial.timely(trial.kmsOf().encrypt!(given, identity))
          assertBytes(given, value, 'The value that was given')
          assertBytes(await trial.timely(trial.kmsOf().decrypt!(ciphertext, identity)), value, 'The decrypted value')
        },
      }
    }),
    {
      title: 'may hold any bytes',
      needs: ['values'],
      run: async (trial) => {
        const [kms, identity] = [trial.kmsOf(), newValueIdentity()]
        for (const value of [Buffer.alloc(16), Buffer.alloc(16, 0xff), Buffer.from('\r\n\0"{}租户')])
          assertBytes(await kms.decrypt!(await kms.encrypt!(value, identity), identity), value, 'The value')
      },
    },
    {
      title: 'that is encrypted twice has two ciphertexts',
      needs: ['values'],
      run: async (trial) => {
        const [kms, identity, value] = [trial.kmsOf(), newValueIdentity(), randomBytes(32)]
        assert.notEqual(await kms.encrypt!(value, identity), await kms.encrypt!(value, identity))
      },
    },
    {
      title: 'does not show in its ciphertext',
      needs: ['values'],
      run: async (trial) => {
        const { ciphertext } = await trial.prepared()
        trial.secretive(ciphertext)
        for (const part of ciphertext.split(/[^A-Za-z0-9+/=_-]+/))
          trial.secretive(Buffer.from(part, 'base64').toString('latin1'))
      },
    },
    {
      title: 'has memory of its own when it is decrypted, and belongs to the caller',
      needs: ['values'],
      run: async (trial) => {
        const { ciphertext, valueIdentity, value } = await trial.prepared()
        const kms = trial.kmsOf()
        const [one, other] = [
          await kms.decrypt!(ciphertext, valueIdentity),
          await kms.decrypt!(ciphertext, valueIdentity),
        ]
        assert.equal(one.buffer.byteLength, one.length, 'The value is a part of other memory.')
        one.fill(0)
        assertBytes(other, value, 'The value of another caller')
      },
    },
    {
      title: 'is one of as many at once as "concurrency" says, if it says so',
      needs: ['values'],
      run: async (trial) => {
        const { concurrency } = trial.kmsOf()
        assert.ok(concurrency === undefined || (Number.isInteger(concurrency) && concurrency > 0))
      },
    },
  ],
}
