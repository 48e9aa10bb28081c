import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from '@jest/globals'
import { prismaGenerate, project, type Run, typeCheck, useSource } from '../prisma/generator/prismaGenerate.js'
import { ERROR_CODES } from '../support/errorCodes.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const documents = [
  'README.md',
  'SECURITY.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'llms.txt',
  'bench/README.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(md|svg)$/.test(name))
    .map((name) => `docs/${name}`),
]
/** What tells its readers which file to go to. */
const guides = documents.filter((path) => /^(CONTRIBUTING\.md|docs\/architecture\.md|docs\/decisions\/.+)$/.test(path))
const read = (path: string) => readFileSync(join(root, path), 'utf8')

function blocks(path: string, language: string): string[] {
  const fences = read(path).matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))
  return Array.from(fences, ([, code]) => code!)
}

/** The code in the comments of a file. */
function examplesOf(path: string): string[] {
  const fences = read(path).matchAll(/^ \* ```ts\n([\s\S]*?)^ \* ```/gm)
  return Array.from(fences, ([, code]) => code!.replace(/^ \* ?/gm, ''))
}

/** What examples of entities leave out. */
const IMPORTED: { readonly [module: string]: readonly string[] } = {
  'node:crypto': ['randomUUID'],
  typeorm: ['Column', 'DataSource', 'Entity', 'EntitySchema', 'Index', 'PrimaryColumn', 'ViewColumn', 'ViewEntity'],
  'fieldseal/typeorm': [
    ...['BlindIndex', 'Encrypted', 'EncryptedView', 'EncryptionKeyColumns', 'EncryptionKeys', 'Tenant'],
    ...['RangeIndex', 'TextIndex', 'Words'],
    ...['acrossTenants', 'blindIndex', 'encrypted', 'encryptionOf', 'forTenant', 'tenant'],
  ],
  './dataSource': ['dataSource'],
  './entities': ['EncryptionKey', 'User'],
}

/** An example as a module: what it neither declares nor imports itself is imported. */
function withImports(code: string): string {
  const declared = Array.from(
    code.matchAll(/(?:class|const) (\w+)|import \{([^}]+)\}/g),
    ([, name, names]) => name ?? names!,
  )
  const own = new Set(declared.join().split(/\W+/))
  const imports = Object.entries(IMPORTED).map(([module, names]) => {
    const used = names.filter((name) => !own.has(name) && new RegExp(`\\b${name}\\b`).test(code))
    return used.length === 0 ? '' : `import { ${used.join(', ')} } from '${module}'\n`
  })
  return `${imports.join('')}${code}\nexport {}\n`
}

