import type { DataSource, Repository } from 'typeorm'
import { User } from './entities.js'
import type { SourceUnderTest } from './openSource.js'

export const CIPHERTEXT = /^fs1\.[\w-]+$/

/** Five users, of whom one has no email: Ada with posts, and a phone. */
export async function plantPeople({ dataSource }: SourceUnderTest): Promise<User> {
  const users = dataSource.getRepository(User)
  const ada = await users.save({
    email: 'ada@x.org',
    notes: { likes: ['tea'], at: 1 },
    n: 5,
    plain: 'p',
    profile: { phone: '7' },
    posts: [{ body: 'hello' }, { body: 'wörld 漢' }],
  })
  await users.save([
    { email: 'Bobby@x.org', n: 1, profile: { phone: '11' } },
    { email: 'c1@x.org', n: 0, profile: { phone: null } },
    { email: null, n: 0, profile: { phone: null } },
    { email: 'c3@x.org', n: 3, profile: { phone: '3' } },
  ])
  return users.findOneByOrFail({ id: ada.id })
}

/** Empties all tables but that of the keys. */
export async function emptyTables(source: SourceUnderTest): Promise<void> {
  const tables = await source.stored(
    `SELECT string_agg(format('%I', tablename), ', ') AS names FROM pg_tables
     WHERE schemaname = 'public' AND tablename NOT IN ('encryption_keys', 'typeorm_metadata')`,
  )
  await source.stored(`TRUNCATE ${tables[0]!.names} RESTART IDENTITY CASCADE`)
  source.takeSql()
}

export const usersOf = (dataSource: DataSource): Repository<User> => dataSource.getRepository(User)

/** Without an order. */
export const emailsOf = (users: readonly { email: string | null }[]) => users.map(({ email }) => email).sort()
