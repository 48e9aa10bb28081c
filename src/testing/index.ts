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
