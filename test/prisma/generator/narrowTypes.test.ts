import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from '@jest/globals'
import { expectFile } from '../../support/frozenFile.js'
import { clientFiles, clientOf, encryptionSchema, fixture, generatedProject, narrow } from './narrowed.js'
import { prismaGenerate, projectOf, typeCheck } from './prismaGenerate.js'

const strictest = {
  module: 'NodeNext',
  isolatedModules: true,
  verbatimModuleSyntax: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  typeRoots: [fileURLToPath(new URL('../../../node_modules/@types', import.meta.url))],
  types: ['node'],
}

/** Prisma keeps its files from being checked; the types in them must stand up to it. */
function checkGeneratedToo(folder: string): void {
  for (const [file, text] of Object.entries(clientFiles(folder))) {
    if (!/^(models\/|commonInputTypes)/.test(file)) continue
    expect(text).toContain('// @ts-nocheck')
    writeFileSync(join(clientOf(folder), file), text.replace('// @ts-nocheck', ''))
  }
}

/** Type-checks a fixture against a project's client. */
async function check(folder: string, uses: string, options: object = strictest): Promise<string> {
  checkGeneratedToo(folder)
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }))
  writeFileSync(join(folder, 'uses.ts'), fixture(`narrowed/${uses}.ts.txt`))
  return (await typeCheck(folder, options)).output
}

/** A generated file without its comments and the long signatures of its methods. */
const signatures = (text: string) =>
  text.replace(/^ *\/\*\*[\s\S]*?\*\/\n/gm, '').replace(/^export interface \w+(Delegate|Client)<[\s\S]*?^}\n/gm, '')

const changedLines = (before: string, after: string) => {
  const old = new Set(before.split('\n'))
  return after.split('\n').filter((line) => !old.has(line))
}

describe('the types of a client from prisma-client', () => {
  it('say of every kind of encrypted field what can be written, read and asked', async () => {
    const folder = await generatedProject()
    narrow(folder)
    expect(await check(folder, 'uses')).toBe('')
  }, 120_000)

  it('are written as these snapshots have it', async () => {
    const folder = await generatedProject()
    narrow(folder)
    const { 'models/Person.ts': person, 'commonInputTypes.ts': common } = clientFiles(folder)
    expectFile(new URL('snapshots/narrowed.Person.ts.txt', import.meta.url), signatures(person!))
    const added = common!.slice(common!.indexOf('// Types narrowed by'))
    expectFile(new URL('snapshots/narrowed.commonInputTypes.ts.txt', import.meta.url), added)
  })

  it('are Prisma’s own for whatever is not encrypted, to the byte', async () => {
    const folder = await generatedProject()
    const before = clientFiles(folder)
    narrow(folder)
    const after = clientFiles(folder)
    const changed = Object.keys(after).filter((file) => after[file] !== before[file])
    expect(changed.sort()).toEqual(['commonInputTypes.ts', 'models/Person.ts', 'models/Team.ts'])
    expect(after['commonInputTypes.ts']!.startsWith(before['commonInputTypes.ts']!.trimEnd())).toBe(true)
    const names = [...Object.keys(encryptionSchema.models.Person!.encrypted), 'title', '\\w+(Index|Tokens)', 'post']
    const ours = new RegExp(`^ +(readonly )?(${names.join('|')}|by|distinct|tenantId_badge)\\??: |^}, "id"`)
    for (const file of ['models/Person.ts', 'models/Team.ts']) {
      const lines = changedLines(before[file]!, after[file]!)
      expect(lines.length).toBeGreaterThan(0)
      expect(lines.filter((line) => !ours.test(line))).toEqual([])
    }
  })

  it('are narrowed once, however often it is asked for', async () => {
    const folder = await generatedProject()
    narrow(folder)
    const once = clientFiles(folder)
    narrow(folder)
    expect(clientFiles(folder)).toEqual(once)
  })

  it('are left alone where nothing is encrypted', async () => {
    const folder = await generatedProject()
    const before = clientFiles(folder)
    const { room_plan } = encryptionSchema.models
    narrow(folder, {}, { ...encryptionSchema, models: { room_plan: room_plan! } })
    expect(clientFiles(folder)).toEqual(before)
  })

  it('keep room for Prisma.skip under strictUndefinedChecks, and keep encrypted fields out of relevance', async () => {
    const folder = await generatedProject((schema) =>
      schema.replace('output ', 'previewFeatures = ["strictUndefinedChecks", "fullTextSearchPostgres"]\n  output '),
    )
    narrow(folder)
    expect(await check(folder, 'preview')).toBe('')
  }, 120_000)

  it('are found under another file extension', async () => {
    const folder = await generatedProject((schema) =>
      schema.replace('output ', 'generatedFileExtension = "mts"\n  output '),
    )
    narrow(folder, { generatedFileExtension: 'mts' })
    expect(clientFiles(folder)['models/Person.mts']).toContain('  born: Date | string\n')
  })
})

