import type { Wording } from '../client/wording.js'

export const TYPEORM_WORDING: Wording = {
  schemaSource: 'is made of the entities of the data source',
  forTenant: 'forTenant(dataSource, id)',
  acrossTenants:
    'with acrossTenants(dataSource) an INSERT must carry the @Tenant() column in its data, an UPDATE in its SET or WHERE, and a ' +
    'search beside the value. `save` of a row that was read sends changes only, and that column is none: save it by ' +
    'forTenant(dataSource, its tenant), or write update({ id, tenantId }, { … })',
  unreadable:
    'leave it out of what is selected, by `select` or in SQL, add it to "allow", or declare a mask: @Encrypted({ mask: \'hidden\' })',
}
