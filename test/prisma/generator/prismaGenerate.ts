import { spawn } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll } from '@jest/globals'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const fixtures = fileURLToPath(new URL('./fixtures', import.meta.url))

/** The command that runs the built generator, as a Prisma schema's `provider`. */
export const provider = commandLine(process.execPath, join(root, 'dist/bin/fieldseal-generator.js'))

/** A shell command whose words may have spaces. */
export function commandLine(...words: string[]): string {
  return words.map((word) => `"${word}"`).join(' ')
}

export interface Run {
  readonly code: number | null
  readonly output: string
}

const projects: string[] = []

afterAll(() => {
  for (const folder of projects) rmSync(folder, { recursive: true, force: true })
})

/** A folder of its own, removed when the test file ends. */
export function project(): string {
  const folder = mkdtempSync(join(tmpdir(), 'fieldseal-generator-'))
  projects.push(folder)
  return folder
}

/** A copy of a project. */
export function copyOf(folder: string): string {
  const copy = project()
  cpSync(folder, copy, { recursive: true })
  return copy
}

/** A project with a fixture in it, its provider being the built generator. Answers the schema's path. */
export function projectOf(fixture: string): { folder: string; schema: string } {
  const folder = project()
  const schema = join(folder, fixture)
  cpSync(join(fixtures, fixture), schema, { recursive: true })
  for (const file of fixture.endsWith('.prisma') ? [schema] : readdirSync(schema).map((name) => join(schema, name))) {
    writeFileSync(file, useSource(readFileSync(file, 'utf8')))
  }
  installTypes(folder)
  return { folder, schema }
}

/** A project with a schema of these models. */
export function projectWith(models: string, encryptionOptions = 'output = "./generated/encryption"') {
  const folder = project()
  installTypes(folder)
  const schema = join(folder, 'schema.prisma')
  const blocks =
    `generator encryption {\n  provider = "fieldseal-generator"\n  ${encryptionOptions}\n}\n\n` +
    'datasource db {\n  provider = "postgresql"\n}\n\n'
  writeFileSync(schema, useSource(blocks + models))
  return { folder, schema }
}

/** Runs the real `prisma generate`. The engine binary is not used by it, and need not be downloaded. */
export function prismaGenerate(schema: string): Promise<Run> {
  const environment = {
    PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
    PRISMA_HIDE_UPDATE_MESSAGE: '1',
    CHECKPOINT_DISABLE: '1',
  }
  return run(join(root, 'node_modules/prisma/build/index.js'), ['generate', '--schema', schema], schema, environment)
}

/** Runs the TypeScript compiler on a project. */
export function typeCheck(folder: string, compilerOptions: object): Promise<Run> {
  const options = { strict: true, noEmit: true, skipLibCheck: true, target: 'ES2022', types: [], ...compilerOptions }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, include: ['**/*.ts'] }))
  return run(join(root, 'node_modules/typescript/bin/tsc'), ['-p', folder], folder, {})
}

/** Runs a script of the project with Node. */
export function runNode(file: string): Promise<Run> {
  return run(file, [], file, {})
}

/** The schema with the generator run as it is built here. */
export function useSource(schema: string): string {
  return schema.replace('"fieldseal-generator"', JSON.stringify(provider))
}

/** Puts the package's types, and the Prisma packages, where npm would put them. */
function installTypes(folder: string): void {
  const target = join(folder, 'node_modules/fieldseal')
  mkdirSync(target, { recursive: true })
  const types = readFileSync(join(root, 'src/schema/encryptionSchema.ts'))
  for (const name of ['prisma.d.ts', 'prisma.d.cts']) writeFileSync(join(target, name), types)
  const conditions = { import: { types: './prisma.d.ts' }, require: { types: './prisma.d.cts' } }
  const manifest = {
    name: 'fieldseal',
    type: 'module',
    exports: { './prisma': conditions },
    typesVersions: { '*': { prisma: ['prisma.d.ts'] } },
  }
  writeFileSync(join(target, 'package.json'), JSON.stringify(manifest))
  symlinkSync(join(root, 'node_modules/@prisma'), join(folder, 'node_modules/@prisma'))
}

function run(script: string, args: string[], near: string, environment: NodeJS.ProcessEnv): Promise<Run> {
  const cwd = statSync(near).isDirectory() ? near : dirname(near)
  const child = spawn(process.execPath, [script, ...args], {
    cwd,
    env: { ...process.env, NO_COLOR: '1', ...environment },
  })
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  child.stderr.on('data', (chunk) => {
    output += chunk
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, output }))
  })
}
