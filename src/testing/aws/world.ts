import type { AwsAccount } from './awsAccount.js'
import { AwsApiError } from './awsApiError.js'
import type { AwsEmulatorCredential } from './awsCredentials.js'
import { authorize } from './awsCredentials.js'
import type { AwsKey, KeyUse } from './awsKey.js'
import { type AwsKeys, invalidState } from './awsKeys.js'
import { isSymmetric } from './keyMetadata.js'
import type { Parameters } from './parameters.js'

/** What an action works on. */
export interface World {
  readonly account: AwsAccount
  /** Of this region. */
  readonly keys: AwsKeys
  /** Other accounts, whose keys are named by ARN. */
  readonly others: readonly AwsAccount[]
  /** Who signed the request. */
  readonly credential: AwsEmulatorCredential
}

/** An action of the API: what it answers. It checks the permissions of who asks. */
export type Action = (parameters: Parameters, world: World) => object

/** A key with which the one who asks may do this, in a state that allows it. */
export function usableKey(identifier: string, use: Omit<KeyUse, 'accountId'>, world: World): AwsKey {
  const key = keyOf(identifier, world)
  authorize(world.credential, use.permission, key.arn)
  checkPolicy(key, { ...use, accountId: world.account.accountId })
  if (!isSymmetric(key))
    throw new AwsApiError('InvalidKeyUsageException', `${key.arn} key usage is ${key.usage}, its spec ${key.spec}.`)
  switch (key.state) {
    case 'Enabled':
      return key
    case 'Disabled':
      throw new AwsApiError('DisabledException', `${key.arn} is disabled.`)
    case 'PendingDeletion':
      throw invalidState(`${key.arn} is pending deletion.`)
    case 'PendingImport':
      throw invalidState(`${key.arn} is pending import.`)
    case 'Unavailable':
      throw invalidState(`${key.arn} is unavailable.`)
  }
}

/** An ARN may be of another account, in this region. */
function keyOf(identifier: string, { keys, others }: World): AwsKey {
  const owner = others.find(({ accountId }) => identifier.startsWith('arn:') && identifier.split(':')[4] === accountId)
  return (owner?.region(keys.place.region) ?? keys).find(identifier)
}

/** docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html */
function checkPolicy({ arn, policy }: AwsKey, use: KeyUse): void {
  const own = arn.split(':')[4] === use.accountId
  if (policy ? policy(use) : own) return
  throw new AwsApiError(
    'AccessDeniedException',
    `Not authorized to perform: ${use.permission} on resource: ${arn} because no resource-based policy allows the ` +
      `${use.permission} action`,
  )
}
