import { AwsApiError } from './awsApiError.js'
import { authorize } from './awsCredentials.js'
import { type AwsKey, KEY_SPECS, KEY_USAGES, ORIGINS } from './awsKey.js'
import { invalidState } from './awsKeys.js'
import { isSymmetric, keyMetadata, seconds } from './keyMetadata.js'
import { page } from './page.js'
import { choice, flag, integer, optionalText, type Parameters, requiredText } from './parameters.js'
import type { Action, World } from './world.js'

/** The actions with which operators keep keys. */
export const keyActions: { readonly [name: string]: Action } = {
  CreateKey: (parameters, { account, keys, credential }) => {
    authorize(credential, 'kms:CreateKey', '*')
    const key = keys.create({
      description: optionalText(parameters, 'Description'),
      multiRegion: flag(parameters, 'MultiRegion'),
      spec: choice(parameters, 'KeySpec', KEY_SPECS),
      usage: choice(parameters, 'KeyUsage', KEY_USAGES),
      origin: choice(parameters, 'Origin', ORIGINS),
    })
    return { KeyMetadata: keyMetadata(key, account) }
  },
  DescribeKey: (parameters, { account, keys, credential }) => {
    const key = keys.find(requiredText(parameters, 'KeyId'))
    authorize(credential, 'kms:DescribeKey', key.arn)
    return { KeyMetadata: keyMetadata(key, account) }
  },
  ListKeys: (parameters, { keys, credential }) => {
    authorize(credential, 'kms:ListKeys', '*')
    return page(
      'Keys',
      keys.list.map(({ keyId, arn }) => ({ KeyId: keyId, KeyArn: arn })),
      parameters,
    )
  },
  EnableKey: onKey('EnableKey', (key, { keys }) => setState(key, 'Enabled', keys)),
  DisableKey: onKey('DisableKey', (key, { keys }) => setState(key, 'Disabled', keys)),
  UpdateKeyDescription: onKey('UpdateKeyDescription', (key, { keys }, parameters) => {
    keys.update(key.keyId, { description: optionalText(parameters, 'Description') ?? '' })
    return {}
  }),
  ScheduleKeyDeletion: onKey('ScheduleKeyDeletion', (key, { keys }, parameters) => {
    const days = integer(parameters, 'PendingWindowInDays', { min: 7, max: 30 }) ?? 30
    const { arn, deletionDate = 0, state } = keys.scheduleDeletion(key.keyId, days)
    return { KeyId: arn, DeletionDate: seconds(deletionDate), KeyState: state, PendingWindowInDays: days }
  }),
  CancelKeyDeletion: onKey('CancelKeyDeletion', (key, { keys }) => {
    return { KeyId: keys.cancelDeletion(key.keyId).arn }
  }),
  EnableKeyRotation: onKey('EnableKeyRotation', (key, { keys }, parameters) => {
    expectRotatable(key)
    keys.rotateEvery(key.keyId, integer(parameters, 'RotationPeriodInDays', { min: 90, max: 2560 }) ?? 365)
    return {}
  }),
  DisableKeyRotation: onKey('DisableKeyRotation', (key, { keys }) => {
    expectRotatable(key)
    keys.rotateEvery(key.keyId, undefined)
    return {}
  }),
  GetKeyRotationStatus: onKey('GetKeyRotationStatus', ({ arn, rotationPeriod, nextRotation }) => {
    const enabled = rotationPeriod !== undefined && nextRotation !== undefined
    const rotation = enabled ? { RotationPeriodInDays: rotationPeriod, NextRotationDate: seconds(nextRotation) } : {}
    return { KeyId: arn, KeyRotationEnabled: enabled, ...rotation }
  }),
  RotateKeyOnDemand: onKey('RotateKeyOnDemand', (key, { keys }) => {
    expectRotatable(key)
    return { KeyId: keys.rotate(key.keyId).arn }
  }),
  ReplicateKey: onKey('ReplicateKey', (key, { account }, parameters) => {
    const region = requiredText(parameters, 'ReplicaRegion')
    const replica = account.replicate(key, region, optionalText(parameters, 'Description'))
    return { ReplicaKeyMetadata: keyMetadata(replica, account), ReplicaPolicy: '', ReplicaTags: [] }
  }),
}

/** An action on a key that is named by its id or ARN. */
function onKey(action: string, run: (key: AwsKey, world: World, parameters: Parameters) => object): Action {
  return (parameters, world) => {
    const key = world.keys.findByKeyId(requiredText(parameters, 'KeyId'))
    authorize(world.credential, `kms:${action}`, key.arn)
    return run(key, world, parameters)
  }
}

/** A key in a custom key store that is not connected stays unavailable. */
function setState(key: AwsKey, state: 'Enabled' | 'Disabled', keys: World['keys']): object {
  if (key.state === 'PendingDeletion') throw invalidState(`${key.arn} is pending deletion.`)
  if (key.state === 'PendingImport') throw invalidState(`${key.arn} is pending import.`)
  if (key.state !== 'Unavailable') keys.setState(key.keyId, state)
  return {}
}

function expectRotatable(key: AwsKey): void {
  if (key.state === 'Disabled') throw new AwsApiError('DisabledException', `${key.arn} is disabled.`)
  if (key.state === 'PendingDeletion') throw invalidState(`${key.arn} is pending deletion.`)
  if (!isSymmetric(key) || key.origin !== 'AWS_KMS' || (key.primaryRegion ?? key.region) !== key.region)
    throw new AwsApiError('UnsupportedOperationException', `${key.arn} cannot be rotated here.`)
}