describe('the types of a client from prisma-client-js', () => {
  it('are Prisma’s own, and keep working with the extended client', async () => {
    const { folder, schema } = projectOf('client-js.prisma')
    expect(await prismaGenerate(schema)).toMatchObject({ code: 0 })
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }))
    writeFileSync(join(folder, 'uses.ts'), fixture('narrowed/clientJs.ts.txt'))
    const paths = { 'fieldseal/prisma': [fileURLToPath(new URL('../../../dist/prisma/index.d.ts', import.meta.url))] }
    const lib = ['ES2023', 'ES2024.String']
    expect((await typeCheck(folder, { ...strictest, lib, paths })).output).toBe('')
  }, 120_000)
})

describe('a client that does not look as Prisma 7.10 writes it', () => {
  const breaks: [string, string, (text: string) => string, string][] = [
    [
      'a type that is missing',
      'models/Person.ts',
      (text) => text.replace('type PersonUpdateManyMutationInput', 'type PersonChangeManyInput'),
      'the type PersonUpdateManyMutationInput is missing',
    ],
    [
      'a property that is missing',
      'models/Person.ts',
      (text) => text.replace(/(PersonWhereInput = \{[^}]*) {2}name\?: [^\n]*\n/, '$1'),
      'PersonWhereInput has no property name',
    ],
    [
      'a property of another type',
      'models/Person.ts',
      (text) => text.replaceAll('Prisma.StringFilter<"Person"> | string', 'Prisma.TextFilter<"Person"> | string'),
      'PersonWhereInput.name has the type `Prisma.TextFilter<"Person"> | string` instead of',
    ],
    [
      'a filter where none is expected',
      'models/Person.ts',
      (text) => `${text}\nexport type PersonFindInput = {\n  name?: Prisma.StringFilter<"Person"> | string\n}\n`,
      '`name?: Prisma.StringFilter<"Person"> | string` stands where it is not expected',
    ],
    [
      'a write where none is expected',
      'models/Person.ts',
      (text) =>
        `${text}\nexport type PersonReviseInput = {\n  bornIndex?: Prisma.NullableStringFieldUpdateOperationsInput | string | null\n}\n`,
      '`bornIndex?: Prisma.NullableStringFieldUpdateOperationsInput | string | null` stands where it is not expected',
    ],
    [
      'a payload without scalars',
      'models/Person.ts',
      (text) => text.replace('  scalars: runtime', '  columns: runtime'),
      '$PersonPayload has no object `scalars`',
    ],
    [
      'a unique where that ends in another way',
      'models/Person.ts',
      (text) => text.replace('}, "id" | "emailIndex"', '}, keyof Person | "emailIndex"'),
      'PersonWhereUniqueInput ends with `}, keyof Person |',
    ],
    [
      'another form of distinct',
      'models/Team.ts',
      (text) => text.replaceAll('distinct?: Prisma.TeamScalarFieldEnum', 'distinct?: Prisma.TeamColumns'),
      '`distinct?: Prisma.TeamScalarFieldEnum | Prisma.TeamScalarFieldEnum[]` is missing',
    ],
  ]
  it.each(breaks)('is refused and left as it is: %s', async (_, file, edit, message) => {
    const folder = await generatedProject()
    const path = join(clientOf(folder), file)
    const text = readFileSync(path, 'utf8')
    expect(edit(text)).not.toBe(text)
    writeFileSync(path, edit(text))
    const before = clientFiles(folder)
    expect(() => narrow(folder)).toThrow(
      expect.objectContaining({
        code: 'OPTIONS_INVALID',
        message: expect.stringContaining(`no longer has the expected shape: in ${path}, ${message}`),
      }),
    )
    expect(() => narrow(folder)).toThrow('set `types = "off"`')
    expect(clientFiles(folder)).toEqual(before)
  })

  it('is refused where a file is missing', async () => {
    const folder = await generatedProject()
    rmSync(join(clientOf(folder), 'models/room_plan.ts'))
    expect(() => narrow(folder)).toThrow(/^generator client has not written .*room_plan\.ts.*set `types = "off"`/)
  })

  it('is refused when it was narrowed for another encryption schema', async () => {
    const folder = await generatedProject()
    narrow(folder)
    const { Person: _, ...models } = encryptionSchema.models
    const other = { ...encryptionSchema, models }
    expect(() => narrow(folder, {}, other)).toThrow('narrowed for another encryption schema; run `prisma generate`')
  })
})
