import { randomUUID } from 'node:crypto'
import cuid from '@bugsnag/cuid'
import { createId } from '@paralleldrive/cuid2'
import { nanoid } from 'nanoid'
import { ulid } from 'ulid'
import { v7 as uuidv7 } from 'uuid'
import type { ClientDefault } from '../schema/encryptionSchema.js'

/** A value of a default that Prisma Client would make a moment later, by the libraries that it uses itself. */
export function makeDefault({ name, argument }: ClientDefault): string {
  switch (name) {
    case 'uuid':
      return argument === 7 ? uuidv7() : randomUUID()
    case 'cuid':
      return argument === 2 ? createId() : cuid()
    case 'ulid':
      return ulid()
    case 'nanoid':
      return nanoid(argument)
  }
}
