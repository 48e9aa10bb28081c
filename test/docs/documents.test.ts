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
  'bench/README.md',
  ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`),
]
const read = (path: string) => readFileSync(join(root, path), 'utf8')

function blocks(path: string, language: string): string[] {
  const fences = read(path).matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))
  return Array.from(fences, ([, code]) => code!)
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

/** Type-checks files of src/ in a project whose client is generated from the schema. */
async function compile(text: string, files: { readonly [name: string]: string }): Promise<Run> {
  const folder = project()
  mkdirSync(join(folder, 'prisma'))
  mkdirSync(join(folder, 'src'))
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  const schema = join(folder, 'prisma/schema.prisma')
  writeFileSync(schema, useSource(text))
  expect(await prismaGenerate(schema)).toMatchObject({ code: 0 })

  for (const [name, code] of Object.entries(files)) writeFileSync(join(folder, 'src', name), code)
  const source = (path: string) => [join(root, 'src', path)]
  const paths = {
    fieldseal: source('index.ts'),
    'fieldseal/prisma': source('prisma/index.ts'),
    'fieldseal/tencent-kms': source('kms/tencent/tencentKms.ts'),
    'fieldseal/testing': source('testing/index.ts'),
  }
  const module = {
    module: 'NodeNext',
    moduleResolution: 'NodeNext',
    lib: ['ES2023', 'ES2024.String'],
    types: ['node'],
    paths,
  }
  return typeCheck(folder, module)
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

  it('README.md shows code that compiles against the schema it shows', async () => {
    const files = { 'readme.ts': blocks('README.md', 'ts').join('\n') }
    expect(await compile(blocks('README.md', 'prisma').join('\n'), files)).toEqual({ code: 0, output: '' })
  })

  it('docs/types.md shows code that compiles, and code that does not, against docs/annotations.md’s complete schema', async () => {
    const types = blocks('docs/types.md', 'ts').join('\n')
    expect(types).toContain('@ts-expect-error')
    const files = { 'prisma.ts': blocks('README.md', 'ts').join('\n'), 'types.ts': types }
    expect(await compile(blocks('docs/annotations.md', 'prisma')[0]!, files)).toEqual({ code: 0, output: '' })
  })

  it('docs/access.md shows code that compiles against docs/annotations.md’s complete schema', async () => {
    const files = {
      'prisma.ts': blocks('README.md', 'ts').join('\n'),
      'access.ts': blocks('docs/access.md', 'ts').join('\n'),
    }
    expect(await compile(blocks('docs/annotations.md', 'prisma')[0]!, files)).toEqual({ code: 0, output: '' })
  })

  it('docs/errors.md explains every error code, and no other', () => {
    const explained = Array.from(read('docs/errors.md').matchAll(/^\| `([A-Z_]+)`/gm), ([, code]) => code!)
    expect(explained.toSorted()).toEqual([...ERROR_CODES].toSorted())
  })
})
