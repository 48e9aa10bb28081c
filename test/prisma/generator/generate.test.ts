import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from '@jest/globals'
import { type GenerateInput, generate } from '../../../src/prisma/generator/generate.js'
import { expectFile } from '../../support/frozenFile.js'
import { dumpBlock, generateInputOf } from '../schema/datamodelOf.js'
import {
  copyOf,
  prismaGenerate,
  project,
  projectOf,
  projectWith,
  runNode,
  typeCheck,
  useSource,
} from './prismaGenerate.js'

const keysModel = `
/// @encryptionKeys
model EncryptionKey {
  id          String    @id @db.Uuid
  tenant      String
  purpose     String
  version     Int
  state       String
  wrapped     String?
  kms         String
  kekId       String
  messages    BigInt    @default(0)
  createdAt   DateTime  @default(now())
  retiredAt   DateTime?
  destroyedAt DateTime?
  @@unique([tenant, purpose, version])
}
`
const user = `
model User {
  id    Int    @id
  email String /// @encrypted
}
`

function generated(folder: string, name: string): string {
  return readFileSync(join(folder, 'generated/encryption', name), 'utf8')
}

async function generateOk(schema: string): Promise<void> {
  const { code, output } = await prismaGenerate(schema)
  expect(output).toContain('Generated fieldseal encryption schema')
  expect(code).toBe(0)
}

interface Block {
  readonly output?: string
  readonly config?: { readonly [option: string]: string }
  readonly otherGenerators?: GenerateInput['otherGenerators']
}

let handedOver: Promise<GenerateInput> | undefined

/**
 * What `prisma generate` does once it has read the schema of a user and the keys, with another block of the generator.
 * The command itself takes seconds.
 */
async function generateHere(
  folder: string,
  { output = './generated/encryption', config = {}, otherGenerators = [] }: Block = {},
  edit = (models: string) => models,
): Promise<void> {
  handedOver ??= generateInputOf(user + keysModel)
  const given = await handedOver
  const generator = { ...given.generator, output: { value: join(folder, output) }, config }
  const dmmf = JSON.parse(edit(JSON.stringify(given.dmmf)))
  generate({ ...given, generator, otherGenerators, dmmf })
}

/** A project in which `prisma generate` has run, once for each fixture. */
const generatedFixtures = new Map<string, Promise<string>>()
async function generatedOf(fixture: string): Promise<string> {
  const generateFixture = async () => {
    const { folder, schema } = projectOf(fixture)
    await generateOk(schema)
    return folder
  }
  if (!generatedFixtures.has(fixture)) generatedFixtures.set(fixture, generateFixture())
  return copyOf(await generatedFixtures.get(fixture)!)
}

/** What Prisma handed over for the projects of a fixture, by the folder of the first. */
const handedOverOf = new Map<string, { readonly first: string; readonly input: string }>()

/** Runs `prisma generate` in the first project of a fixture; in others the generator, on what Prisma handed over there. */
async function generateOnce(fixture: string, { folder, schema }: { folder: string; schema: string }): Promise<void> {
  const known = handedOverOf.get(fixture)
  if (!known) {
    writeFileSync(schema, `${readFileSync(schema, 'utf8')}\n${dumpBlock}`)
    await generateOk(schema)
    handedOverOf.set(fixture, { first: folder, input: readFileSync(join(folder, 'dump/input.json'), 'utf8') })
    return
  }
  cpSync(join(known.first, 'generated/prisma'), join(folder, 'generated/prisma'), { recursive: true })
  const input = JSON.parse(known.input.replaceAll(known.first, folder)) as GenerateInput
  const all = [input.generator, ...input.otherGenerators]
  const generator = all.find(({ name }) => name === 'encryption')!
  generate({ ...input, generator, otherGenerators: all.filter((other) => other !== generator) })
}

