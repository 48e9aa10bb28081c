export type { Call, Calls } from './calls.js'
export type { Cmk, CmkState } from './cmk.js'
export type { Cmks } from './cmks.js'
export type { Fault, FaultKind, Faults } from './faults.js'
export {
  type EmulatorClientConfig,
  type KmsEmulator,
  type KmsEmulatorOptions,
  startKmsEmulator,
} from './kmsEmulator.js'
export { type KeyStoreCalls, type MemoryKeyStore, memoryKeyStore } from './memoryKeyStore.js'
export type { Limits } from './rateLimits.js'
export type { EmulatorCredential } from './signature.js'
