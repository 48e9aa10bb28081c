import type { KmsUnderTest, TestedKms } from 'fieldseal/testing'
import { testedAws } from '../aws/tested.js'
import { findSoftHsm, SoftHsm } from '../pkcs11/softhsm.js'
import { testedPkcs11 } from '../pkcs11/testedPkcs11.js'
import { PIN, TOKEN, TokenUser } from '../pkcs11/token.js'
import { testedTencent } from '../tested.js'
import { overHttp, testedVault } from '../vault/tested.js'

/** A KMS of each vendor that a tenant moves between, by the name that it has in the keys table. */
export interface Services {
  readonly of: { readonly [name: string]: KmsUnderTest }
  close(): Promise<void>
}

const VENDORS: { readonly [name: string]: TestedKms } = {
  tencent: testedTencent,
  aws: testedAws,
  vault: testedVault('vaultKms', 'vault', overHttp),
}

/** Why there is no token here, if so: the services are then without it. */
export const tokenMissing: string | undefined = missingOf(findSoftHsm())

export async function startServices(): Promise<Services> {
  const token = tokenMissing === undefined ? await startToken() : undefined
  const vendors = { ...VENDORS, ...(token && { pkcs11: token.tested }) }
  const started = await Promise.all(Object.entries(vendors).map(async ([name, each]) => [name, await each.start()]))
  const of = Object.fromEntries(started) as Services['of']
  const close = async () => {
    await Promise.all(Object.values(of).map((service) => service.close()))
    token?.softHsm.stop()
  }
  return { of, close }
}

async function startToken(): Promise<{ readonly softHsm: SoftHsm; readonly tested: TestedKms }> {
  const softHsm = await SoftHsm.start()
  softHsm.createToken(TOKEN, PIN)
  return { softHsm, tested: testedPkcs11(softHsm, new TokenUser(softHsm)) }
}

function missingOf(found: ReturnType<typeof findSoftHsm>): string | undefined {
  return 'missing' in found ? found.missing : undefined
}
