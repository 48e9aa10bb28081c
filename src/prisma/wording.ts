import type { Wording } from '../client/wording.js'

export const PRISMA_WORDING: Wording = {
  schemaSource: '`prisma generate` writes; run it again',
  forTenant: 'prisma.$forTenant(id)',
  acrossTenants: '$acrossTenants()',
  tenantColumn: '@tenant',
  unreadable:
    'leave it out by "select" or "omit", add it to "allow", or declare a mask in the schema: @encrypted(mask: hidden)',
}
