import { fileURLToPath } from 'node:url'
import { localKms } from 'fieldseal/local-kms'
import type { DataSourceEncryptionOptions } from 'fieldseal/typeorm'
import type { DataSource, DataSourceOptions } from 'typeorm'
import { createDatabase } from '../support/database.js'
import { fakeEncryption } from './fakeEncryption.js'

fakeEncryption()

const EMPTY = fileURLToPath(new URL('./fixtures/empty.prisma', import.meta.url))
const kms = localKms({ key: Buffer.alloc(32, 7).toString('base64') })

type PostgresOptions = Extract<DataSourceOptions, { type: 'postgres' }>

export const fieldseal = await import('fieldseal/typeorm')
export const typeorm = await import('typeorm')

const { Column, Entity, ManyToOne, OneToMany, PrimaryGeneratedColumn, Tree, TreeChildren, TreeParent } = typeorm
const { Encrypted } = fieldseal

@Entity()
export class Author {
  @PrimaryGeneratedColumn()
  declare id: number

  @Encrypted()
  declare name: string

  @OneToMany(
    () => Book,
    (book) => book.author,
  )
  declare books: Promise<Book[]>
}

@Entity()
export class Book {
  @PrimaryGeneratedColumn()
  declare id: number

  @Encrypted({ column: 'jsonb' })
  declare text: unknown

  @ManyToOne(
    () => Author,
    (author) => author.books,
  )
  declare author: Promise<Author>
}

@Entity()
@Tree('closure-table')
export class Shelf {
  @PrimaryGeneratedColumn()
  declare id: number

  @Encrypted()
  declare name: string

  @TreeChildren()
  declare children: Shelf[]

  @TreeParent()
  declare parent: Shelf | null
}

@Entity()
export class Town {
  @PrimaryGeneratedColumn()
  declare id: number

  @Column({ type: 'text' })
  declare label: string
}

export interface FakeSource {
  readonly url: string
  readonly dataSource: DataSource
  another(options?: Partial<PostgresOptions>): DataSource
  close(): Promise<void>
}

/** A data source whose encryption is the fake one, on a database of its own. */
export async function openFake(): Promise<FakeSource> {
  const { url, drop } = await createDatabase({ schema: EMPTY })
  const entities = [Author, Book, Shelf, Town]
  const made: DataSource[] = []
  const another = (options: Partial<PostgresOptions> = {}) => {
    const dataSource = new typeorm.DataSource({ type: 'postgres', url, entities, poolSize: 4, ...options })
    made.push(dataSource)
    return dataSource
  }
  const dataSource = encrypting(another({ synchronize: true }))
  await dataSource.initialize()
  return {
    ...{ url, dataSource, another },
    async close() {
      await Promise.all(made.filter(({ isInitialized }) => isInitialized).map((source) => source.destroy()))
      await drop()
    },
  }
}

export function encrypting<Source extends DataSource>(
  dataSource: Source,
  options: Partial<DataSourceEncryptionOptions> = {},
): Source {
  return fieldseal.fieldEncryption(dataSource, { kms, ...options })
}

/** Connections that are held by somebody. */
export function borrowed(dataSource: DataSource): number {
  const { master } = dataSource.driver as unknown as { master: { totalCount: number; idleCount: number } }
  return master.totalCount - master.idleCount
}
