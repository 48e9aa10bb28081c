import { aws } from './kmsAws.js'
import { pkcs11 } from './kmsPkcs11.js'
import { vault } from './kmsVault.js'

/*
 * What tenants cost whose keys are not in memory, by KMS: `npx tsx bench/kms.ts`, or `npx tsx bench/kms.ts vault`.
 */

const benches: { readonly [kms: string]: () => Promise<void> } = { aws, vault, pkcs11 }
const named = process.argv.slice(2)

for (const name of named.length > 0 ? named : Object.keys(benches)) {
  const bench = benches[name]
  if (!bench) throw new Error(`there is no ${name}; there are ${Object.keys(benches).join(', ')}`)
  await bench()
}