describe('prisma generate with a schema that is wrong', () => {
  it('fails and lists every problem, with model and field, and the keys model to paste', async () => {
    const { folder, schema } = projectWith(`
      model User {
        id    Int      @id
        email String   /// @encrypt
        phone Json[] /// @encrypted
        notes Json?    /// @encrypted(bind: idd)
      }`)
    const { code, output } = await prismaGenerate(schema)
    expect(code).toBe(1)
    expect(output).toContain(
      'fieldseal found 4 problems in the Prisma schema:\n\n' +
        '  User.email: unknown annotation `@encrypt`; did you mean `@encrypted`?',
    )
    expect(output).toContain('  User.phone: is a list (Json[])')
    expect(output).toContain('  User.notes: binds to `idd`, which is no field of User; did you mean `id`?')
    expect(output).toContain('/// @encryptionKeys\nmodel EncryptionKey {')
    expect(output).not.toContain('at generate')
    expect(existsSync(join(folder, 'generated'))).toBe(false)
  })

  it('leaves the output of the last good run as it was', async () => {
    const folder = project()
    await generateHere(folder)
    const before = generated(folder, 'index.ts')
    const wrong = generateHere(folder, {}, (models) => models.replace('@encrypted"', '@encryptd"'))
    await expect(wrong).rejects.toThrow('unknown annotation `@encryptd`')
    expect(generated(folder, 'index.ts')).toBe(before)
  })

  it('refuses another database than PostgreSQL', async () => {
    const { schema } = projectWith(user + keysModel.replace(' @db.Uuid', ''))
    writeFileSync(schema, readFileSync(schema, 'utf8').replace('"postgresql"', '"sqlite"'))
    const { code, output } = await prismaGenerate(schema)
    expect(code).toBe(1)
    expect(output).toContain(
      'datasource: has the provider "sqlite"; this version of fieldseal works with "postgresql" only',
    )
  })

  it('refuses annotations in a view, which the data model alone does not tell from a model', async () => {
    const { schema } = projectWith(`
      generator client {
        provider        = "prisma-client"
        output          = "./generated/prisma"
        previewFeatures = ["views"]
      }
      view Overview {
        id    Int    @unique
        email String /// @encrypted
      }${keysModel}`)
    const { code, output } = await prismaGenerate(schema)
    expect(code).toBe(1)
    expect(output).toContain('Overview.email: is in a view; put `@encrypted` on the field of the model behind it')
  })
})

describe('prisma generate with a generator block that is wrong', () => {
  it('fails and says what the option may be', async () => {
    await expect(generateHere(project(), { config: { language: 'coffee' } })).rejects.toThrow(
      'generator encryption has language = "coffee"; write "typescript" or "javascript"',
    )
  })

  it('refuses an output that is missing', async () => {
    const { schema } = projectWith(user + keysModel, '')
    const { code, output } = await prismaGenerate(schema)
    expect(output).toContain('You need to define `output`')
    expect(code).toBe(1)
  })

  it.each(['./generated/prisma', './generated/prisma/encryption'])(
    'refuses the output %s, which Prisma empties for its client in ./generated/prisma',
    async (output) => {
      const folder = project()
      const place = { output: { value: join(folder, 'generated/prisma') }, config: {} }
      const client = { name: 'client', provider: { value: 'prisma-client' }, ...place }
      await expect(generateHere(folder, { output, otherGenerators: [client] })).rejects.toThrow(
        'writes into the output folder of generator client, which Prisma empties',
      )
    },
  )

  it('refuses to overwrite a file that it did not write', async () => {
    const folder = project()
    writeFileSync(join(folder, 'index.ts'), 'export {}\n')
    await expect(generateHere(folder, { output: '.' })).rejects.toThrow(
      'index.ts was not written by fieldseal-generator and would be overwritten; choose another folder',
    )
    expect(readFileSync(join(folder, 'index.ts'), 'utf8')).toBe('export {}\n')
  })
})

