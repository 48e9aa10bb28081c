import { existsSync, readdirSync, rmSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { DOTENV } from '../../src/cli/init/dotenv.js'
import { findDataSource } from '../../src/cli/init/findDataSource.js'
import { planTypeormInit, type TypeormInitPlan } from '../../src/cli/init/planTypeorm.js'
import { initProject } from './initProject.js'

const SOURCE = `import { fieldEncryption } from 'fieldseal/typeorm'
import { DataSource } from 'typeorm'

export const dataSource = fieldEncryption(new DataSource({ type: 'postgres', entities: [User, EncryptionKey] }), { kms })
`
const KEYS = `@EncryptionKeys()
@Entity('encryption_keys')
export class EncryptionKey extends EncryptionKeyColumns {}
`

type Files = { readonly [path: string]: string }

const sourcesOf = (files: Files) => Object.entries(files).map(([path, text]) => ({ path: `/app/${path}`, text }))
const plan = (files: Files, config?: string, isModule = false): TypeormInitPlan =>
  planTypeormInit({
    root: '/app',
    sources: sourcesOf(files),
    config: config === undefined ? undefined : { path: '/app/fieldseal.config.ts', text: config },
    isModule,
  })

describe('fieldseal init in a project with TypeORM', () => {
  it('writes a configuration that imports the data source that a file exports', () => {
    const { changes, missing } = plan({ 'src/db/dataSource.ts': SOURCE, 'src/keys.ts': KEYS })
    expect(missing).toEqual([])
    expect(changes).toMatchObject([{ path: '/app/fieldseal.config.ts', before: null }])
    expect(changes[0]!.after).toContain(`import { dataSource } from './src/db/dataSource'`)
    expect(changes[0]!.after).toMatch(/defineConfig\(\{\n {2}dataSource,\n/)
  })

  it('reads .env before it loads the data source', () => {
    const input = { root: '/app', config: undefined, isModule: true, hasEnvFile: true }
    const sources = sourcesOf({ 'src/db.ts': SOURCE })
    const { after } = planTypeormInit({ ...input, sources }).changes[0]!
    expect(after).toMatch(/\nif \(existsSync\('\.env'\)\) process\.loadEnvFile\(\)\n/)
    expect(after).toContain(`dataSource: async () => (await import('./src/db.js')).dataSource,`)
    const byDotenv = planTypeormInit({ ...input, sources, env: DOTENV }).changes[0]!.after
    expect(byDotenv).toMatch(/^import 'dotenv\/config'\n/)
    expect(byDotenv).toContain(`import { dataSource } from './src/db.js'`)
  })

  it.each([
    ['ES modules', 'src/db.ts', true, './src/db.js'],
    ['.mts', 'src/db.mts', false, './src/db.mjs'],
    ['the root', 'data-source.ts', false, './data-source'],
  ])('imports as %s want it', (_, path, isModule, imported) => {
    expect(plan({ [path]: SOURCE }, undefined, isModule).changes[0]!.after).toContain(`from '${imported}'`)
  })

  it.each([
    ['AppDataSource', 'export const AppDataSource = new DataSource({})'],
    ['AppDataSource', 'export const AppDataSource: DataSource =\n  await fieldEncryption(new DataSource({}), {})'],
    ['default', 'export default new DataSource({})'],
    ['default', 'const source = new DataSource({})\nexport default source'],
    ['source', 'const source = new DataSource({})\nexport { other, source }'],
    ['db', 'const source = fieldEncryption(new DataSource({}), {})\nexport { source as db }'],
    ['db', 'const plain = new DataSource({})\nexport const db = fieldEncryption(plain, {})'],
    [undefined, 'const source = new DataSource({})'],
    [undefined, '// export const source = new DataSource({})'],
    [undefined, 'export const client = fieldEncryption(options)'],
  ])('finds %s in: %s', (name, text) => {
    expect(findDataSource(sourcesOf({ 'a.ts': text }))?.name).toBe(name)
  })

  it('takes the data source that encrypts before others, and by its name', () => {
    const { changes } = plan({
      'a.ts': 'export const old = new DataSource({})',
      'b.ts': SOURCE.replace('dataSource =', 'AppDataSource ='),
    })
    expect(changes[0]!.after).toContain(`import { AppDataSource } from './b'`)
    expect(changes[0]!.after).toContain('dataSource: AppDataSource,')
  })

  it('says what the code of the application lacks', () => {
    const plain = `export const dataSource = new DataSource({ entities: [User] })`
    const { missing } = plan({ 'src/db.ts': plain })
    expect(missing).toEqual([
      expect.stringMatching(/^encryption in src\/db\.ts, before initialize\(\):[\s\S]+fieldEncryption\(new DataSource/),
      expect.stringMatching(/^an entity that stores the keys:\n\n {4}import [\s\S]+@EncryptionKeys\(\)\n/),
    ])
    const left = plan({ 'src/db.ts': SOURCE.replace(', EncryptionKey', ''), 'src/keys.ts': KEYS })
    expect(left.missing).toEqual(['EncryptionKey among the "entities" of the data source in src/db.ts'])
    const folders = plan({ 'src/db.ts': SOURCE.replace('[User, EncryptionKey]', `['src/*.ts']`), 'src/keys.ts': KEYS })
    expect(folders.missing).toEqual([])
    const schemas = plan({ 'src/db.ts': SOURCE, 'src/keys.ts': 'export const EncryptionKey = encryptionKeys()' })
    expect(schemas.missing).toEqual([])
  })

  it('writes a configuration that makes a data source of the entities where no file exports one', () => {
    const { changes } = plan({
      'src/user.entity.ts': '@Entity()\n@Index(["a"])\nexport class User {}\n\n@Entity() export class Post {}',
      'src/keys.ts': KEYS,
      'src/service.ts': '@Injectable()\nexport class Users {}',
    })
    const { after } = changes[0]!
    expect(after).toContain(
      `import { User, Post } from './src/user.entity'\nimport { EncryptionKey } from './src/keys'\n`,
    )
    expect(after).toContain('entities: [User, Post, EncryptionKey]')
    expect(plan({ 'src/keys.ts': KEYS, 'fieldseal.config.ts': after }, after)).toEqual({ changes: [], missing: [] })
  })
})

describe('the command fieldseal init', () => {
  const { at, init, read, write } = initProject()

  it('knows a project with TypeORM, changes none of its code, and finds nothing to add then', () => {
    write('package.json', '{"dependencies": {"typeorm": "^1.1.0"}}')
    write('src/dataSource.ts', SOURCE)
    write('src/dataSource.test.ts', 'export const dataSource = new DataSource({})')
    write('node_modules/other/index.js', 'export const dataSource = new DataSource({})')
    const asked = init()
    expect(asked).toMatchObject({ code: 2, errors: expect.stringContaining('say --yes') })
    expect(asked.output).toMatch(/^--- \/dev\/null\n\+\+\+ fieldseal\.config\.ts/)
    expect(asked.output).toContain('Missing, for you to add: an entity that stores the keys')
    expect(init('--dry-run')).toMatchObject({ code: 0 })
    expect(existsSync(at('fieldseal.config.ts'))).toBe(false)

    const written = init('--yes')
    expect(written).toMatchObject({ code: 0, output: expect.stringContaining('@Tenant() @Column()') })
    expect(read('fieldseal.config.ts')).toContain(`from './src/dataSource'`)
    expect(readdirSync(at('src')).sort()).toEqual(['dataSource.test.ts', 'dataSource.ts'])
    expect(read('src/dataSource.ts')).toBe(SOURCE)
    expect(init()).toMatchObject({ code: 0, output: expect.stringContaining('Nothing else to add') })
    write('src/keys.ts', KEYS)
    expect(init()).toMatchObject({ code: 0, output: expect.stringMatching(/^Nothing to add: .*entity of the keys/) })
    expect(JSON.stringify(init('--json'))).not.toContain('missing')
  })

  it('goes by the configuration where there is one, and by the Prisma schema where there is one of both', () => {
    write('package.json', '{"devDependencies": {"typeorm": "^1.1.0"}}')
    write('fieldseal.config.mts', `export default { dataSource }`)
    write('prisma/schema.prisma', 'datasource db {\n  provider = "mysql"\n}\n')
    expect(init('--dry-run', '--json').output).toContain('"event":"missing"')
    rmSync(at('fieldseal.config.mts'))
    expect(init('--dry-run')).toMatchObject({ code: 2, errors: expect.stringContaining('works with PostgreSQL only') })
    expect(init('--dry-run', '--schema', 'other.prisma').errors).toContain('no Prisma schema at other.prisma')
  })
})
