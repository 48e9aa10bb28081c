import { existsSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { type InitAnswers, type ProjectFacts, proposedTenancy } from '../../src/cli/init/answers.js'
import { importLines, installedKms, kmsCode } from '../../src/cli/init/kmsCode.js'
import { KMS_NAMES } from '../../src/cli/init/kmsNames.js'
import { prismaFacts } from '../../src/cli/init/prismaFacts.js'
import { type GivenAnswers, resolveAnswers, UNASKED } from '../../src/cli/init/resolveAnswers.js'
import { initProject } from './initProject.js'

const HEAD = `generator client {
  provider = "prisma-client"
  output   = "../src/generated/prisma"
}

datasource db {
  provider = "postgresql"
}
`
const MODELS = `model User {
  id        String   @id
  orgId     String
  email     String
  phone     String?
  note      String?
  address   Json?
  birthDate DateTime?
  posts     Post[]
}

model Post {
  id     Int    @id
  street String
  userId String
  user   User   @relation(fields: [userId], references: [id])
}
`

const factsOf = (text: string): ProjectFacts =>
  prismaFacts('/nowhere', { files: [{ path: '/nowhere/schema.prisma', text }], folder: undefined }, false)
const resolve = (given: GivenAnswers, facts = factsOf(MODELS)): Promise<InitAnswers> =>
  resolveAnswers(facts, given, UNASKED)

describe('what init proposes', () => {
  it('is to encrypt what looks personal, to search e-mail addresses, and the tenants that a column names', async () => {
    expect(await resolve({})).toEqual({
      fields: ['User.email', 'User.phone', 'User.address', 'Post.street'],
      blindIndexes: ['User.email'],
      tenancy: { kind: 'many', column: 'orgId' },
      migrating: false,
      kms: 'local',
    })
  })

  it.each([
    ['the column with the likeliest name', 'teamId String\n  tenantId String', { kind: 'many', column: 'tenantId' }],
    ['many tenants where the column cannot be marked', 'tenantId Int', { kind: 'many', column: undefined }],
    ['one tenant where no column has such a name', 'ownerId String\n  company String', { kind: 'single' }],
  ])('is, of the tenants, %s', (_, columns, tenancy) => {
    expect(proposedTenancy(factsOf(`model A {\n  ${columns}\n  email String\n}`), ['A.email'])).toEqual(tenancy)
  })

  it('is the KMS whose SDK the project has', () => {
    expect(installedKms({ dependencies: { '@google-cloud/kms': '^6.0.0' } })).toBe('google')
    expect(installedKms({})).toBe('local')
  })

  it('is nothing that the schema says already', async () => {
    const marked = MODELS.replace('email     String', 'email     String /// @encrypted').replace(
      'orgId     String',
      'orgId     String /// @tenant',
    )
    expect(await resolve({}, factsOf(marked))).toMatchObject({
      fields: [],
      tenancy: { kind: 'many', column: 'orgId' },
    })
  })
})

describe('answers on the command line', () => {
  it('take the place of the proposals', async () => {
    const given = { fields: ['User.note', 'User.phone'], blindIndexes: ['User.phone'], kms: 'aws' }
    expect(await resolve({ ...given, tenancy: 'single', migrating: true })).toEqual({
      ...given,
      ...{ tenancy: { kind: 'single' }, migrating: true },
    })
    expect(await resolve({ fields: false })).toMatchObject({ fields: [], blindIndexes: [] })
    expect(await resolve({ blindIndexes: false })).toMatchObject({ blindIndexes: [] })
  })

  it('can say that there are many tenants, whom no column names but one that is marked', async () => {
    expect(await resolve({ tenancy: 'many' })).toMatchObject({ tenancy: { kind: 'many', column: undefined } })
    const marked = factsOf(MODELS.replace('orgId     String', 'orgId     String /// @tenant'))
    expect(await resolve({ tenancy: 'many' }, marked)).toMatchObject({ tenancy: { kind: 'many', column: 'orgId' } })
  })

  it('include the index of what is unique, which has to move', async () => {
    const unique = factsOf('model A {\n  id Int @id\n  code String @unique\n}')
    expect(await resolve({ fields: ['A.code'], blindIndexes: false }, unique)).toMatchObject({
      blindIndexes: ['A.code'],
    })
  })

  it('are no error where the schema has them already', async () => {
    const marked = factsOf(
      'model A {\n  id Int @id\n  email String /// @encrypted\n  emailIndex String? /// @blindIndex(email)\n}',
    )
    const given = { fields: ['A.email'], blindIndexes: ['A.email'] }
    expect(await resolve(given, marked)).toMatchObject({ fields: [], blindIndexes: [] })
  })

  it.each<[string, GivenAnswers]>([
    ['User.emial is no field that can be encrypted; did you mean `User.email`?', { fields: ['User.emial'] }],
    ['User.birthDate is DateTime: make it a String column first', { fields: ['User.birthDate'] }],
    ['User.note: a blind index is made for a field that --fields names', { blindIndexes: ['User.note'] }],
    ['User.address: a blind index is made for a field', { fields: ['User.address'], blindIndexes: ['User.address'] }],
    ['no model has a required String column orgid, as', { tenantColumn: 'orgid' }],
    ['leave out --tenant-column', { tenancy: 'single', tenantColumn: 'orgId' }],
    ['User.note says whose a row is', { fields: ['User.note', 'User.email'], tenantColumn: 'note' }],
  ])('are refused where they cannot be followed: %s', async (message, given) => {
    const facts = factsOf(MODELS.replace('note      String?', 'note      String'))
    await expect(resolve(given, facts)).rejects.toMatchObject({
      code: 'OPTIONS_INVALID',
      message: expect.stringContaining(message),
    })
  })
})

describe('the code for a KMS', () => {
  it.each(KMS_NAMES)('is, of %s, made of what its page shows', (name) => {
    const { imports, expression, setup, packages, variables, page } = kmsCode(name)
    const text = readFileSync(`docs/${page}`, 'utf8')
    const code = [...setup, expression].join('\n')
    if (name !== 'local') for (const line of importLines(imports).trim().split('\n')) expect(text).toContain(line)
    for (const one of packages) expect(imports).toHaveProperty([one])
    for (const one of variables.filter((variable) => !['FIELDSEAL_KEY', 'AWS_REGION'].includes(variable)))
      expect(code).toContain(one)
  })
})

describe('the command fieldseal init with answers', () => {
  const { at, init, initWith, read, write } = initProject()

  it('writes what is proposed with --yes, and finds nothing to add then', () => {
    write('prisma/schema.prisma', `${HEAD}\n${MODELS}`)
    write('.env', 'DATABASE_URL="postgresql://user:hunter2@localhost/db"')
    const { output, code } = init('--yes')
    expect(code).toBe(0)
    expect(output).toContain('Missing, for you to add: User.birthDate looks personal, and is DateTime')
    expect(read('prisma/schema.prisma')).toContain('orgId     String /// @tenant')
    expect(read('fieldseal.config.ts')).toContain("tenants: { Post: 'user.orgId' },")
    const key = /^DATABASE_URL=.*\n\nFIELDSEAL_KEY=([\w+/]{43}=)\n$/.exec(read('.env'))?.[1]
    expect(key).toBeDefined()
    expect(output).not.toContain(key)
    expect(output).not.toContain('hunter2')
    const before = [read('prisma/schema.prisma'), read('fieldseal.config.ts'), read('.env')]
    expect(init('--yes', '--fields', 'User.email,User.phone')).toMatchObject({
      code: 0,
      output: expect.stringMatching(/^Nothing to add/),
    })
    expect([read('prisma/schema.prisma'), read('fieldseal.config.ts'), read('.env')]).toEqual(before)
    expect(init('--yes', '--kms', 'aws').output).toContain('--kms changes nothing: the configuration is there')
    expect(init('--yes', '--fields', 'User.note').code).toBe(0)
    expect(read('prisma/schema.prisma')).toContain('note      String? /// @encrypted')
  })

  it.each([
    ['beside the schema', 'db/migrations', ''],
    ['in prisma/migrations', 'prisma/migrations', ''],
    [
      'where prisma.config.ts says',
      'db/steps',
      `import 'nowhere'\nexport default { migrations: { path: 'db/steps' } }`,
    ],
    ['where .config/prisma.ts says', 'db/steps', `export default { migrations: { path: '../db/steps' } }`],
  ])('reads plaintext of rows that may be there, with migrations %s', (_, folder, config) => {
    write('db/schema.prisma', `${HEAD}\n${MODELS}`)
    write(config.includes('../') ? '.config/prisma.ts' : 'prisma.config.ts', config || 'export default {}')
    write(`${folder}/20260101_first/migration.sql`, '')
    const { output } = init('--dry-run', '--schema', 'db/schema.prisma')
    expect(output).toContain('email     String /// @encrypted(migrating)')
    rmSync(at(folder), { recursive: true })
    expect(init('--dry-run', '--schema', 'db/schema.prisma').output).toContain('email     String /// @encrypted\n')
  })

  it('says whose the rows of newly marked models are, which the configuration that is there cannot', () => {
    write('prisma/schema.prisma', `${HEAD}\n${MODELS}\nmodel Log {\n  id Int @id\n  text String\n}\n`)
    init('--yes', '--fields', 'User.email')
    const { output } = init('--yes', '--fields', 'User.note,Post.street,Log.text')
    expect(output).toContain("add: in fieldseal.config.ts, whose the rows of Post are: tenants: { Post: 'user.orgId' }")
    expect(output).toContain('add: whose the rows of Log are: a required column orgId String /// @tenant')
    expect(output).not.toContain('whose the rows of User')
    expect(init('--yes', '--fields', 'Post.street,Log.text').output).toMatch(/^Nothing to add/)
  })

  it('asks for no tenant of a model that a configuration names, or where it has one tenant', () => {
    const tenants = `tenants: { Post: 'user.orgId' }`
    for (const config of [`{ client, ${tenants} }`, `{ client: fieldEncryption({ kms, defaultTenant: 'one' }) }`]) {
      write('prisma/schema.prisma', `${HEAD}\n${MODELS.replace('orgId     String', 'orgId String /// @tenant')}`)
      write('fieldseal.config.ts', `export default ${config}`)
      expect(init('--yes', '--fields', 'Post.street').output).not.toContain('Missing')
    }
  })

  it('names the column that cannot be that of the tenant as it is', () => {
    write('prisma/schema.prisma', `${HEAD}\nmodel User {\n  id Int @id\n  tenantId Int\n  email String\n}\n`)
    expect(init('--dry-run').output).toContain(
      'whose the rows of User are: its column tenantId is Int, not String: change that and mark it /// @tenant, or in',
    )
  })

  it('keeps a new key from other users of the machine, and from JSON', () => {
    write('prisma/schema.prisma', HEAD)
    const { output } = init('--yes', '--json')
    expect(statSync(at('.env')).mode & 0o777).toBe(0o600)
    expect(output).not.toContain(read('.env').trim())
    expect(JSON.parse(output.trim().split('\n').at(-1)!)).toEqual({
      ...{ event: 'change', path: '.env' },
      adds: 'FIELDSEAL_KEY=… 32 random bytes',
    })
  })

  it('tells of a key in .env only where it has written one', () => {
    write('prisma/schema.prisma', HEAD)
    const inEnvironment = initWith({ FIELDSEAL_KEY: 'one' }, '--yes')
    expect(inEnvironment).toMatchObject({ code: 0, output: expect.not.stringContaining('.gitignore') })
    expect(existsSync(at('.env'))).toBe(false)

    rmSync(at('fieldseal.config.ts'))
    write('.env', 'FIELDSEAL_KEY="" # to come\nPORT=1\n')
    expect(init('--yes').output).toContain('Keep .env, which has a key now, out of version control')
    const filled = read('.env')
    expect(filled).toMatch(/^FIELDSEAL_KEY=[\w+/]{43}=\nPORT=1\n$/)

    rmSync(at('fieldseal.config.ts'))
    expect(init('--yes').output).not.toContain('.gitignore')
    expect(read('.env')).toBe(filled)
  })

  it('leaves the KMS to the configuration that is there', () => {
    write('prisma/schema.prisma', `${HEAD}\n${MODELS}`)
    write('fieldseal.config.ts', 'export default { client }')
    const local = init('--yes', '--fields', 'User.note')
    expect(local.output).toContain('1. npx prisma generate')
    const aws = init('--yes', '--fields', 'User.phone', '--kms', 'aws')
    expect(aws.output).toContain('--kms changes nothing')
    expect(aws.output).toContain('1. npx prisma generate')
    for (const { output } of [local, aws]) expect(output).not.toMatch(/npm install|\.env|AWS_REGION/)
  })

  it('makes a configuration for the KMS and the only tenant that are named, and no key', () => {
    write('prisma/schema.prisma', `${HEAD}\n${MODELS}`)
    const answers = ['--kms', 'tencent', '--tenancy', 'single', '--fields', 'User.email', 'User.note', '--migrating']
    const { output } = init('--yes', ...answers)
    expect(read('fieldseal.config.ts')).toContain(
      `kms: tencentKms({ client: kmsClient, keyId: process.env.KMS_KEY_ID ?? '' }), defaultTenant: 'default'`,
    )
    expect(read('prisma/schema.prisma').match(/@encrypted\(migrating\)/g)).toHaveLength(2)
    expect(output).toMatch(/npm install .*tencentcloud-sdk-nodejs-kms/)
    expect(output).toContain('Set TENCENTCLOUD_SECRET_ID')
    expect(() => read('.env')).toThrow('ENOENT')
  })

  it('names the file that cannot be read or written', () => {
    write('prisma/schema.prisma', HEAD)
    symlinkSync(at('nowhere/config.ts'), at('fieldseal.config.ts'))
    expect(init('--yes')).toMatchObject({
      code: 1,
      errors: expect.stringMatching(
        /^fieldseal: ENOENT: no such file or directory, open '.*\/fieldseal\.config\.ts'\n$/,
      ),
    })
    write('package.json', '{ "name": }')
    expect(init()).toMatchObject({ code: 2, errors: expect.stringMatching(/\/package\.json cannot be read: .*JSON/) })
  })

  it('refuses an unknown KMS by the names of those that there are', () => {
    expect(init('--kms', 'azur').errors).toContain('Allowed choices are local, tencent, aws, google, azure')
  })

  it('says the decorators for entities of TypeORM, and changes none', () => {
    write('package.json', '{"dependencies": {"typeorm": "^1.1.0"}}')
    const entity = `@Entity()
export class User {
  @PrimaryColumn('uuid') id!: string
  @Column() tenantId!: string
  @Column({ unique: true, type: 'varchar' }) email!: string
  @Column('text', { nullable: true })
  phone?: string | null
  @Column({ type: 'date' }) birthDate!: Date
}
`
    write('src/user.ts', entity)
    const { output } = init('--yes', '--kms', 'vault')
    expect(output).toContain(`in src/user.ts, of User:

    import { BlindIndex, Encrypted, Tenant } from 'fieldseal/typeorm'

    @Tenant() @Column() tenantId!: string
    @Encrypted() email!: string
    @BlindIndex('email', { normalize: ['trim', 'lowercase'], unique: true }) emailIndex?: string | null
    @Encrypted({ nullable: true }) phone?: string | null
`)
    expect(output).toContain('User.birthDate looks personal, and is date: its column must become text first')
    expect(read('src/user.ts')).toBe(entity)
    expect(read('fieldseal.config.ts')).toContain('vaultKms({ address, login: appRoleLogin({ roleId, secretId })')
  })
})
