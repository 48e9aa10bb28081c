import { existsSync } from 'node:fs'
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

/** A project with an answer to `import 'typescript'`, and a configuration; answers what comes of loading that. */
async function load(typescript: string, config: string): Promise<unknown> {
  for (const [name, text] of [
    ['typescript', typescript],
    ['@acme/settings', 'module.exports = { name: "acme" }'],
  ] as const) {
    await mkdir(join(folder, 'node_modules', name), { recursive: true })
    await writeFile(join(folder, 'node_modules', name, 'index.js'), text)
  }
  // Loaded once is loaded for good.
  const path = join(await mkdtemp(join(folder, 'config-')), 'fieldseal.config.ts')
  await writeFile(path, config)
  return importConfig(path)
}

it('says so when decorators must be compiled by a TypeScript that compiles for nobody else', async () => {
  const typescript7 = 'module.exports = { version: "7.0.2" }'
  for (const config of [
    '@Entity() class User { id!: number }',
    'export @Entity() class User { id!: number }',
    'class User {\n  @Column() id!: number\n}',
    'class User { constructor(private readonly a: A, @Inject() b: B) {} }',
    'class User { id = 1; /* of the table */ @Column id!: number }',
  ]) {
    await expect(load(typescript7, `${config}\nexport default {}`)).rejects.toThrow('typescript@5')
  }
})

it('loads no TypeScript for a configuration without decorators, whatever else begins with their sign', async () => {
  const config = `import settings from '@acme/settings'
    // @ts-nocheck
    /**
     * @see {@link https://example.com}
     */
    export const schema = 'model User {\\n  id Int @id @default(autoincrement()) @db.Integer\\n}', to = 'a@example.com'
    export default { client: settings.name as string }`
  const loaded = join(folder, 'loaded')
  const typescript7 = `require('node:fs').writeFileSync(${JSON.stringify(loaded)}, ''); module.exports = { version: '7.0.2' }`
  expect(await load(typescript7, config)).toEqual({ client: 'acme' })
  expect(existsSync(loaded)).toBe(false)
  await expect(load(typescript7, `@Entity() class User {}\n${config}`)).rejects.toThrow('typescript@5')
  expect(existsSync(loaded)).toBe(true)
})
