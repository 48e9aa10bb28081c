import type { Wording } from '../client/wording.js'

export const PRISMA_WORDING: Wording = {
  schemaSource: '`prisma generate` writes; run it again',
  forTenant: 'prisma.$forTenant(id)',
  acrossTenants:
    'with $acrossTenants() a write must carry the @tenant column, in its data or in its unique where, and a filter by value ' +
    'the @tenant column beside it',
  unreadable:
    'leave it out by "select" or "omit", add it to "allow", or declare a mask in the schema: @encrypted(mask: hidden)',
}
