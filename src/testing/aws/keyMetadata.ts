import type { AwsAccount } from './awsAccount.js'
import type { AwsKey } from './awsKey.js'

/** `KeyMetadata` as the API answers it; times are seconds since the epoch. */
export function keyMetadata(key: AwsKey, account: AwsAccount): object {
  return {
    AWSAccountId: account.accountId,
    KeyId: key.keyId,
    Arn: key.arn,
    CreationDate: seconds(key.createdAt),
    Enabled: key.state === 'Enabled',
    Description: key.description,
    KeyUsage: key.usage,
    KeyState: key.state,
    ...(key.deletionDate === undefined ? {} : { DeletionDate: seconds(key.deletionDate) }),
    Origin: key.origin,
    KeyManager: 'CUSTOMER',
    CustomerMasterKeySpec: key.spec,
    KeySpec: key.spec,
    ...(isSymmetric(key) ? { EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'] } : {}),
    ...multiRegion(key, account),
    ...(isSymmetric(key) ? { CurrentKeyMaterialId: key.materials.at(-1)?.id } : {}),
  }
}

export function isSymmetric({ spec, usage }: AwsKey): boolean {
  return spec === 'SYMMETRIC_DEFAULT' && usage === 'ENCRYPT_DECRYPT'
}

export function seconds(milliseconds: number): number {
  return milliseconds / 1000
}

function multiRegion(key: AwsKey, account: AwsAccount): object {
  if (key.primaryRegion === undefined) return { MultiRegion: false }
  const [primary, ...replicas] = account.family(key).map(({ arn, region }) => ({ Arn: arn, Region: region }))
  const MultiRegionKeyType = key.region === key.primaryRegion ? 'PRIMARY' : 'REPLICA'
  const MultiRegionConfiguration = { MultiRegionKeyType, PrimaryKey: primary, ReplicaKeys: replicas }
  return { MultiRegion: true, MultiRegionConfiguration }
}
