import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from '@jest/globals'
import { startKmsEmulator } from 'fieldseal/testing'
import { readOptions } from '../../examples/clinic/options.js'
import { parseCommandLine } from '../../src/testing/tencent/commandLine.js'
import { onTestFinished } from '../support/onTestFinished.js'

const read = (path: string) => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8')
const compose = read('docker-compose.yml')

/** The list that a key holds in one line, which in YAML is JSON too. */
function listOf(key: string, service: string): string[] {
  const text = compose.split(new RegExp(`^  ${service}:$`, 'm'))[1]?.split(/^\S|^ {2}\S/m)[0] ?? ''
  const [, list = ''] = new RegExp(`^ +${key}: (\\[.+\\])$`, 'm').exec(text) ?? []
  return JSON.parse(list) as string[]
}

const [program, script, ...args] = listOf('command', 'kms')

describe('docker-compose.yml', () => {
  it('publishes no port beyond this machine', () => {
    const ports = Array.from(compose.matchAll(/^ +- "?([^"\n]+:\d+)"?$/gm), ([, port]) => port)
    expect(ports).toEqual([`127.0.0.1:\${POSTGRES_PORT:-5432}:5432`, `127.0.0.1:\${KMS_PORT:-8100}:8100`])
  })

  it('runs the emulator that the package has, with options that it takes', () => {
    const { bin } = JSON.parse(read('package.json')) as { bin: { readonly [command: string]: string } }
    expect([program, script]).toEqual(['node', bin['fieldseal-kms-emulator']])
    expect(parseCommandLine(args, {})).toMatchObject({
      host: '0.0.0.0',
      port: 8100,
      admin: true,
      stateFile: '/state/kms.json',
    })
    expect(compose).toContain('- kms:/state\n')
  })

  it('checks the emulator’s health where it answers', async () => {
    const { stateFile: _, ...options } = parseCommandLine(args, {})!
    const emulator = await startKmsEmulator({ ...options, host: '127.0.0.1', port: 0 })
    onTestFinished(() => emulator.close())
    const [, path = ''] = /fetch\('http:\/\/127\.0\.0\.1:8100([^']+)'\)/.exec(listOf('test', 'kms').join(' ')) ?? []
    expect((await fetch(emulator.url + path)).status).toBe(200)
    expect((await fetch(`${emulator.url + path}y`)).ok).toBe(false)
  })

  it('gives the emulator the credential and the key that the demo looks for', () => {
    const { address } = readOptions(['--kms-endpoint', 'http://127.0.0.1:8100'], {})
    expect(parseCommandLine(args, {})).toMatchObject({ keys: [{ alias: 'fieldseal' }] })
    expect(parseCommandLine(args, {})).not.toHaveProperty('credentials')
    expect(address).toMatchObject({ secretId: 'AKIDemulator', secretKey: 'emulator-secret-key', keyId: undefined })
  })
})
