/** How the users of an ORM write what messages advise. */
export interface Wording {
  /** Where `encryptionSchema` comes from, after "must be the encryptionSchema that". */
  readonly schemaSource: string
  /** How an operation is run for one tenant. */
  readonly forTenant: string
  /** How an operation of the client that reads the rows of all tenants says whose it is, where it must. */
  readonly acrossTenants: string
  /** What to do about a field that a client of limited access may not read. */
  readonly unreadable: string
}