describe('prisma generate writes TypeScript', () => {
  const app = `
import { encryptionSchema } from './generated/encryption'
import type { EncryptionSchema } from 'fieldseal/prisma'
const schema: EncryptionSchema = encryptionSchema
const source: 'email' = encryptionSchema.models.Patient.indexes.emailIndex.sources[0]
export { schema, source }
`
  const esmApp = app.replace("encryption'", "encryption/index.js'")
  const strictest = {
    isolatedModules: true,
    verbatimModuleSyntax: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
  }

  it.each([
    [
      'prisma-client as ES modules, under Node16 resolution',
      'esm',
      'module',
      { module: 'Node16', ...strictest },
      esmApp,
    ],
    [
      'prisma-client as ES modules, for a bundler',
      'esm',
      'module',
      { module: 'ESNext', moduleResolution: 'bundler', ...strictest },
      app,
    ],
    [
      'prisma-client as CommonJS, under Node16 resolution',
      'cjs',
      'commonjs',
      { module: 'Node16', isolatedModules: true },
      app,
    ],
    [
      'prisma-client as CommonJS, under classic node resolution',
      'cjs',
      'commonjs',
      { module: 'CommonJS', moduleResolution: 'node10', isolatedModules: true },
      app,
    ],
    ['prisma-client-js', 'client-js', 'commonjs', { module: 'CommonJS', moduleResolution: 'node10' }, app],
  ])(
    'that compiles beside %s',
    async (_, fixture, type, compilerOptions, text) => {
      const folder = await generatedOf(`${fixture}.prisma`)
      writeFileSync(join(folder, 'package.json'), JSON.stringify({ type }))
      writeFileSync(join(folder, 'app.ts'), text)
      expect(await typeCheck(folder, compilerOptions)).toEqual({ code: 0, output: '' })
      expectFile(new URL('snapshots/clinic.index.ts.txt', import.meta.url), generated(folder, 'index.ts'))
    },
    60_000,
  )

  it('of a schema in several files, with several database schemas and a view', async () => {
    const { folder, schema } = projectOf('folder')
    await generateOk(schema)
    expectFile(new URL('snapshots/folder.index.ts.txt', import.meta.url), generated(folder, 'index.ts'))
  })

  it('of text and range indexes, which the types of the package take', async () => {
    const { folder, schema } = projectWith(`model Person {
      id     String   @id @default(uuid())
      name   String /// @encrypted
      pay    String? /// @encrypted(type: Decimal)
      names  String[] @map("name_tokens") @db.Uuid /// @textIndex(name, prefix: [2, 10], words: true, normalize: [lowercase])
      pays   String[] @db.Uuid /// @rangeIndex(pay, min: 0, max: 1_000_000, scale: 2, step: 100)
      @@index([names], type: Gin)
      @@index([pays], type: Gin)
    }${keysModel}`)
    await generateOk(schema)
    const text = generated(folder, 'index.ts')
    const prefixed = text.slice(
      text.indexOf('tokenIndexes: {'),
      text.indexOf('bound: {', text.indexOf('tokenIndexes: {')),
    )
    expect(prefixed.replace(/\s+/g, ' ')).toBe(
      "tokenIndexes: { names: { kind: 'text', source: 'name', prefix: [2, 10], words: true, normalize: ['lowercase'], " +
        "scope: 'tenant', }, pays: { kind: 'range', source: 'pay', unit: '0.01', min: '0', max: '100000000', " +
        "step: '10000', sparsity: 2, scope: 'tenant', }, }, ",
    )
    const types = fileURLToPath(new URL('../../../dist/prisma/index.d.ts', import.meta.url))
    const typeRoots = [fileURLToPath(new URL('../../../node_modules/@types', import.meta.url))]
    const lib = ['ES2023', 'ES2024.String']
    const options = { module: 'NodeNext', paths: { 'fieldseal/prisma': [types] }, lib, typeRoots, types: ['node'] }
    expect(await typeCheck(folder, options)).toEqual({ code: 0, output: '' })
  }, 60_000)

  it('of 300 models', async () => {
    const models = Array.from({ length: 300 }, (_, i) => {
      const fields = Array.from({ length: 20 }, (_, j) => `  field${j} String? /// @encrypted(bind: id)`).join('\n')
      return `model Model${i} {\n  id String @id @default(uuid())\n  tenantId String /// @tenant\n${fields}\n}`
    })
    const { folder, schema } = projectWith(models.join('\n') + keysModel)
    await generateOk(schema)
    const text = generated(folder, 'index.ts')
    expect(text.match(/context: 'Model\d+\.field\d+'/g)).toHaveLength(6000)
    const { code, output } = await typeCheck(folder, { module: 'ESNext', moduleResolution: 'bundler' })
    expect({ code, output }).toEqual({ code: 0, output: '' })
  }, 120_000)

  it('only when it changes, and beside files of others', async () => {
    const folder = project()
    const output = join(folder, 'generated/encryption')
    mkdirSync(output, { recursive: true })
    writeFileSync(join(output, 'notes.md'), 'mine')
    await generateHere(folder)
    const before = statSync(join(output, 'index.ts'), { bigint: true }).mtimeNs
    await generateHere(folder)
    expect(statSync(join(output, 'index.ts'), { bigint: true }).mtimeNs).toBe(before)
    expect(readdirSync(output).sort()).toEqual(['index.ts', 'notes.md'])
  })

  it('of a schema in which nothing is encrypted yet', async () => {
    const { folder, schema } = projectWith('model User {\n  id Int @id\n}')
    await generateOk(schema)
    expect(generated(folder, 'index.ts')).toContain("keysModel: ''")
  })
})

