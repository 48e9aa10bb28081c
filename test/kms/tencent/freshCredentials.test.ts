import { createRequire } from 'node:module'
import { describe, expect, it } from '@jest/globals'
import { kms as sdk } from 'tencentcloud-sdk-nodejs-kms/tencentcloud/services/kms/index.js'
import { freshCredentials } from '../../../src/kms/tencent/freshCredentials.js'
import { tencentKms } from '../../../src/kms/tencent/tencentKms.js'
import { startKmsEmulator } from '../../../src/testing/tencent/kmsEmulator.js'
import { onTestFinished } from '../../support/onTestFinished.js'

interface Provider {
  getCredential(): Promise<{ secretId: string; secretKey: string }>
}
const sdkCredentials: unknown = createRequire(import.meta.url)(
  'tencentcloud-sdk-nodejs-kms/tencentcloud/common/credential.js',
)
const { STSCredential } = sdkCredentials as { STSCredential: new (config: object, role: object) => Provider }

const good = { secretId: 'AKIDgood', secretKey: 'good' }

/** A provider as the SDK's: it keeps its first promise, also a rejected one. */
function remembering(fetch: () => Promise<typeof good>): Provider {
  let task: Promise<typeof good> | undefined
  return {
    getCredential: () => {
      task ??= fetch()
      return task
    },
  }
}

describe('freshCredentials', () => {
  it('refuses what is not a function that makes a provider, and a timeout of nothing', () => {
    const provider = remembering(async () => good)
    expect(() => freshCredentials(provider as never)).toThrow(expect.objectContaining({ code: 'OPTIONS_INVALID' }))
    expect(() => freshCredentials(() => provider, { timeout: 0 })).toThrow(/"timeout"/)
  })

  it('makes a new provider after a rejection, and keeps one that works', async () => {
    let made = 0
    const credential = freshCredentials(() => {
      made += 1
      const broken = made < 3
      return remembering(() => (broken ? Promise.reject(new Error('down')) : Promise.resolve(good)))
    })
    for (let failures = 0; failures < 2; failures += 1) {
      await expect(credential.getCredential()).rejects.toMatchObject({ code: 'KMS_DENIED' })
    }
    await expect(credential.getCredential()).resolves.toEqual(good)
    await expect(credential.getCredential()).resolves.toEqual(good)
    expect(made).toBe(3)
  })

  it('makes a new provider after one that hangs, and after one that could not be made', async () => {
    const makes = [
      () => remembering(() => new Promise(() => {})),
      () => {
        throw new Error('no role')
      },
      () => remembering(async () => good),
    ]
    const credential = freshCredentials(() => makes.shift()!(), { timeout: 20 })
    await expect(credential.getCredential()).rejects.toMatchObject({ code: 'KMS_DENIED' })
    await expect(credential.getCredential()).rejects.toMatchObject({ code: 'KMS_DENIED' })
    await expect(credential.getCredential()).resolves.toEqual(good)
  })

  it('makes one new provider for all that wait for a broken one', async () => {
    let made = 0
    const credential = freshCredentials(() => {
      made += 1
      const broken = made === 1
      return remembering(() => (broken ? Promise.reject(new Error('down')) : Promise.resolve(good)))
    })
    const first = await Promise.allSettled([1, 2, 3].map(() => credential.getCredential()))
    expect(first.map((each) => each.status)).toEqual(['rejected', 'rejected', 'rejected'])
    await Promise.all([1, 2, 3].map(() => credential.getCredential()))
    expect(made).toBe(2)
  })

  it("passes the provider's error to onError and to nobody else", async () => {
    const seen: unknown[] = []
    const cause = new Error('"SecretKey":"abc" is not valid JSON')
    const credential = freshCredentials(() => remembering(() => Promise.reject(cause)), {
      onError: (error) => seen.push(error),
    })
    const error: unknown = await credential.getCredential().catch((thrown: unknown) => thrown)
    expect(seen).toEqual([cause])
    expect(String((error as Error).stack)).not.toContain('abc')
    expect(error).not.toHaveProperty('cause')
  })

  it("lets the SDK's own provider recover, which it never does by itself", async () => {
    const emulator = await startKmsEmulator()
    onTestFinished(() => emulator.close())
    const { credential: working, ...config } = emulator.clientConfig()
    const sts = () => new STSCredential({ credential: working, ...config }, { RoleArn: 'r', RoleSessionName: 's' })
    const credentials = { Credentials: { TmpSecretId: working.secretId, TmpSecretKey: working.secretKey } }
    const assumed = JSON.stringify({ Response: { ...credentials, ExpiredTime: Date.now() / 1000 + 3_600 } })
    const outage = () => {
      emulator.faults.add({ kind: 'status', status: 503, action: 'AssumeRole' })
      emulator.faults.add({ kind: 'body', body: assumed, action: 'AssumeRole', times: 'always' })
    }
    const identity = { key: 'k', purpose: 'encrypt', tenant: 'acme' } as const
    const kmsWith = (credential: Provider, maxRetries: number) =>
      tencentKms({ client: new sdk.v20190118.Client({ ...config, credential }), keyId: emulator.keyId, maxRetries })

    outage()
    const stuck = kmsWith(sts(), 0)
    await expect(stuck.generate(identity)).rejects.toMatchObject({ code: 'KMS_UNAVAILABLE' })
    await expect(stuck.generate(identity)).rejects.toMatchObject({ code: 'KMS_UNAVAILABLE' })

    emulator.faults.clear()
    outage()
    const fresh = kmsWith(freshCredentials(sts), 0)
    await expect(fresh.generate(identity)).rejects.toMatchObject({
      code: 'KMS_DENIED',
      message: expect.stringContaining('credentials could not be fetched'),
    })
    await expect(fresh.generate(identity)).resolves.toMatchObject({ kekId: emulator.keyId })

    emulator.faults.clear()
    outage()
    await expect(kmsWith(freshCredentials(sts), 1).generate(identity)).resolves.toBeDefined()
  })
})
