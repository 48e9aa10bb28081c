import type { AwsAccount } from './awsAccount.js'
import { AwsApiError } from './awsApiError.js'
import type { AwsEmulatorCredential } from './awsCredentials.js'
import { authorize } from './awsCredentials.js'
import type { AwsKey } from './awsKey.js'
import { type AwsKeys, invalidState } from './awsKeys.js'
import { isSymmetric } from './keyMetadata.js'
import type { Parameters } from './parameters.js'

/** What an action works on. */
export interface World {
  readonly account: AwsAccount
  /** Of this region. */
  readonly keys: AwsKeys
  /** Who signed the request. */
  readonly credential: AwsEmulatorCredential
}

/** An action of the API: what it answers. It checks the permissions of who asks. */
export type Action = (parameters: Parameters, world: World) => object

/** A key with which the one who asks may do this, in a state that allows it. */
export function usableKey(identifier: string, permission: string, { keys, credential }: World): AwsKey {
  const key = keys.find(identifier)
  authorize(credential, permission, key.arn)
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
