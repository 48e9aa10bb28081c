import { relative } from 'node:path'
import type { InitAnswers } from './answers.js'
import { type EntityColumn, type FoundEntity, findEntities } from './entities.js'
import { normalizersOf } from './markSchema.js'
import type { TextFile } from './plan.js'

/** The decorators that the answers come to, an entity each, to be put in by hand: its file is the application's code. */
export function entityMarks(root: string, sources: readonly TextFile[], answers: InitAnswers): string[] {
  return findEntities(sources).flatMap((entity) => {
    const chosen = entity.columns.filter(({ name }) => answers.fields.includes(`${entity.name}.${name}`))
    if (chosen.length === 0) return []
    const lines = [
      ...keyLines(entity, answers),
      ...tenantLines(entity, answers),
      ...chosen.flatMap((column) => markLines(entity, column, answers)),
    ]
    const names = [
      ...new Set(
        lines.flatMap((line) => [...line.matchAll(/@(Encrypted|BlindIndex|Tenant)\b/g)].map(([, name]) => name!)),
      ),
    ]
    const code = [`import { ${names.sort().join(', ')} } from 'fieldseal/typeorm'`, '', ...lines]
    return [
      `in ${relative(root, entity.path)}, of ${entity.name}:\n\n${code.map((line) => (line ? `    ${line}` : '')).join('\n')}\n`,
    ]
  })
}

/** Those of the class, over blind indexes in the place of what is encrypted. */
function keyLines({ name, keys }: FoundEntity, { blindIndexes, migrating }: InitAnswers): string[] {
  const moves = (property: string) => blindIndexes.includes(`${name}.${property}`)
  return keys
    .filter(({ properties }) => properties.some(moves))
    .map(({ kind, isUnique, properties, before, list, rest }) => {
      const moved = properties
        .filter(moves)
        .reduce((text, one) => text.replace(new RegExp(`\\b${one}\\b(?=\\s*['",\\]])`), indexOf(one)), list)
      // An index of plaintext is there yet, under its name.
      const stays = migrating && !isUnique
      const start = stays ? before.replace(/^\(\s*(['"])\w*\1\s*,\s*/, '(') : before
      return `@${kind}${start}${moved}${rest} // at the class, ${stays ? 'beside' : 'in place of'} that of ${properties.join(', ')}`
    })
}

function indexOf(property: string): string {
  return `${property}Index`
}

function tenantLines({ columns, tenant }: FoundEntity, { tenancy }: InitAnswers): string[] {
  const column = tenancy.kind === 'many' && tenant === undefined && columns.find(({ name }) => name === tenancy.column)
  return column ? [`@Tenant() @Column() ${column.name}${column.sign}: ${column.type}`] : []
}

function markLines(entity: FoundEntity, column: EntityColumn, { blindIndexes, migrating }: InitAnswers): string[] {
  const { name, sign, type, isNullable, isUnique, isIndexed } = column
  const options = [
    migrating && column.column !== 'text' && `column: 'varchar'`,
    migrating && `state: 'migrating'`,
    isNullable && 'nullable: true',
  ].filter(Boolean)
  const encrypted = `@Encrypted(${options.length > 0 ? `{ ${options.join(', ')} }` : ''})`
  const lines = [`${encrypted} ${name}${sign}: ${type}${isNullable ? ' | null' : ''}`]
  if (!isUnique && !blindIndexes.includes(`${entity.name}.${name}`)) return lines
  const normalize = normalizersOf(name).map((one) => `'${one}'`)
  const settings = [normalize.length > 0 && `normalize: [${normalize.join(', ')}]`, isUnique && 'unique: true'].filter(
    Boolean,
  )
  const index = `@BlindIndex('${name}'${settings.length > 0 ? `, { ${settings.join(', ')} }` : ''})`
  const databaseIndex = isIndexed && !isUnique ? '@Index() ' : ''
  return [...lines, `${databaseIndex}${index} ${indexOf(name)}?: string | null`]
}
