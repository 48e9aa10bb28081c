import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { addonTarget, type Platform, thisPlatform } from '../../src/crypto/native/addonTarget.js'

const GLIBC = { glibc: '2.28', nodeApi: 9 }
const OTHER = { glibc: undefined, nodeApi: 9 }
const PLATFORMS: { readonly [target: string]: Platform } = {
  'linux-x64-glibc': { platform: 'linux', arch: 'x64', ...GLIBC },
  'linux-arm64-glibc': { platform: 'linux', arch: 'arm64', ...GLIBC },
  'linux-x64-musl': { platform: 'linux', arch: 'x64', ...OTHER },
  'linux-arm64-musl': { platform: 'linux', arch: 'arm64', ...OTHER },
  'darwin-x64': { platform: 'darwin', arch: 'x64', ...OTHER },
  'darwin-arm64': { platform: 'darwin', arch: 'arm64', ...OTHER },
  'win32-x64': { platform: 'win32', arch: 'x64', ...OTHER },
  'win32-arm64': { platform: 'win32', arch: 'arm64', ...OTHER },
}

/** How a file of each format begins, and what says for which processor it is. */
const MACHINES: { readonly [target: string]: (binary: Buffer) => unknown } = {
  linux: (elf) => [elf.toString('latin1', 1, 4), elf.readUInt16LE(18)],
  darwin: (macho) => [macho.readUInt32LE(0).toString(16), macho.readUInt32LE(4)],
  win32: (pe) => [pe.toString('latin1', 0, 2), pe.readUInt16LE(pe.readUInt32LE(0x3c) + 4)],
}
const EXPECTED: { readonly [machine: string]: unknown } = {
  'linux-x64': ['ELF', 62],
  'linux-arm64': ['ELF', 183],
  'darwin-x64': ['feedfacf', 0x01000007],
  'darwin-arm64': ['feedfacf', 0x0100000c],
  'win32-x64': ['MZ', 0x8664],
  'win32-arm64': ['MZ', 0xaa64],
}

describe('the choice of a binary', () => {
  it.each<[string, Partial<Platform>, string]>([
    ['an older Node-API', { nodeApi: 7 }, 'it needs Node-API 8, which this runtime does not have'],
    ['no Node-API', { nodeApi: Number.NaN }, 'it needs Node-API 8, which this runtime does not have'],
    ['another system', { platform: 'freebsd' }, 'no binary is shipped for freebsd-x64'],
    ['another processor', { arch: 'riscv64' }, 'no binary is shipped for linux-riscv64-glibc'],
  ])('says why there is none with %s', (_, other, why) => {
    expect(() => addonTarget({ ...PLATFORMS['linux-x64-glibc']!, ...other })).toThrow(why)
  })

  it.each(Object.keys(PLATFORMS))('is %s there', (target) => {
    expect(addonTarget(PLATFORMS[target]!)).toBe(target)
  })

  it('goes by the C library and the Node-API of this process, and leaves its reports as they were', () => {
    const report = process.report as typeof process.report & { excludeNetwork?: boolean }
    const before = report.excludeNetwork
    const { header } = report.getReport() as unknown as { header: { glibcVersionRuntime?: string } }
    expect(thisPlatform()).toMatchObject({ glibc: header.glibcVersionRuntime, nodeApi: Number(process.versions.napi) })
    expect(report.excludeNetwork).toBe(before)
  })
})

describe('the binaries', () => {
  it('are those that are chosen from, and no others', () => {
    expect(readdirSync('prebuilds').sort()).toEqual(Object.keys(PLATFORMS).sort())
  })

  describe.each(Object.keys(PLATFORMS))('of %s', (target) => {
    const binary = readFileSync(`prebuilds/${target}/fieldseal.node`)
    const [platform = '', arch, libc] = target.split('-')

    it('were built from the source beside them: else run npm run build:addon -- --all', () => {
      const hash = createHash('sha256').update(readFileSync('native/fieldseal.c')).digest('hex')
      expect(binary.includes(hash)).toBe(true)
    })

    it('are for that system and processor', () => {
      expect(MACHINES[platform]!(binary)).toEqual(EXPECTED[`${platform}-${arch}`])
    })

    it('need a C library of theirs, not newer than the oldest that Node.js 20 runs on', () => {
      const text = binary.toString('latin1')
      const versions = [...text.matchAll(/GLIBC_2\.(\d+)/g)].map(([, minor]) => Number(minor))
      expect(text.includes('libc.so.6\0')).toBe(libc === 'glibc')
      expect(text.includes('libc.so\0')).toBe(libc === 'musl')
      expect(Math.max(...versions, 0)).toBeLessThanOrEqual(28)
    })

    it('hold no path of the machine that built them', () => {
      expect(binary.toString('latin1')).not.toMatch(/\/(home|root|tmp|work|Users)\//)
    })
  })
})
