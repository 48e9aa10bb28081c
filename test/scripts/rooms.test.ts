import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from '@jest/globals'
import ts from 'typescript'

const source = fileURLToPath(new URL('../../src', import.meta.url))

/** The rooms that serve every ORM. */
const ROOMS = ['cipher', 'client', 'keys', 'maintenance', 'plan']

function filesIn(room: string): string[] {
  const entries = readdirSync(join(source, room), { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name))
}

/** A name of an ORM, or how its users write what is encrypted, or what they call. */
const ORMS = /prisma|typeorm|@encrypted|\/\/\/ @|@Encrypted|\$(forTenant|acrossTenants)|generate the client/i

/** The words and texts of a program that speak of an ORM; comments are none of these. */
function namingOrms(text: string): string[] {
  const found: string[] = []
  const visit = (node: ts.Node): void => {
    const isLeaf = node.getChildCount(file) === 0
    if (isLeaf && ORMS.test(node.getText(file))) found.push(node.getText(file))
    for (const child of node.getChildren(file)) if (!ts.isJSDoc(child)) visit(child)
  }
  const file = ts.createSourceFile('file.ts', text, ts.ScriptTarget.Latest, true)
  visit(file)
  return found
}

describe('the words that a program is made of', () => {
  it('are its names, its texts and what it imports', () => {
    expect(namingOrms("import { a } from '@prisma/client'")).toEqual(["'@prisma/client'"])
    expect(namingOrms('const prismaClient = [PrismaClient, "Prisma 7"]')).toEqual([
      'prismaClient',
      'PrismaClient',
      '"Prisma 7"',
    ])
  })

  it('are not its comments', () => {
    expect(namingOrms('/** As Prisma does. */\nconst a = 1 // of Prisma\n/* prisma */')).toEqual([])
    expect(namingOrms('interface A {\n  /** The Prisma model. */\n  readonly a: string\n}')).toEqual([])
  })
})

describe.each(ROOMS)('the room src/%s', (room) => {
  const files = filesIn(room)

  it('has files', () => expect(files.length).toBeGreaterThan(5))

  it('knows no ORM, and does not speak in the words of one: only comments do', () => {
    const named = files.map((path) => [path.slice(source.length + 1), namingOrms(readFileSync(path, 'utf8'))])
    expect(named.filter(([, words]) => words!.length > 0)).toEqual([])
  })
})

describe.each(['prisma', 'typeorm'])('src/%s', (orm) => {
  it('has no more than twelve files outside its rooms', () => {
    const files = readdirSync(join(source, orm), { withFileTypes: true }).filter((entry) => entry.isFile())
    expect(files.length).toBeLessThanOrEqual(12)
  })
})
