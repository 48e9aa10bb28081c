import {
  BlindIndex,
  Encrypted,
  EncryptedView,
  EncryptionKeyColumns,
  EncryptionKeys,
  RangeIndex,
  TextIndex,
} from 'fieldseal/typeorm'
import { Column, Entity, PrimaryColumn, ViewColumn, ViewEntity } from 'typeorm'

/** What a column holds, in the tables in plaintext. */
export type Kind = 'int' | 'text' | 'json'

export interface TableColumn {
  readonly name: string
  readonly kind: Kind
  /** Encrypted on the other side: found by its index, or not at all. */
  readonly secret?: 'indexed' | 'blind'
  /** Found by tokens too: by comparisons, of which some tell ten values apart only, or by patterns. */
  readonly tokens?: 'range' | 'coarse range' | 'text'
}

export interface Table {
  readonly schema: string
  readonly name: string
  readonly columns: readonly TableColumn[]
  readonly isView?: true
}

const id: TableColumn = { name: 'id', kind: 'int' }
const n: TableColumn = { name: 'n', kind: 'int' }
const name: TableColumn = { name: 'name', kind: 'text' }

/** The same names mean different things in different tables, on purpose. */
export const TABLES: readonly Table[] = [
  {
    schema: 'public',
    name: 'person',
    columns: [
      id,
      n,
      name,
      { name: 'email', kind: 'text', secret: 'indexed' },
      { name: 'phone', kind: 'text', secret: 'blind' },
      { name: 'age', kind: 'int', secret: 'indexed', tokens: 'range' },
      { name: 'height', kind: 'int', secret: 'blind', tokens: 'coarse range' },
      { name: 'nickName', kind: 'text', secret: 'indexed', tokens: 'text' },
      { name: 'notes', kind: 'json', secret: 'blind' },
    ],
  },
  {
    schema: 'public',
    name: 'post',
    columns: [
      id,
      { name: 'person', kind: 'int' },
      n,
      { name: 'email', kind: 'text' },
      { name: 'body', kind: 'text', secret: 'blind' },
      { name: 'title', kind: 'text', secret: 'indexed', tokens: 'text' },
    ],
  },
  {
    schema: 'archive',
    name: 'post',
    columns: [
      id,
      { name: 'person', kind: 'int' },
      n,
      { name: 'email', kind: 'text', secret: 'indexed' },
      { name: 'body', kind: 'text' },
      { name: 'title', kind: 'text' },
    ],
  },
  {
    schema: 'public',
    name: 'city',
    columns: [id, { name: 'person', kind: 'int' }, n, name, { name: 'email', kind: 'text' }],
  },
  {
    schema: 'public',
    name: 'contact',
    columns: [id, { name: 'email', kind: 'text', secret: 'indexed' }, { name: 'label', kind: 'text' }],
    isView: true,
  },
]

/** No entity says anything of it. */
export const UNDECLARED: Table = {
  schema: 'public',
  name: 'loose',
  columns: [id, n, { name: 'email', kind: 'text' }, { name: 'phone', kind: 'text' }],
}

/** Views of the plaintext side, which TypeORM makes on the other. */
export const CONTACT = 'SELECT id, email, "emailIndex", name AS label FROM public.person'

@Entity({ schema: 'public', name: 'person' })
class Person {
  @PrimaryColumn({ type: 'int' })
  declare id: number

  @Column({ type: 'int', nullable: true })
  declare n: number | null

  @Column({ type: 'text', nullable: true })
  declare name: string | null

  @Encrypted({ nullable: true })
  declare email: string | null

  @BlindIndex<Person>('email')
  declare emailIndex?: string

  @Encrypted({ nullable: true })
  declare phone: string | null

  @Encrypted({ type: 'Int', nullable: true })
  declare age: number | null

  @BlindIndex<Person>('age')
  declare ageIndex?: string

  @RangeIndex<Person>('age', { min: -1, max: 100 })
  declare ageTokens?: string[]

  @Encrypted({ type: 'Int', nullable: true })
  declare height: number | null

  @RangeIndex<Person>('height', { min: -10, max: 200, step: 10, sparsity: 1 })
  declare heightTokens?: string[]

  @Encrypted({ nullable: true })
  declare nickName: string | null

  @BlindIndex<Person>('nickName')
  declare nickNameIndex?: string

  @TextIndex<Person>('nickName', { prefix: [1, 2], suffix: [1, 3], grams: 2 })
  declare nickNameTokens?: string[]

  @TextIndex<Person>('nickName', { prefix: [1, 8], normalize: ['lowercase'] })
  declare nickNameFoldedTokens?: string[]

  @Encrypted({ column: 'jsonb', nullable: true })
  declare notes: unknown
}

@Entity({ schema: 'public', name: 'post' })
class Post {
  @PrimaryColumn({ type: 'int' })
  declare id: number

  @Column({ type: 'int', nullable: true })
  declare person: number | null

  @Column({ type: 'int', nullable: true })
  declare n: number | null

  @Column({ type: 'text', nullable: true })
  declare email: string | null

  @Encrypted({ nullable: true })
  declare body: string | null

  @Encrypted({ nullable: true })
  declare title: string | null

  @BlindIndex<Post>('title')
  declare titleIndex?: string

  @TextIndex<Post>('title', { prefix: [1, 8] })
  declare titleTokens?: string[]
}

@Entity({ schema: 'archive', name: 'post' })
class ArchivedPost {
  @PrimaryColumn({ type: 'int' })
  declare id: number

  @Column({ type: 'int', nullable: true })
  declare person: number | null

  @Column({ type: 'int', nullable: true })
  declare n: number | null

  @Encrypted({ nullable: true })
  declare email: string | null

  @BlindIndex<ArchivedPost>('email')
  declare emailIndex?: string

  @Column({ type: 'text', nullable: true })
  declare body: string | null

  @Column({ type: 'text', nullable: true })
  declare title: string | null
}

@Entity({ schema: 'public', name: 'city' })
class City {
  @PrimaryColumn({ type: 'int' })
  declare id: number

  @Column({ type: 'int', nullable: true })
  declare person: number | null

  @Column({ type: 'int', nullable: true })
  declare n: number | null

  @Column({ type: 'text', nullable: true })
  declare name: string | null

  @Column({ type: 'text', nullable: true })
  declare email: string | null
}

@ViewEntity({ schema: 'public', name: 'contact', expression: CONTACT })
class Contact {
  @ViewColumn()
  declare id: number

  @EncryptedView('Person.email')
  declare email: string | null

  @EncryptedView('Person.emailIndex', { select: false })
  declare emailIndex?: string

  @ViewColumn()
  declare label: string | null
}

@EncryptionKeys()
class Keys extends EncryptionKeyColumns {}

export const entities = [Person, Post, ArchivedPost, City, Contact, Keys]

/** As it is written in SQL. */
export function quoted(name: string): string {
  return /^[a-z]+$/.test(name) ? name : `"${name}"`
}

export function isSecret(column: TableColumn): boolean {
  return column.secret !== undefined
}
