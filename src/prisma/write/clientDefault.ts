import { randomUUID } from 'node:crypto'
import cuid from '@bugsnag/cuid'
import { createId } from '@paralleldrive/cuid2'
import { nanoid } from 'nanoid'
import { ulid } from 'ulid'
import { v7 as uuidv7 } from 'uuid'
import { own } from '../../own.js'
import type { ModelPlan } from '../../plan/plan.js'
import type { ClientDefault } from '../../schema/encryptionSchema.js'
import { isAbsent } from '../values.js'

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

/** Makes the client-side defaults of bound columns that the data leaves out, as Prisma would have a moment later. */
export function fillBoundDefaults(plan: ModelPlan, data: Record<string, unknown>): void {
  for (const [column, { default: maker }] of plan.bound) {
    if (maker && isAbsent(own(data, column))) data[column] = makeDefault(maker)
  }
}
