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
