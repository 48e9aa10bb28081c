import { FieldsealError, quoted } from '../errors.js'
import type { DekIdentity, ValueIdentity } from './kms.js'

/** Tencent Cloud KMS takes no longer context. UTF-8 bytes of the whole JSON text. */
const MAX_BYTES = 1024

/**
 * The encryption context of a DEK: canonical JSON (sorted keys, no blanks), because a KMS compares it as text.
 * A character outside ASCII counts two to four bytes, a quote or a control character two to six.
 *
 * @returns at most 1,024 UTF-8 bytes
 * @throws `TENANT_INVALID` when the tenant id is too long for it
 * @example
 * ```ts
 * encryptionContext({ key: '0f8fad5b-d9cb-469f-a165-70867728950e', purpose: 'encrypt', tenant: 'acme' })
 * // '{"key":"0f8fad5b-d9cb-469f-a165-70867728950e","purpose":"encrypt","tenant":"acme"}'
 * ```
 */
export function encryptionContext({ key, purpose, tenant }: DekIdentity): string {
  return checkedContext({ key, purpose, tenant })
}

/**
 * The encryption context of a value that the KMS itself encrypts, in the same form. Bound values are in it by the digest
 * of the AAD only: the KMS's log shows them to nobody.
 *
 * @returns at most 1,024 UTF-8 bytes
 * @throws `TENANT_INVALID` when the tenant id is too long for it
 * @example
 * ```ts
 * valueContext({ aad: 'H7wEoT…', field: 'User.apiKey', tenant: 'acme' })
 * // '{"aad":"H7wEoT…","field":"User.apiKey","purpose":"value","tenant":"acme"}'
 * ```
 */
export function valueContext({ aad, field, tenant }: ValueIdentity): string {
  return checkedContext({ aad, field, purpose: 'value', tenant })
}

/** @param parts in the order of their names */
function checkedContext(parts: { readonly [name: string]: string } & { readonly tenant: string }): string {
  const context = JSON.stringify(parts)
  const bytes = Buffer.byteLength(context, 'utf8')
  if (bytes > MAX_BYTES) throw tooLong(parts.tenant, bytes)
  return context
}

function tooLong(tenant: string, bytes: number): FieldsealError {
  return new FieldsealError(
    'TENANT_INVALID',
    `The tenant id ${quoted(`${tenant.slice(0, 32)}…`)} is too long: its encryption context takes ${bytes} bytes and a KMS ` +
      `accepts ${MAX_BYTES}. Shorten the id by ${bytes - MAX_BYTES} bytes, or use a digest of it as the tenant id.`,
  )
}
