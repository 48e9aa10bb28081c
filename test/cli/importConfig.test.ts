import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { importConfig } from '../../src/cli/importConfig.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fieldseal-config-'))
})
afterEach(() => rm(folder, { recursive: true }))

it('says so when decorators must be compiled by a TypeScript that compiles for nobody else', async () => {
  await mkdir(join(folder, 'node_modules/typescript'), { recursive: true })
  await writeFile(join(folder, 'node_modules/typescript/index.js'), 'module.exports = { version: "7.0.2" }')
  const path = join(folder, 'fieldseal.config.ts')
  await writeFile(path, '@Entity() class User { id!: number }\nexport default {}')
  await expect(importConfig(path)).rejects.toThrow('typescript@5')
})
