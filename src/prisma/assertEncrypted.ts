import { FieldsealError } from '../errors.js'

/**
 * Checks at start that a client encrypts: `$extends` returns a new client, and an app that throws it away would go on
 * in plaintext without a word.
 *
 * @throws FieldsealError `NOT_EXTENDED`
 *
 * @example
 * ```ts
 * assertEncrypted(prisma)
 * app.listen(3000)
 * ```
 */
export function assertEncrypted(client: object): void {
  if ('$encryption' in client) return
  const message =
    'this Prisma client does not encrypt: $extends returns a new client, so write `const prisma = new PrismaClient(…).$extends(fieldEncryption(…))` and use that one'
  throw new FieldsealError('NOT_EXTENDED', message)
}
