import type { DemoOptions, KmsName } from '../options.js'
import type { DemoKms } from './demoKms.js'

/** Each with its SDK, of which only one is loaded. */
const KMSS: { readonly [Name in KmsName]: (options: DemoOptions) => Promise<DemoKms> } = {
  tencent: async ({ address }) => (await import('./tencent.js')).openTencent(address),
  aws: async () => (await import('./aws.js')).openAws(),
  google: async () => (await import('./google.js')).openGoogle(),
  azure: async () => (await import('./azure.js')).openAzure(),
  vault: async () => (await import('./vault.js')).openVault(),
  pkcs11: async () => (await import('./pkcs11.js')).openPkcs11(),
}

/** Opens the KMS that was asked for, or an emulator of it. */
export function openKms(options: DemoOptions): Promise<DemoKms> {
  return KMSS[options.kms](options)
}
