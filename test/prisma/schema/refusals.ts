import { expect } from '@jest/globals'
import { encryptionSchemaOf } from '../../../src/prisma/schema/encryptionSchemaOf.js'
import type { Datamodel } from '../../../src/schema/datamodel.js'

/** `Example` stands for the model's name; each example is a model of its own. Lines are all problems it must cause. */
export interface Refusal {
  readonly of: string
  readonly model: string
  readonly says: readonly string[]
}

/** An example with these fields. */
export const fields = (text: string) => `model Example {\n  id String @id\n  ${text}\n}`

/** The model called `name`, with the back relations that Prisma asks of the model it refers to. */
export function named(model: string, name: string): string {
  return model.replaceAll('Example', name).replaceAll(/@relation\("([bk])"/g, `@relation("${name}$1"`)
}

/** All that is refused, a line each. */
export function problemsOf(datamodel: Datamodel): string[] {
  try {
    encryptionSchemaOf({ datamodel, provider: 'postgresql' })
  } catch (error) {
    expect(error).toMatchObject({ code: 'SCHEMA_INVALID' })
    const lines = (error as Error).message.split('\n').filter((line) => /^ {2}\w+(\.\w+)?: /.test(line))
    return lines.map((line) => line.trim())
  }
  throw new Error('the schema was accepted')
}
