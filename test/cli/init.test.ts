import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from '@jest/globals'
import { type FileChange, planInit } from '../../src/cli/init/plan.js'
import { schemaBlocks } from '../../src/cli/init/schemaText.js'
import { initProject } from './initProject.js'

const SCHEMA = `// A shop. generator fake { provider = "fieldseal-generator" }
generator client {
  provider = "prisma-client"
  output   = "../src/generated/prisma" // beside {
}

datasource db {
  provider = "postgresql"
}

/// Not a model: model Nothing {
model User {
  id    String @id
  empty String @default("}") // }
  /* a comment with
     model Inner {
     in it */
  notes Json   @default("{ \\"a\\": {} }")
  place Unsupported("point")?
}

enum Color {
  RED
}

model Report { // of {x}
  id Int @unique
}
`

const plan = (text: string, options: Partial<Parameters<typeof planInit>[0]> = {}): FileChange[] =>
  planInit({
    root: '/app',
    schema: [{ path: '/app/prisma/schema.prisma', text }],
    folder: undefined,
    configured: true,
    ...options,
  })
const planned = (text: string): string => plan(text)[0]!.after

describe('fieldseal init', () => {
  it('adds a generator behind that of the client and a model at the end, and changes no other line', () => {
    const after = planned(SCHEMA)
    const added = after.split('\n').filter((line) => !SCHEMA.includes(`${line}\n`))
    expect(added.join('\n')).toMatch(
      /^generator encryption \{[\s\S]+"\.\.\/src\/generated\/encryption"[\s\S]+@@map\("encryption_keys"\)$/,
    )
    let rest = after
    for (const line of SCHEMA.trimEnd().split('\n')) {
      expect(rest).toContain(line)
      rest = rest.slice(rest.indexOf(line) + line.length)
    }
    expect(schemaBlocks(after).map(({ name }) => name)).toEqual([
      ...['client', 'encryption', 'db', 'User', 'Color', 'Report', 'EncryptionKey'],
    ])
  })

  it('finds nothing to add to what it made', () => {
    expect(plan(planned(SCHEMA))).toEqual([])
  })

  it('keeps the line ends of the file', () => {
    const after = planned(SCHEMA.replaceAll('\n', '\r\n'))
    expect(after.replaceAll('\r\n', '')).not.toContain('\n')
    expect(plan(after)).toEqual([])
  })

  it('takes names that are free, and the database schema that most models are in', () => {
    const taken = `${SCHEMA.replace('model User {', 'model User {\n  @@schema("shop")')}
model EncryptionKey {
  id Int @id
  @@map("encryption_keys")
  @@schema("shop")
}
model Third {
  id Int @id
  @@schema("other")
}`
    const after = planned(taken)
    expect(after).toMatch(
      /@encryptionKeys\nmodel FieldsealKey \{[\s\S]+@@map\("fieldseal_keys"\)\n {2}@@schema\("shop"\)\n\}\n$/,
    )
  })

  it('adds only what is missing', () => {
    const withGenerator = SCHEMA.replace(
      'datasource',
      'generator x {\n  provider = "npx fieldseal-generator"\n  output = "../e"\n}\n\ndatasource',
    )
    expect(planned(withGenerator)).not.toContain('generator encryption')
    const withKeys = `${SCHEMA}\n/// Ours. @encryptionKeys\nmodel Keys {\n  id String @id\n}\n`
    expect(planned(withKeys)).not.toContain('model EncryptionKey')
  })

  it('puts the model into a file of its own where the schema is a folder', () => {
    const schema = [
      { path: '/app/prisma/schema.prisma', text: SCHEMA },
      { path: '/app/prisma/models/user.prisma', text: 'model Other {\n  id Int @id\n}\n' },
    ]
    const changes = plan('', { schema, folder: '/app/prisma' })
    expect(changes.map(({ path }) => path)).toEqual(['/app/prisma/schema.prisma', '/app/prisma/encryption.prisma'])
    expect(changes[1]!.after).toMatch(/^\/\/\/ @encryptionKeys\nmodel EncryptionKey/)
  })

  it.each([
    ['postgresql', 'mysql', 'works with PostgreSQL only'],
    ['provider = "prisma-client"', 'provider = "prisma-client-py"', 'no generator with the provider "prisma-client"'],
    ['datasource db {', 'enum db {', 'has no datasource'],
  ])('refuses a schema that it cannot help: %s is %s', (from, to, message) => {
    expect(() => plan(SCHEMA.replace(from, to))).toThrow(message)
  })

  it('writes a configuration that imports what the generators write', () => {
    const [config] = plan(planned(SCHEMA), { configured: false })
    expect(config).toMatchObject({ path: '/app/fieldseal.config.ts', before: null })
    expect(config!.after).toContain(`from './src/generated/prisma/client.js'`)
    expect(config!.after).toContain(`from './src/generated/encryption/index.js'`)
    const legacy = SCHEMA.replace('"prisma-client"', '"prisma-client-js"').replace(/ {2}output.*\n/, '')
    const made = plan(legacy, { configured: false }).at(-1)!.after
    expect(made).toContain(`from '@prisma/client'`)
    expect(made).toContain(`from './generated/encryption/index.js'`)
  })
})

describe('the configuration that init writes', () => {
  const { at, init, write, run } = initProject()

  it.each([
    ['dotenv, where the project has it', '{"dependencies": {"dotenv": "^17.0.0"}}', /^import 'dotenv\/config'\n/],
    ['Node.js', '{}', /\nif \(existsSync\('\.env'\)\) process\.loadEnvFile\(\)\n/],
  ])('reads .env by %s', (_, json, reads) => {
    write('package.json', json)
    write('prisma/schema.prisma', SCHEMA)
    init('--yes')
    expect(readFileSync(at('fieldseal.config.ts'), 'utf8')).toMatch(reads)
  })

  it('is told of in the error where another one does not read .env', () => {
    write('.env', 'DATABASE_URL="postgresql://localhost/shop"\n')
    const maintain = '{ $encryption: { maintain() {} }, async $disconnect() {} }'
    write('fieldseal.config.mjs', `export default { client: ${maintain} }`)
    expect(run('status')).toMatchObject({ code: 2, errors: expect.stringMatching(/set DATABASE_URL.*\.env.*dotenv/) })
    write('fieldseal.config.mjs', `process.loadEnvFile()\nexport default { client: ${maintain} }`)
    expect(run('status').errors).not.toContain('DATABASE_URL')
  })
})

describe('fieldseal --version', () => {
  const { run } = initProject()

  it('says that of the package', () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
    expect(run('--version')).toEqual({ code: 0, output: `${version}\n`, errors: '' })
  })
})

