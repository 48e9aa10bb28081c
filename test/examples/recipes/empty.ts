import { fileURLToPath } from 'node:url'

/** A schema without tables. */
export const EMPTY = fileURLToPath(new URL('../../typeorm/fixtures/empty.prisma', import.meta.url))
