const RING = 'projects/clinic/locations/europe-west3/keyRings/fieldseal'

/** The key of all tenants in tests. */
export const OWN = `${RING}/cryptoKeys/own`

/** A key that is nobody's. */
export const OTHER = `${RING}/cryptoKeys/other`