describe('prisma generate narrows the types of clients', () => {
  const client = (name: string, provider = 'prisma-client') =>
    `generator ${name} {\n  provider = "${provider}"\n  output = "./generated/${name}"\n}\n`
  const encryption = (options = '') =>
    `generator encryption {\n  provider = "fieldseal-generator"\n  output = "./generated/encryption"\n  ${options}\n}\n`
  const datasource = 'datasource db {\n  provider = "postgresql"\n}\n'
  const models = datasource + user + keysModel
  const ours = '  email?: never\n'

  function projectOfBlocks(...blocks: string[]) {
    const made = projectWith('')
    writeFileSync(made.schema, blocks.map(useSource).join('\n'))
    const types = (name: string) => readFileSync(join(made.folder, `generated/${name}/models/User.ts`), 'utf8')
    return { ...made, types }
  }

  it('of every prisma-client that stands before it, whenever it runs, and none of prisma-client-js', async () => {
    const legacy = client('legacy', 'prisma-client-js')
    const { folder, schema, types } = projectOfBlocks(client('one'), legacy, client('two'), encryption(), models)
    await generateOk(schema)
    const [one, two] = [types('one'), types('two')]
    expect(one).toContain(ours)
    expect(two).toBe(one)
    expect(readFileSync(join(folder, 'generated/legacy/index.d.ts'), 'utf8')).not.toContain(ours)
    await generateOk(schema)
    expect(types('one')).toBe(one)
  })

  it('unless `types = "off"` says not to', async () => {
    const { schema, types } = projectOfBlocks(client('one'), models)
    expect((await prismaGenerate(schema)).code).toBe(0)
    const before = types('one')
    writeFileSync(schema, [client('one'), useSource(encryption('types = "off"')), models].join('\n'))
    await generateOk(schema)
    expect(types('one')).toBe(before)
    writeFileSync(schema, [client('one'), useSource(encryption('types = "on"')), models].join('\n'))
    await generateOk(schema)
    expect(types('one')).toContain(ours)
  })

  it('also for a project in JavaScript, and beside a second block of its own', async () => {
    const javascript = encryption('language = "javascript"').replaceAll('encryption', 'javascript')
    const { schema, types } = projectOfBlocks(client('one'), encryption(), javascript, models)
    await generateOk(schema)
    expect(types('one')).toContain(ours)
    const alone = projectOfBlocks(client('one'), javascript, models)
    await generateOk(alone.schema)
    expect(alone.types('one')).toBe(types('one'))
  })

  it('and says so when it stands before a client, where it can stand with `types = "off"`', async () => {
    const { folder, schema } = projectOfBlocks(encryption(), client('one'), models)
    const { code, output } = await prismaGenerate(schema)
    expect(output).toContain('generator encryption stands before generator one, whose types it makes fit')
    expect(output).toContain('set `types = "off"`')
    expect(code).toBe(1)
    expect(existsSync(join(folder, 'generated/encryption'))).toBe(false)
    writeFileSync(schema, [useSource(encryption('types = "off"')), client('one'), models].join('\n'))
    await generateOk(schema)
  })

  it('and knows the order of blocks in several files', async () => {
    const { folder } = projectOfBlocks()
    const schema = join(folder, 'schema')
    mkdirSync(schema)
    const files = { 'a.prisma': useSource(encryption()), 'b.prisma': client('one'), 'c.prisma': models }
    for (const [name, text] of Object.entries(files)) writeFileSync(join(schema, name), text)
    const { output } = await prismaGenerate(schema)
    expect(output).toContain('move it below that block, into the same file (Prisma takes files by name)')
    rmSync(join(schema, 'a.prisma'))
    writeFileSync(join(schema, 'd.prisma'), useSource(encryption()))
    await generateOk(schema)
    expect(readFileSync(join(schema, 'generated/one/models/User.ts'), 'utf8')).toContain(ours)
  })
})

