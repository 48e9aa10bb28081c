import { Decimal } from '@prisma/client/runtime/client'

/** A decimal number as the Prisma client gives it: an object of its own class. */
export function toDecimal(text: string): Decimal {
  return new Decimal(text)
}
