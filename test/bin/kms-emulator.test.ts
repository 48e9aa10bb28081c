import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from '@jest/globals'
import { kms as sdk } from 'tencentcloud-sdk-nodejs-kms/tencentcloud/services/kms/index.js'
import { onTestFinished } from '../support/onTestFinished.js'

const command = fileURLToPath(new URL('../../src/bin/kms-emulator.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'kms-emulator-command-'))
afterAll(() => rmSync(folder, { recursive: true }))

function run(args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  const child = spawn(process.execPath, ['--import', 'tsx', command, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  return child
}

async function firstLine(stream: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: stream })) return line
  return ''
}

async function start(args: readonly string[]) {
  const child = run(['--port', '0', '--secret-id', 'AKIDtest', '--secret-key', 'hush-hush', ...args])
  const line = await firstLine(child.stdout!)
  const [, endpoint = '', keyId = ''] = /on http:\/\/(\S+), key (\S+), secret id AKIDtest/.exec(line) ?? []
  const credential = { secretId: 'AKIDtest', secretKey: 'hush-hush' }
  const profile = { httpProfile: { protocol: 'http://', endpoint, agent: new Agent() } }
  const client = new sdk.v20190118.Client({ credential, region: 'ap-guangzhou', profile })
  return { child, line, keyId, client }
}

async function stop(child: ChildProcess, signal: 'SIGTERM' | 'SIGINT') {
  child.kill(signal)
  const [code] = await once(child, 'exit')
  return code as number | null
}

describe('kms-emulator', () => {
  it('prints one line about a bad option and fails', async () => {
    const child = run(['--port', 'many'])
    const exit = once(child, 'exit')
    expect(await firstLine(child.stderr!)).toBe('--port must be a number from 0 to 65535, not "many". See --help.')
    expect((await exit)[0]).toBe(1)
  })

  it('does not start in production with the credential that everybody knows, unless it is told to', async () => {
    const production = { NODE_ENV: 'production' }
    for (const args of [[], ['--secret-id', 'AKIDtest', '--secret-key', 'hush-hush', '--admin']]) {
      const child = run(['--port', '0', ...args], production)
      const exit = once(child, 'exit')
      expect(await firstLine(child.stderr!)).toMatch(/NODE_ENV is "production".*--allow-in-production/)
      expect((await exit)[0]).toBe(1)
    }
    for (const args of [['--secret-id', 'AKIDtest', '--secret-key', 'hush-hush'], ['--allow-in-production']]) {
      const child = run(['--port', '0', ...args], production)
      expect(await firstLine(child.stdout!)).toContain('not for production')
      expect(await stop(child, 'SIGTERM')).toBe(0)
    }
  })

  it('prints its endpoint and key but not its secret, serves the SDK, and keeps its keys over a restart', async () => {
    const state = join(folder, 'state.json')
    const first = await start(['--state', state])
    expect(first.line).not.toContain('hush-hush')
    const made = await first.client.GenerateDataKey({ KeyId: first.keyId, KeySpec: 'AES_256' })
    expect(await stop(first.child, 'SIGTERM')).toBe(0)
    const second = await start(['--state', state])
    expect(second.keyId).toBe(first.keyId)
    const opened = await second.client.Decrypt({ CiphertextBlob: made.CiphertextBlob ?? '' })
    expect(opened.Plaintext).toBe(made.Plaintext)
    expect(await stop(second.child, 'SIGINT')).toBe(0)
  })
})