describe('prisma generate writes JavaScript', () => {
  const print = (load: string) => `${load}\nprocess.stdout.write(encryptionSchema.models.Patient.table)\n`
  const esm = print("import { encryptionSchema } from './generated/encryption/index.js'")
  const cjs = print("const { encryptionSchema } = require('./generated/encryption')")

  it.each([
    ['esm', 'module', ['index.d.ts', 'index.js'], 'app.mjs', esm],
    ['esm', 'commonjs', ['index.d.ts', 'index.js', 'package.json'], 'app.mjs', esm],
    ['cjs', 'commonjs', ['index.d.ts', 'index.js'], 'app.cjs', cjs],
    ['cjs', 'module', ['index.d.ts', 'index.js', 'package.json'], 'app.cjs', cjs],
    ['cjs', 'module', ['index.d.ts', 'index.js', 'package.json'], 'app.mjs', esm],
  ])(
    'as %s, as its client says, in a package of type %s: %j loads from %s',
    async (format, type, files, name, text) => {
      const { folder, schema } = projectOf(`javascript-${format}.prisma`)
      writeFileSync(join(folder, 'package.json'), JSON.stringify({ type }))
      await generateOnce(format, { folder, schema })
      expect(readdirSync(join(folder, 'generated/encryption')).sort()).toEqual(files)
      writeFileSync(join(folder, name), text)
      expect(await runNode(join(folder, name))).toEqual({ code: 0, output: 'patients' })
      expectFile(new URL(`snapshots/clinic.${format}.index.js.txt`, import.meta.url), generated(folder, 'index.js'))
      expectFile(new URL('snapshots/clinic.index.d.ts.txt', import.meta.url), generated(folder, 'index.d.ts'))
    },
  )

  it.each([
    ['module', 'export const encryptionSchema'],
    ['commonjs', 'exports.encryptionSchema'],
  ])('by the nearest package.json of type %s where no client says', async (type, start) => {
    const folder = project()
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ type }))
    await generateHere(folder, { config: { language: 'javascript' } })
    expect(generated(folder, 'index.js')).toContain(`\n${start} = {`)
  })

  it('in the format that the generator block names, and takes away what an earlier setting left', async () => {
    const folder = project()
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }))
    const folderNow = () => readdirSync(join(folder, 'generated/encryption')).sort()
    await generateHere(folder)
    expect(folderNow()).toEqual(['index.ts'])
    await generateHere(folder, { config: { language: 'javascript', moduleFormat: 'cjs' } })
    expect(folderNow()).toEqual(['index.d.ts', 'index.js', 'package.json'])
    expect(generated(folder, 'index.js')).toContain('exports.encryptionSchema')
    await generateHere(folder)
    expect(folderNow()).toEqual(['index.ts'])
  })
})