/** As GitHub makes them. */
function anchors(path: string): Set<string> {
  const headings = read(path).matchAll(/^#+ (.*)$/gm)
  return new Set(
    Array.from(headings, ([, text]) =>
      text!
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  )
}

/** An empty project whose packages are the repository's. */
function emptyProject(): string {
  const folder = project()
  mkdirSync(join(folder, 'src'))
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  return folder
}

const source = (path: string) => [join(root, 'src', path)]
const built = (path: string) => [join(root, 'dist', path)]
const common = { lib: ['ES2023', 'ES2024.String'], types: ['node'] }

/** The package that this repository has holds all of Tencent's services, whose types take longer than all the rest. */
const TENCENT_SDK = {
  'tencentcloud-sdk-nodejs-kms': [
    join(root, 'node_modules/tencentcloud-sdk-nodejs-kms/tencentcloud/services/kms/index.d.ts'),
  ],
}

/** Type-checks files of a project with TypeORM, which has no generated code. */
function compileEntities(files: { readonly [path: string]: string }): Promise<Run> {
  const folder = emptyProject()
  for (const [path, code] of Object.entries(files)) writeFileSync(join(folder, path), code)
  return typeCheck(folder, {
    ...common,
    module: 'ESNext',
    moduleResolution: 'Bundler',
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
    paths: {
      fieldseal: source('index.ts'),
      'fieldseal/typeorm': source('typeorm/index.ts'),
      'fieldseal/aws-kms': source('kms/aws/awsKms.ts'),
      'fieldseal/azure-kms': source('kms/azure/azureKms.ts'),
      'fieldseal/google-kms': source('kms/google/googleKms.ts'),
      'fieldseal/audit-log': source('auditLog/auditLog.ts'),
      'fieldseal/former-formats': source('formerFormats/index.ts'),
      'fieldseal/local-kms': source('kms/localKms.ts'),
      'fieldseal/tencent-kms': source('kms/tencent/tencentKms.ts'),
      'fieldseal/redundant-kms': source('kms/redundant/redundantKms.ts'),
      'fieldseal/tenant-kms': source('kms/tenant/tenantKms.ts'),
      'fieldseal/pkcs11': source('kms/pkcs11/pkcs11Kms.ts'),
      'fieldseal/vault': source('kms/vault/vaultKms.ts'),
      'fieldseal/testing': source('testing/index.ts'),
      ...TENCENT_SDK,
    },
  })
}

/** Type-checks files of src/ in a project whose client is generated from the schema. */
async function compile(text: string, files: { readonly [name: string]: string }): Promise<Run> {
  const folder = emptyProject()
  mkdirSync(join(folder, 'prisma'))
  const schema = join(folder, 'prisma/schema.prisma')
  writeFileSync(schema, useSource(text))
  expect(await prismaGenerate(schema)).toMatchObject({ code: 0 })

  for (const [name, code] of Object.entries(files)) writeFileSync(join(folder, 'src', name), code)
  const paths = {
    fieldseal: built('index.d.ts'),
    'fieldseal/prisma': built('prisma/index.d.ts'),
    'fieldseal/former-formats': built('formerFormats/index.d.ts'),
    'fieldseal/local-kms': built('kms/local.d.ts'),
    'fieldseal/tencent-kms': built('kms/tencent.d.ts'),
    'fieldseal/testing': built('testing/index.d.ts'),
    ...TENCENT_SDK,
  }
  return typeCheck(folder, { ...common, module: 'NodeNext', moduleResolution: 'NodeNext', paths })
}

describe('the documents', () => {
  it.each(documents)('%s links only to what is there', (path) => {
    const links = Array.from(read(path).matchAll(/\]\(([^)\s]+)\)/g), ([, target]) => target!)
    const broken = links
      .filter((link) => !/^https?:/.test(link))
      .filter((link) => {
        const [file, anchor] = link.split('#')
        const target = file ? join(dirname(path), file) : path
        return !existsSync(resolve(root, target)) || (anchor !== undefined && !anchors(target).has(anchor))
      })
    expect(broken).toEqual([])
  })

  it.each(guides)('%s names only files and folders that are there, in src or outside', (path) => {
    const spans = Array.from(read(path).matchAll(/`((?:\.?[\w-]+\/)*(?:[\w.-]+\.[a-z]+)?)`/gi), ([, name]) => name!)
    const files = spans.filter((name) => /\/|\.(ts|md|json|mjs|c)$/.test(name))
    expect(files.filter((name) => !existsSync(join(root, 'src', name)) && !existsSync(join(root, name)))).toEqual([])
  })

  it('docs/architecture.md has a place for every room, and answers its own tasks with files that it names before', () => {
    const [text, answers] = read('docs/architecture.md').split('<summary>Answers</summary>')
    const entries = readdirSync(join(root, 'src'), { withFileTypes: true })
    const rooms = entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))
    expect(rooms.filter((room) => room !== 'index.ts' && !text!.includes(`\`${room}\``))).toEqual([])

    const tasks = text!.split('## Five tasks to try it on')
    const found = Array.from(answers!.matchAll(/^\d\. `([^`]+)`/gm), ([, file]) => file!)
    expect(found).toHaveLength(5)
    expect(found.filter((file) => !tasks[0]!.includes(`\`${file}\``))).toEqual([])
  })

  it('docs/decisions has its records in a list, each with its reasons and what follows', () => {
    const records = guides.filter((path) => /^docs\/decisions\/\d/.test(path)).toSorted()
    const listed = Array.from(read('docs/decisions/README.md').matchAll(/\((\d.+\.md)\)/g), ([, name]) => name!)
    expect(records.map((path) => path.slice('docs/decisions/'.length))).toEqual(listed)
    const parts = ['**Context.** ', '**Decision.** ', '**Consequences.**']
    for (const path of records) expect(parts.filter((part) => !read(path).includes(part))).toEqual([])
  })

  it('README.md shows code that compiles against the schema it shows', async () => {
    const [program, ...steps] = blocks('README.md', 'ts')
    const [, schema] = blocks('README.md', 'prisma')
    const files = { 'main.ts': program!, 'steps.ts': steps.join('\n') }
    expect(await compile(schema!, files)).toEqual({ code: 0, output: '' })
  })

  // One project for both, as the compiler takes most of its time for Prisma.
  let guidesCompiled: Promise<Run> | undefined
  const compileGuides = () => {
    const files = {
      'prisma.ts': blocks('README.md', 'ts').slice(1).join('\n'),
      'types.ts': blocks('docs/types.md', 'ts').join('\n'),
      'access.ts': blocks('docs/access.md', 'ts').join('\n'),
    }
    guidesCompiled ??= compile(blocks('docs/annotations.md', 'prisma')[0]!, files)
    return guidesCompiled
  }

  it('docs/types.md shows code that compiles, and code that does not, against docs/annotations.md’s complete schema', async () => {
    expect(blocks('docs/types.md', 'ts').join('\n')).toContain('@ts-expect-error')
    expect(await compileGuides()).toEqual({ code: 0, output: '' })
  })

  it('docs/access.md shows code that compiles against docs/annotations.md’s complete schema', async () => {
    expect(blocks('docs/access.md', 'ts').join('\n')).toContain('$forTenant')
    expect(await compileGuides()).toEqual({ code: 0, output: '' })
  })

  it('docs/typeorm.md shows code that compiles, as do the examples of what it is about', async () => {
    const [entities, patient, search, use, config, module, middleware] = blocks('docs/typeorm.md', 'ts') as string[]
    const examples = readdirSync(join(root, 'src/typeorm'), { encoding: 'utf8', recursive: true })
      .filter((name) => name.endsWith('.ts'))
      .flatMap((name) => examplesOf(`src/typeorm/${name}`))
    expect(examples).toHaveLength(12)
    const files = {
      'src/entities.ts': entities!,
      'src/patient.ts': patient!,
      'src/search.ts': search!,
      'src/dataSource.ts': use!,
      'fieldseal.config.ts': config!,
      'src/app.module.ts': module!,
      'src/tenant.middleware.ts': middleware!,
      ...Object.fromEntries(examples.map((code, number) => [`src/example${number}.ts`, withImports(code)])),
    }
    expect(await compileEntities(files)).toEqual({ code: 0, output: '' })
  })

  it('docs/converts.md shows code that compiles, as do the examples of what it is about', async () => {
    const [ofPrisma, ...others] = blocks('docs/converts.md', 'ts') as [string, ...string[]]
    const libraries = ['prismaFieldEncryption', 'typeormEncrypted', 'pgcrypto']
    const examples = libraries.flatMap((name) => examplesOf(`src/formerFormats/${name}.ts`))
    expect([others.length, examples.length]).toEqual([2, 3])
    const files = Object.fromEntries(
      [...others, ...examples].map((code, i) => [`src/converts${i}.ts`, `${code}\nexport {}\n`]),
    )
    expect(await compileEntities(files)).toEqual({ code: 0, output: '' })
    const readme = blocks('docs/annotations.md', 'prisma')[0]!
    const rest = readme.slice(0, readme.indexOf('model '))
    const keys = readme.slice(readme.indexOf('/// @encryptionKeys'))
    const model = blocks('docs/converts.md', 'prisma')[0]!
    expect(await compile(`${rest}\n${model}\n${keys}`, { 'converts.ts': ofPrisma })).toEqual({ code: 0, output: '' })
  })

  it('docs/kms/adapters.md and docs/kms/byok.md show code that compiles, as does the example of testKms', async () => {
    const files = {
      'src/adapters.ts': blocks('docs/kms/adapters.md', 'ts').join('\n'),
      'src/byok.ts': blocks('docs/kms/byok.md', 'ts').join('\n'),
      'src/testKms.ts': examplesOf('src/testing/contract/testKms.ts').join('\n'),
    }
    expect(await compileEntities(files)).toEqual({ code: 0, output: '' })
  })

  it('docs/kms/pkcs11.md shows code that compiles', async () => {
    // The package is compiled when it is installed, so not everybody has it.
    const module = [
      "import type { Pkcs11Module } from 'fieldseal/pkcs11'",
      'export interface PKCS11 extends Pkcs11Module { load(library: string): void }',
      'export declare const PKCS11: new () => PKCS11',
    ]
    const [client, tenants] = blocks('docs/kms/pkcs11.md', 'ts') as [string, string]
    const files = {
      'src/pkcs11js.ts': module.join('\n'),
      'src/client.ts': client.replace("'pkcs11js'", "'./pkcs11js'"),
      'src/tenants.ts': tenants,
    }
    expect(await compileEntities(files)).toEqual({ code: 0, output: '' })
  })

  it('docs/kms/aws.md shows code that compiles, as do the examples of awsKms and of its emulator', async () => {
    const examples = [
      ...blocks('docs/kms/aws.md', 'ts'),
      ...examplesOf('src/kms/aws/awsKms.ts'),
      ...examplesOf('src/testing/aws/awsKmsEmulator.ts'),
    ]
    expect(examples).toHaveLength(7)
    const files = Object.fromEntries(
      examples.map((code, number) => [`src/example${number}.ts`, `${code}\nexport {}\n`]),
    )
    expect(await compileEntities(files)).toEqual({ code: 0, output: '' })
  })

  it('docs/kms/vault.md shows code that compiles, as do the examples of what it is about', async () => {
    const told = blocks('docs/kms/vault.md', 'ts')
    const sources = [
      'kms/vault/vaultKms.ts',
      'kms/vault/tokens/logins.ts',
      'kms/vault/tokens/loginTokens.ts',
      'testing/vault/vaultEmulator.ts',
    ]
    const examples = [...told, ...sources.flatMap((name) => examplesOf(`src/${name}`))]
    expect(examples).toHaveLength(9)
    const imports = "import { appRoleLogin, kubernetesLogin, type VaultLoginFunction } from 'fieldseal/vault'\n"
    const withLogins = (code: string) => (code.includes('import ') ? code : imports + code)
    const files = Object.fromEntries(
      examples.map((code, i) => [`src/vault${i}.ts`, `${withLogins(code)}\nexport {}\n`]),
    )
    expect(await compileEntities(files)).toEqual({ code: 0, output: '' })
  })

  it.each(['google', 'azure'])(
    'docs/kms/%s.md shows code that compiles, as do the examples in the code',
    async (vendor) => {
      const name = vendor === 'google' ? 'Google' : 'Azure'
      const examples = [
        ...blocks(`docs/kms/${vendor}.md`, 'ts'),
        ...examplesOf(`src/kms/${vendor}/${vendor}Kms.ts`),
        ...examplesOf(`src/testing/${vendor}/${vendor}KmsEmulator.ts`),
      ]
      expect(examples.length).toBeGreaterThan(2)
      const files = Object.fromEntries(examples.map((code, i) => [`src/${name}${i}.ts`, `${code}\nexport {}\n`]))
      expect(await compileEntities(files)).toEqual({ code: 0, output: '' })
    },
  )

  it('docs/errors.md explains every error code, and no other', () => {
    const explained = Array.from(read('docs/errors.md').matchAll(/^\| `([A-Z_]+)`/gm), ([, code]) => code!)
    expect(explained.toSorted()).toEqual([...ERROR_CODES].toSorted())
  })
})
