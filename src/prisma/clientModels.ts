import { FieldsealError } from '../errors.js'
import { own } from '../own.js'
import type { EncryptionSchema } from '../schema/encryptionSchema.js'

/** Prisma's own description of a client's models, as far as it is there at run time. */
interface ClientModels {
  readonly models: { readonly [model: string]: { readonly fields?: readonly ClientField[] } }
}

interface ClientField {
  readonly name: string
  readonly kind: string
}

/** Prisma's name of a model on the client. */
export function clientName(model: string): string {
  return model.charAt(0).toLowerCase() + model.slice(1)
}

/** The `omit` option of a client, by the model's name in the client. */
export type GlobalOmit = { readonly [model: string]: { readonly [field: string]: boolean | undefined } | undefined }

/** What a client leaves out of results, as plans ask for it. */
export function omittedOf(omit: GlobalOmit = {}): (model: string) => ReadonlySet<string> {
  return (model) => {
    const fields = own(omit, clientName(model)) ?? {}
    return new Set(Object.keys(fields).filter((field) => fields[field]))
  }
}

/**
 * An encryption schema that is older than its client would miss fields and relations, and let plaintext through.
 *
 * @throws FieldsealError `OPTIONS_INVALID` naming the first difference
 */
export function checkClientMatches(schema: EncryptionSchema, client: ClientModels | undefined): void {
  if (!client)
    throw unreadableClient('this is not a Prisma client that fieldseal can read: it needs @prisma/client 7.10')
  const names = new Set([...Object.keys(schema.models), ...Object.keys(client.models)])
  for (const name of names) {
    const known = own(schema.models, name)
    const actual = own(client.models, name)
    if (!known || !actual) throw stale(name)
    for (const { name: field, kind } of actual.fields ?? []) {
      if (!Object.hasOwn(kind === 'object' ? known.relations : known.columns, field)) throw stale(`${name}.${field}`)
    }
  }
}

function stale(name: string): FieldsealError {
  return unreadableClient(
    `encryptionSchema and the Prisma client differ at ${name}: run \`prisma generate\`, and import both from its output`,
  )
}

function unreadableClient(message: string): FieldsealError {
  return new FieldsealError('OPTIONS_INVALID', message)
}
