export { AwsAccount, type AwsAccountOptions } from './aws/awsAccount.js'
export type { AwsCredentials, AwsEmulatorCredential } from './aws/awsCredentials.js'
export type { AwsKey, AwsKeyState, KeyMaterial, KeyPolicy, KeyUse, NewAwsKey } from './aws/awsKey.js'
export type { AwsAlias, AwsKeys } from './aws/awsKeys.js'
export {
  type AwsClientConfig,
  type AwsKmsEmulator,
  type AwsKmsEmulatorOptions,
  startAwsKmsEmulator,
} from './aws/awsKmsEmulator.js'
export {
  type AzureEmulatorClientOptions,
  type AzureKmsEmulator,
  type AzureKmsEmulatorOptions,
  startAzureKmsEmulator,
} from './azure/azureKmsEmulator.js'
export type { HsmKey, HsmKeyChange, HsmKeyType, HsmKeyVersion, NewHsmKey } from './azure/hsmKey.js'
export type { HsmKeys } from './azure/hsmKeys.js'
export type { EmulatorPrincipal, HsmOperation, HsmPermissions } from './azure/permissions.js'
export type { EmulatorTokenCredential, EntraTokens, TokenOptions } from './azure/tokens.js'
export { type BreakableEmulator, emulatorCounterpart, type TroubleCodes } from './contract/emulatorCounterpart.js'
export {
  type Counterpart,
  type KmsCapability,
  type KmsSetting,
  type KmsUnderTest,
  NO_COUNTERPART,
  type TestedKms,
} from './contract/kmsUnderTest.js'
export { type TestRunner, testKms } from './contract/testKms.js'
export type { Call, Calls } from './emulator/calls.js'
export type { Fault, FaultKind, Faults } from './emulator/faults.js'
export type { Limits } from './emulator/rateLimits.js'
export type { CryptoKey, CryptoKeyVersion, ProtectionLevel, VersionState } from './google/cryptoKey.js'
export {
  type GoogleEmulatorClientOptions,
  type GoogleKmsEmulator,
  type GoogleKmsEmulatorOptions,
  startGoogleKmsEmulator,
} from './google/googleKmsEmulator.js'
export type { CreateKeyOptions, KeyRing, KeyRings } from './google/keyRings.js'
export type { GooglePermissions } from './google/permissions.js'
export type { ServiceAccountKey } from './google/sdk.js'
export { type KeyStoreCalls, type MemoryKeyStore, memoryKeyStore } from './memoryKeyStore.js'
export type { Cmk, CmkState } from './tencent/cmk.js'
export type { Cmks } from './tencent/cmks.js'
export {
  type EmulatorClientConfig,
  type KmsEmulator,
  type KmsEmulatorOptions,
  startKmsEmulator,
} from './tencent/kmsEmulator.js'
export type { EmulatorCredential } from './tencent/signature.js'
export type { Capability, Policy } from './vault/policies.js'
export type { Token, TokenSettings, TransitTokens } from './vault/tokens.js'
export type { TransitKey, TransitKeySettings, TransitKeyType } from './vault/transitKey.js'
export type { TransitKeyConfig, TransitKeys } from './vault/transitKeys.js'
export { startVaultEmulator, type VaultEmulator, type VaultEmulatorOptions } from './vault/vaultEmulator.js'
export type { AppRole, VaultNode, VaultProduct } from './vault/world.js'