describe('the command fieldseal init', () => {
  const { at, init, read, write } = initProject()

  it('shows a diff, writes only when that is agreed to, and finds nothing to add then', () => {
    write('prisma/schema.prisma', SCHEMA)
    const asked = init()
    expect(asked).toMatchObject({ code: 2, errors: expect.stringContaining('say --yes') })
    expect(asked.output).toMatch(/^--- prisma\/schema\.prisma\n/)
    expect(asked.output).toContain('+generator encryption {')
    expect(init('--dry-run')).toMatchObject({ code: 0 })
    expect(read('prisma/schema.prisma')).toBe(SCHEMA)
    expect(readdirSync(at())).toEqual(['prisma'])

    expect(init('--yes')).toMatchObject({ code: 0, output: expect.stringContaining('Next:') })
    expect(readdirSync(at()).sort()).toEqual(['.env', 'fieldseal.config.ts', 'prisma'])
    expect(init()).toMatchObject({ code: 0, output: expect.stringContaining('Nothing to add') })
  })

  it.each([
    [
      'named in prisma.config.ts',
      'prisma.config.ts',
      `import { nowhere } from 'nowhere'\nexport default { schema: 'db/main.prisma' }`,
    ],
    ['named in prisma7.config.ts', 'prisma7.config.ts', "export default { schema: 'db/main.prisma' }"],
    ['named in .config/prisma.ts', '.config/prisma.ts', "export default { schema: '../db/main.prisma' }"],
    ['named in package.json', 'package.json', '{"prisma": {"schema": "db/main.prisma"}}'],
  ])('finds the schema that is %s', (_, path, text) => {
    write('db/main.prisma', SCHEMA)
    write(path, text)
    expect(init('--dry-run').output).toContain('+++ db/main.prisma')
  })

  it('says that a schema of Prisma 6 has to be brought to Prisma 7', () => {
    write(
      'schema.prisma',
      SCHEMA.replace('provider = "postgresql"', 'provider = "postgresql"\n  url = env("DATABASE_URL")'),
    )
    expect(init('--dry-run')).toMatchObject({
      code: 0,
      output: expect.stringContaining('takes it from prisma.config.ts'),
    })
    write('schema.prisma', SCHEMA)
    expect(init('--dry-run').output).not.toContain('prisma.config.ts')
  })

  it('makes a schema that Prisma accepts', () => {
    write('schema.prisma', SCHEMA)
    init('--yes')
    const prisma = fileURLToPath(new URL('../../node_modules/prisma/build/index.js', import.meta.url))
    const env = { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: '/bin/true', CHECKPOINT_DISABLE: '1' }
    const { status, stderr } = spawnSync(process.execPath, [prisma, 'validate'], { cwd: at(), env, encoding: 'utf8' })
    expect({ status, stderr }).toMatchObject({ status: 0 })
  })

  it('says where to name the schema if it finds none', () => {
    expect(init()).toMatchObject({ code: 2, errors: expect.stringContaining('--schema') })
  })
})
