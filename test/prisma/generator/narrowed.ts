import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from '@jest/globals'
import { narrowTypes } from '../../../src/prisma/generator/types/narrowTypes.js'
import type {
  BlindIndexSchema,
  EncryptedFieldSchema,
  EncryptionSchema,
  TextIndexSchema,
  TokenIndexSchema,
} from '../../../src/schema/encryptionSchema.js'
import { copyOf, prismaGenerate, projectOf } from './prismaGenerate.js'

type Field = Partial<EncryptedFieldSchema>

const field = (name: string, more: Field = {}): [string, EncryptedFieldSchema] => [
  name,
  { type: 'String', required: true, context: `Person.${name}`, bind: [], ...more },
]
const optional = (name: string, more: Field = {}) => field(name, { required: false, ...more })

const index = (name: string, sources: string[], more: Partial<BlindIndexSchema> = {}): [string, BlindIndexSchema] => [
  name,
  { type: 'String', sources, normalize: [], scope: 'tenant', bits: 128, ...more },
]

const text = (name: string, source: string, more: Partial<TextIndexSchema>): [string, TokenIndexSchema] => [
  name,
  { kind: 'text', source, normalize: [], scope: 'tenant', ...more },
]

const range = (name: string, source: string): [string, TokenIndexSchema] => [
  name,
  { kind: 'range', source, unit: '1', min: '0', max: '9', step: '1', sparsity: 2, scope: 'tenant' },
]

const role = { value: 'Enum', enum: ['DOCTOR', 'NURSE'] } as const
const nothing = {
  table: '',
  id: ['id'],
  uniques: {},
  columns: {},
  encrypted: {},
  indexes: {},
  bound: {},
  relations: {},
}
const relation = (model: string) => ({ model, relationName: '', list: true, from: [], to: [] })

/** What the annotations of fixtures/narrowed would say. */
export const encryptionSchema: EncryptionSchema = {
  format: 4,
  keysModel: '',
  models: {
    Person: {
      ...nothing,
      tenant: 'tenantId',
      uniques: {
        tenantId_badgeIndex: ['tenantId', 'badgeIndex'],
        post: ['tenantId', 'roleIndex'],
        tenantId_movingIndex: ['tenantId', 'movingIndex'],
      },
      encrypted: Object.fromEntries([
        field('name'),
        optional('nick'),
        field('email'),
        optional('badge'),
        field('first'),
        optional('last'),
        field('born', { value: 'DateTime' }),
        optional('seen', { value: 'DateTime' }),
        field('age', { value: 'Int' }),
        optional('count', { value: 'BigInt' }),
        field('ratio', { value: 'Float' }),
        optional('price', { value: 'Decimal' }),
        field('active', { value: 'Boolean' }),
        field('role', role),
        optional('wish', { type: 'Bytes', ...role }),
        field('tags', { list: true }),
        field('days', { value: 'DateTime', list: true }),
        field('card', { type: 'Json' }),
        optional('extra', { type: 'Json' }),
        optional('meta', { value: 'Json' }),
        field('scan', { type: 'Bytes' }),
        optional('thumb', { type: 'Bytes' }),
        optional('moving', { state: 'migrating' }),
        field('surname'),
        optional('note'),
        optional('weight', { value: 'Decimal' }),
        field('code', { value: 'BigInt' }),
        optional('hired', { value: 'DateTime' }),
      ]),
      indexes: Object.fromEntries([
        index('emailIndex', ['email'], { unique: true }),
        index('badgeIndex', ['badge']),
        index('pairIndex', ['first', 'last'], { unique: true }),
        index('bornIndex', ['born'], { bits: 32 }),
        index('priceIndex', ['price'], { type: 'Bytes' }),
        index('roleIndex', ['role']),
        index('movingIndex', ['moving'], { unique: true }),
        index('surnameIndex', ['surname']),
        index('codeIndex', ['code'], { unique: true }),
        index('hiredIndex', ['hired']),
      ]),
      tokenIndexes: Object.fromEntries([
        text('surnameTokens', 'surname', { prefix: [2, 6], suffix: [2, 4], normalize: ['trim', 'lowercase'] }),
        text('noteTokens', 'note', { wordPrefix: [2, 6], grams: 3 }),
        text('lastTokens', 'last', { words: true }),
        range('weightTokens', 'weight'),
        range('codeTokens', 'code'),
        range('hiredTokens', 'hired'),
      ]),
      relations: { boss: relation('Person'), reports: relation('Person'), teams: relation('Team') },
    },
    Team: { ...nothing, encrypted: Object.fromEntries([field('title')]), relations: { members: relation('Person') } },
    room_plan: nothing,
  },
}

const enums = [{ name: 'Role', values: [{ name: 'DOCTOR' }, { name: 'NURSE' }] }]

/** Where the client of a project is. */
export const clientOf = (folder: string) => join(folder, 'schema/generated/prisma')

/** A generator block of the client, as Prisma hands it over. */
export const clientBlock = (folder: string, config = {}) => ({
  name: 'client',
  provider: { value: 'prisma-client' },
  output: { value: clientOf(folder) },
  config,
})

const made = new Map<string, Promise<string>>()

/** A project whose client Prisma has just generated, which it does once for each schema. */
export async function generatedProject(edit = (schema: string) => schema): Promise<string> {
  const key = edit(fixture('narrowed/schema.prisma'))
  if (!made.has(key)) made.set(key, generateProject(edit))
  return copyOf(await made.get(key)!)
}

async function generateProject(edit: (schema: string) => string): Promise<string> {
  const { folder } = projectOf('narrowed')
  cpSync(join(folder, 'narrowed'), join(folder, 'schema'), { recursive: true })
  const schema = join(folder, 'schema/schema.prisma')
  writeFileSync(schema, edit(readFileSync(schema, 'utf8')))
  expect(await prismaGenerate(schema)).toMatchObject({ code: 0 })
  return folder
}

/** Narrows the types of a project's client. */
export function narrow(folder: string, config = {}, schema = encryptionSchema): void {
  narrowTypes(clientBlock(folder, config), { schema, enums })
}

/** The files of a client and their texts. */
export function clientFiles(folder: string): { [file: string]: string } {
  const files = readdirSync(clientOf(folder), { recursive: true, withFileTypes: true }).filter((file) => file.isFile())
  return Object.fromEntries(
    files.map(({ parentPath, name }) => {
      const file = join(parentPath, name)
      return [file.slice(clientOf(folder).length + 1), readFileSync(file, 'utf8')]
    }),
  )
}

/** A fixture's text. */
export function fixture(name: string): string {
  return readFileSync(fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url)), 'utf8')
}
