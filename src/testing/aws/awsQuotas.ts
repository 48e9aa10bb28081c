import type { Limits } from '../emulator/rateLimits.js'

/** The name of the quota that all symmetric cryptographic actions of an account share in a region. */
export const CRYPTOGRAPHIC_OPERATIONS = 'CryptographicOperations'

const LARGE = ['us-east-1', 'us-west-2', 'eu-west-1']
const MEDIUM = ['us-east-2', 'ap-northeast-1', 'ap-southeast-1', 'ap-southeast-2', 'eu-central-1', 'eu-west-2']

/** Requests per second as documented: docs.aws.amazon.com/kms/latest/developerguide/requests-per-second.html */
export function documentedLimits(region: string): Limits {
  return {
    [CRYPTOGRAPHIC_OPERATIONS]: LARGE.includes(region) ? 100_000 : MEDIUM.includes(region) ? 20_000 : 10_000,
    CancelKeyDeletion: 5,
    CreateAlias: 5,
    CreateKey: 5,
    DeleteAlias: 15,
    DescribeKey: 2_000,
    DisableKey: 5,
    DisableKeyRotation: 5,
    EnableKey: 5,
    EnableKeyRotation: 15,
    GetKeyRotationStatus: 1_000,
    ListAliases: 500,
    ListKeys: 500,
    ReplicateKey: 5,
    RotateKeyOnDemand: 5,
    ScheduleKeyDeletion: 15,
    UpdateAlias: 5,
    UpdateKeyDescription: 5,
  }
}
