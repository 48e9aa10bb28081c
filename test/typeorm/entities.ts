import {
  BlindIndex,
  blindIndex,
  Encrypted,
  EncryptedView,
  EncryptionKeyColumns,
  EncryptionKeys,
  encrypted,
} from 'fieldseal/typeorm'
import {
  AfterLoad,
  ChildEntity,
  Column,
  DeleteDateColumn,
  Entity,
  EntitySchema,
  JoinTable,
  ManyToMany,
  ManyToOne,
  OneToMany,
  PrimaryColumn,
  PrimaryGeneratedColumn,
  type Relation,
  TableInheritance,
  Tree,
  TreeChildren,
  TreeParent,
  UpdateDateColumn,
  VersionColumn,
  ViewColumn,
  ViewEntity,
} from 'typeorm'

export interface Notes {
  likes: string[]
  at?: number
}

export class Profile {
  @Encrypted({ nullable: true })
  declare phone: string | null

  @BlindIndex<Profile>('phone', { normalize: ['trim'] })
  declare phoneIndex?: string
}

/** With a relation of every kind, an embedded class, and all that TypeORM keeps by itself in a row. */
@Entity()
export class User {
  @PrimaryGeneratedColumn()
  declare id: number

  @Encrypted({ nullable: true })
  declare email: string | null

  @BlindIndex<User>('email', { normalize: ['trim', 'lowercase'], unique: true })
  declare emailIndex?: string

  /** Has no index. */
  @Encrypted({ type: 'Json', nullable: true })
  declare notes: Notes | null

  @Column({ type: 'int', default: 0 })
  declare n: number

  @Column({ type: 'text', nullable: true })
  declare plain: string | null

  @Column(() => Profile)
  declare profile: Profile

  @OneToMany(
    () => Post,
    (post) => post.user,
    { cascade: true },
  )
  declare posts: Post[]

  @OneToMany(
    () => Memo,
    (memo) => memo.user,
  )
  declare memos: Memo[]

  @OneToMany(
    () => Letter,
    (letter) => letter.user,
  )
  declare letters: Promise<Letter[]>

  @ManyToMany(() => Tag, { cascade: true })
  @JoinTable()
  declare tags: Tag[]

  @UpdateDateColumn()
  declare updatedAt: Date

  @VersionColumn()
  declare version: number

  @DeleteDateColumn()
  declare deletedAt: Date | null

  /** What a listener of the entity gets to see. */
  declare seen?: string | null

  @AfterLoad()
  look() {
    this.seen = this.email
  }
}

@Entity()
export class Post {
  @PrimaryGeneratedColumn()
  declare id: number

  @Encrypted()
  declare body: string

  @ManyToOne(
    () => User,
    (user) => user.posts,
  )
  declare user: Relation<User>
}

/** Brings its user along. */
@Entity()
export class Memo {
  @PrimaryGeneratedColumn()
  declare id: number

  @Encrypted()
  declare text: string

  @ManyToOne(
    () => User,
    (user) => user.memos,
    { eager: true },
  )
  declare user: Relation<User>
}

/** Loads its user when it is asked for. */
@Entity()
export class Letter {
  @PrimaryGeneratedColumn()
  declare id: number

  @Encrypted()
  declare text: string

  @ManyToOne(
    () => User,
    (user) => user.letters,
  )
  declare user: Promise<User>
}

@Entity()
export class Tag {
  @PrimaryGeneratedColumn()
  declare id: number

  @Encrypted()
  declare label: string
}

@Entity()
@Tree('nested-set')
export class Nest {
  @PrimaryGeneratedColumn()
  declare id: number

  @Encrypted()
  declare label: string

  @TreeChildren()
  declare children: Nest[]

  @TreeParent()
  declare parent: Relation<Nest> | null
}

@Entity()
@Tree('closure-table')
export class Branch {
  @PrimaryGeneratedColumn()
  declare id: number

  @Encrypted()
  declare label: string

  @TreeChildren()
  declare children: Branch[]

  @TreeParent()
  declare parent: Relation<Branch> | null
}

@Entity()
@Tree('materialized-path')
export class Folder {
  @PrimaryGeneratedColumn()
  declare id: number

  @Encrypted()
  declare label: string

  @TreeChildren()
  declare children: Folder[]

  @TreeParent()
  declare parent: Relation<Folder> | null
}

/** Its ciphertexts are bound to its id. */
@Entity()
export class Card {
  @PrimaryColumn({ type: 'uuid' })
  declare id: string

  @Encrypted({ bind: ['id'], nullable: true })
  declare pan: string | null

  @Column({ type: 'text', nullable: true })
  declare label: string | null
}

@Entity()
@TableInheritance({ column: { type: 'varchar', name: 'type' } })
export class Person {
  @PrimaryGeneratedColumn()
  declare id: number

  @Column({ type: 'text' })
  declare name: string
}

@ChildEntity()
export class Patient extends Person {
  @Encrypted({ nullable: true })
  declare ssn: string | null

  @BlindIndex<Patient>('ssn')
  declare ssnIndex?: string
}

@ChildEntity()
export class Doctor extends Person {
  @Encrypted({ nullable: true })
  declare licence: string | null
}

@ViewEntity({ expression: 'SELECT id, email FROM "user"' })
export class UserView {
  @ViewColumn()
  declare id: number

  @EncryptedView('User.email')
  declare email: string | null
}

/** Shows an encrypted column under another name, and does not say so. */
@ViewEntity({ expression: 'SELECT id, email AS mail FROM "user"' })
export class SilentView {
  @ViewColumn()
  declare id: number

  @ViewColumn()
  declare mail: string | null
}

export interface Secret {
  id: number
  text: string
  textIndex?: string
}

/** Without a class. */
export const SecretSchema = new EntitySchema<Secret>({
  name: 'Secret',
  columns: {
    id: { type: Number, primary: true, generated: true },
    text: encrypted(),
    textIndex: blindIndex('text'),
  },
})

/** Nothing in it is encrypted. */
@Entity()
export class City {
  @PrimaryGeneratedColumn()
  declare id: number

  @Column({ type: 'text' })
  declare name: string
}

@EncryptionKeys()
export class EncryptionKey extends EncryptionKeyColumns {}

export const entities = [
  User,
  Post,
  Memo,
  Letter,
  Tag,
  Nest,
  Branch,
  Folder,
  Card,
  Person,
  Patient,
  Doctor,
  UserView,
  SilentView,
  SecretSchema,
  City,
  EncryptionKey,
]
