import { expect, it } from '@jest/globals'
import { Entity, Index, PrimaryColumn } from 'typeorm'
import { isConstrained } from '../../../src/plan/indexPlans.js'
import { encryptionKeys } from '../../../src/typeorm/keys/encryptionKeyColumns.js'
import { BlindIndex, Encrypted } from '../../../src/typeorm/schema/decorators.js'
import { schemaOf } from '../dataSourceOf.js'

it('a blind index in a unique index of some rows is known to be constrained, and names no row', async () => {
  @Entity({ name: 'user' })
  @Index(['emailIndex'], { unique: true, where: 'gone IS FALSE' })
  class User {
    @PrimaryColumn('uuid') id!: string
    @Encrypted() email!: string
    @BlindIndex<User>('email') emailIndex?: string
    @Encrypted() name!: string
    @BlindIndex<User>('name') nameIndex?: string
    @Encrypted() code!: string
    @BlindIndex<User>('code', { unique: true }) codeIndex?: string
  }
  const { models } = await schemaOf([encryptionKeys(), User])
  const user = models.User!
  expect(user.indexes.emailIndex).toMatchObject({ partlyUnique: true })
  expect(user.indexes.emailIndex).not.toHaveProperty('unique')
  const constrained = ['emailIndex', 'nameIndex', 'codeIndex'].map((column) => isConstrained(user, column))
  expect(constrained).toEqual([true, false, true])
})
