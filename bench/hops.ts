import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { PrismaPg } from '@prisma/adapter-pg'
import ts from 'typescript'
import { encryptionSchema } from '../generated/bench/encryption/index.js'
import { PrismaClient } from '../generated/bench/prisma/client.js'
import { startEmbeddedPostgres } from '../scripts/lib/embeddedPostgres.js'
import { applySchema } from '../scripts/lib/schemaEngine.js'

/*
 * The way of a warm operation on a row with an encrypted field and a blind index: the files of src that it enters, the
 * functions in them that it calls, and how many of these calls lead into another file than the call before, or back into
 * a room, a folder of src, that it had left. The last depends on which rooms there are. What runs is a copy of src in
 * which each function says that it is called.
 */

const ROOT = resolve(import.meta.dirname, '..')

/** The files of the calls since it was last emptied, in order. */
const calls: string[] = []
Object.assign(globalThis, { enters: (file: string) => calls.push(file) })

/** The same source, in which each function begins with a call of `enters`. */
function telling(file: string, text: string): string {
  const tell = `enters(${JSON.stringify(file)})`
  const insertions: { readonly at: number; readonly text: string }[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body) {
      const { body } = node as { readonly body: ts.ConciseBody }
      if (ts.isBlock(body)) insertions.push({ at: body.getStart() + 1, text: `${tell};` })
      else insertions.push({ at: body.getStart(), text: `(${tell}, ` }, { at: body.end, text: ')' })
    }
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true))
  const inOrder = insertions.toSorted((one, other) => one.at - other.at)
  const pieces = inOrder.map(({ at, text: inserted }, i) => text.slice(inOrder[i - 1]?.at ?? 0, at) + inserted)
  return pieces.join('') + text.slice(inOrder.at(-1)?.at ?? 0)
}

/** Compiles src into a folder that finds the same packages. */
async function compile(folder: string): Promise<void> {
  for (const name of ['package.json', 'node_modules']) await symlink(join(ROOT, name), join(folder, name))
  for (const path of ts.sys.readDirectory(join(ROOT, 'src'), ['.ts'])) {
    const file = relative(ROOT, path)
    const { outputText } = ts.transpileModule(telling(file, await readFile(path, 'utf8')), {
      compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true },
    })
    const output = join(folder, file.replace(/\.ts$/, '.js'))
    await mkdir(dirname(output), { recursive: true })
    await writeFile(output, outputText)
  }
}

/** @param operation is run once before it is looked at, so that it finds its keys in memory */
async function hopsOf(name: string, operation: () => Promise<unknown>): Promise<string> {
  await operation()
  calls.length = 0
  await operation()
  const rooms = calls.map((file) => dirname(file))
  const onward = calls.filter((file, i) => file !== calls[i - 1]).length
  const back = rooms.filter((room, i) => room !== rooms[i - 1] && rooms.indexOf(room) < i).length
  return (
    `${name}: ${new Set(calls).size} files, ${calls.length} calls, ${onward} of them into another file than the one ` +
    `before, ${back} back into a room that it had left`
  )
}

const folder = await mkdtemp(join(tmpdir(), 'fieldseal-hops-'))
const server = await startEmbeddedPostgres()
try {
  await compile(folder)
  const load = (path: string) => import(pathToFileURL(join(folder, 'src', path)).href)
  const { fieldEncryption }: typeof import('fieldseal/prisma') = await load('prisma/index.js')
  const { localKms }: typeof import('fieldseal/local-kms') = await load('kms/localKms.js')
  await applySchema(server.url, 'bench/schema.prisma')
  const kms = localKms({ key: 'ab'.repeat(32) })
  const adapter = new PrismaPg({ connectionString: server.url })
  const prisma = new PrismaClient({ adapter }).$extends(fieldEncryption({ schema: encryptionSchema, kms }))
  const acme = prisma.$forTenant('acme')
  let id = 0
  const email = () => `person${id}@example.com`
  const create = () => {
    id += 1
    return acme.person.create({ data: { id, tenant: 'acme', email: email() } })
  }
  const findMany = () => acme.person.findMany({ where: { email: email() } })
  for (const [name, operation] of Object.entries({ create, findMany })) console.log(await hopsOf(name, operation))
  await prisma.$disconnect()
} finally {
  await server.stop()
  await rm(folder, { recursive: true })
}
