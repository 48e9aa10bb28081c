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

const ENTITY = `@Unique('one', ['orgId', 'nick'])
@Entity()
@Index('names', (user: User) => [user.name, user.orgId], { where: 'x > (1)' })
export class User {
  @PrimaryColumn('uuid') id!: string
  @Column() orgId!: string
  @Unique() @Column() mobile!: string
  @Index()
  @Column()
  fax!: string
  @Column() @Index({ unique: true }) code!: string
  @Column() nick!: string
  @Column() name!: string
  @Column() note!: string
}
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
      'EncryptionKey among the "entities" of the data source in src/db.ts',
    ])
    expect(plan({ 'src/user.ts': '@Entity() export class User {}' }).missing).toContain(
      'EncryptionKey among the "entities" of the data source in fieldseal.config.ts',
    )
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
  const { at, init, initWith, read, write } = initProject()

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

  it('moves what is unique or indexed to blind indexes, on whichever side it is written', () => {
    write('package.json', '{"dependencies": {"typeorm": "^1.1.0"}}')
    write('src/dataSource.ts', 'export const dataSource = new DataSource({})')
    write('src/user.ts', ENTITY)
    const { output } = init(
      '--yes',
      '--migrating',
      '--fields',
      'User.mobile,User.fax,User.nick,User.code,User.name,User.note',
    )
    for (const line of [
      `@Unique('one', ['orgId', 'nickIndex']) // at the class, in place of that of orgId, nick`,
      `@Index((user: User) => [user.nameIndex, user.orgId], { where: 'x > (1)' }) // at the class, beside that of name, orgId`,
      `@BlindIndex('mobile', { normalize: ['digits'], unique: true }) mobileIndex?: string | null`,
      `@Index() @BlindIndex('fax', { normalize: ['digits'] }) faxIndex?: string | null`,
      `@BlindIndex('code', { unique: true }) codeIndex?: string | null`,
      `@BlindIndex('nick') nickIndex?: string | null`,
    ])
      expect(output).toContain(line)
    expect(output).not.toContain('noteIndex')
    expect(output).toContain('Set FIELDSEAL_KEY in the environment')
    expect(output).toContain('then npx fieldseal encrypt, and drop `state`')
    rmSync(at('fieldseal.config.ts'))
    expect(initWith({ FIELDSEAL_KEY: 'one' }, '--yes', '--no-migrating').output).not.toMatch(
      /Set FIELDSEAL_KEY|fieldseal encrypt/,
    )
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
