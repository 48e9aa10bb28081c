import type { Wording } from '../client/wording.js'

export const TYPEORM_WORDING: Wording = {
  schemaSource: 'is made of the entities of the data source',
  forTenant: 'forTenant(dataSource, id)',
  acrossTenants: 'acrossTenants(dataSource)',
  tenantColumn: '@Tenant()',
  unreadable:
    'leave it out of what is selected, by `select` or in SQL, add it to "allow", or declare a mask: @Encrypted({ mask: \'hidden\' })',
}
