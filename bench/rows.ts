/** How many encrypted fields a row has. */
export const SIZES = { One: 1, Note: 6, Wide: 20 } as const
export type Size = keyof typeof SIZES

const LETTERS = ['a', 'b', 'c', 'd', 'e', 'f']

export const FIELDS: { readonly [size in Size]: readonly string[] } = {
  One: LETTERS.slice(0, 1),
  Note: LETTERS,
  Wide: Array.from({ length: SIZES.Wide }, (_, i) => `c${i + 1}`),
}

/** 40 characters, as in the figures that are compared with. */
const LENGTH = 40

export type Row = { readonly id: number; readonly tenant: string } & { [field: string]: unknown }

/** Rows of one tenant, full of strings. */
export function makeRows(size: Size, count: number, { tenant = 'acme', firstId = 1 } = {}): Row[] {
  return Array.from({ length: count }, (_, i) => {
    const value = (field: string) => `${field}${firstId + i} `.padEnd(LENGTH, 'lorem ipsum dolor ')
    const fields = FIELDS[size].map((field) => [field, value(field)] as const)
    return { id: firstId + i, tenant, ...Object.fromEntries(fields) }
  })
}
