import { lengthPrefixed } from './bytes.js'

const FORMAT = lengthPrefixed('fieldseal/1')

/**
 * The additional authenticated data of a ciphertext, without bound values:
 * LP("fieldseal/1") ‖ header ‖ LP(tenant) ‖ LP(context). The same for all values of one DEK in one field.
 */
export function aadOf(header: Buffer, tenant: string, context: string): Buffer {
  return Buffer.concat([FORMAT, header, lengthPrefixed(tenant), lengthPrefixed(context)])
}

/** Adds LP(each bound value): a ciphertext copied to another row then fails to decrypt. */
export function withBound(aad: Buffer, bound: readonly string[]): Buffer {
  return bound.length === 0 ? aad : Buffer.concat([aad, ...bound.map(lengthPrefixed)])
}
