/** How the users of an ORM write what messages advise. */
export interface Wording {
  /** Where `encryptionSchema` comes from, after "must be the encryptionSchema that". */
  readonly schemaSource: string
  /** How an operation is run for one tenant. */
  readonly forTenant: string
  /** The client that reads the rows of all tenants, and what marks the column that names a row's tenant. */
  readonly acrossTenants: string
  readonly tenantColumn: string
  /** What to do about a field that a client of limited access may not read. */
  readonly unreadable: string
}
