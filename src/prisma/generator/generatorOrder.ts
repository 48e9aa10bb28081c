import { FieldsealError } from '../../errors.js'
import type { GeneratorBlock } from './options.js'

/**
 * Prisma runs generators in the order in which they stand, those of several files by the names of the files.
 *
 * @param datamodel the schema's text, all files merged in Prisma's order
 * @throws FieldsealError `OPTIONS_INVALID` when the client is generated after us, and so over what we change in it
 */
export function requireClientBefore(own: GeneratorBlock, client: GeneratorBlock, datamodel: string): void {
  const order = Array.from(datamodel.matchAll(/^\s*generator\s+([\w-]+)\s*\{/gm), ([, name]) => name!)
  if (order.indexOf(client.name) <= order.indexOf(own.name)) return
  throw new FieldsealError(
    'OPTIONS_INVALID',
    `generator ${own.name} stands before generator ${client.name}, whose types it makes fit the encrypted fields; ` +
      `move it below that block, into the same file (Prisma takes files by name), or set \`types = "off"\` in it`,
  )
}
