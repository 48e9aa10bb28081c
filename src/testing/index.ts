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
export type { Token, TokenSettings, Tokens } from './vault/tokens.js'
export type { TransitKey, TransitKeySettings, TransitKeyType } from './vault/transitKey.js'
export type { TransitKeyConfig, TransitKeys } from './vault/transitKeys.js'
export { startVaultEmulator, type VaultEmulator, type VaultEmulatorOptions } from './vault/vaultEmulator.js'
export type { AppRole, VaultNode, VaultProduct } from './vault/world.js'
