import type { Wording } from '../client/wording.js'

export const TYPEORM_WORDING: Wording = {
  schemaSource: 'is made of the entities of the data source',
  forTenant: 'forTenant(dataSource, id)',
  acrossTenants: 'acrossTenants(dataSource)',
  tenantColumn: '@Tenant()',
}
