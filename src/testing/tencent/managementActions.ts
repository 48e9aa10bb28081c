import { randomUUID } from 'node:crypto'
import { ApiError } from './apiError.js'
import type { Cmk, CmkState } from './cmk.js'
import type { Transition } from './cmks.js'
import type { Action, World } from './cryptoActions.js'
import { integer, optionalText, type Parameters, requiredText, texts } from './parameters.js'

const DAY = 86_400
/** The numbers that ListKeyDetail takes for a state. */
const STATE_NUMBERS: { readonly [number: number]: CmkState } = {
  1: 'Enabled',
  2: 'Disabled',
  3: 'PendingDelete',
  4: 'PendingImport',
  5: 'Archived',
}

/** The actions with which operators keep CMKs. */
export const managementActions: { readonly [name: string]: Action } = {
  CreateKey: { takes: ['Alias', 'Description', 'KeyUsage', 'Type', 'Tags', 'HsmClusterId'], run: createKey },
  DescribeKey: onKey((cmk) => ({ KeyMetadata: metadata(cmk) })),
  DescribeKeys: {
    takes: ['KeyIds'],
    run: (parameters, { cmks }) => ({
      KeyMetadatas: texts(parameters, 'KeyIds').map((keyId) => metadata(cmks.find(keyId))),
    }),
  },
  ListKeys: {
    takes: ['Offset', 'Limit', 'Role', 'HsmClusterId'],
    run: (parameters, { cmks }) => ({
      Keys: page(cmks.list, parameters).map((cmk) => ({ KeyId: cmk.keyId })),
      TotalCount: cmks.list.length,
    }),
  },
  ListKeyDetail: {
    takes: ['Offset', 'Limit', 'Role', 'OrderType', 'KeyState', 'SearchKeyAlias', 'Origin', 'KeyUsage', 'HsmClusterId'],
    run: listKeyDetail,
  },
  UpdateAlias: {
    takes: ['KeyId', 'Alias'],
    run: (parameters, { cmks }) => {
      cmks.update(requiredText(parameters, 'KeyId'), { alias: requiredText(parameters, 'Alias') })
      return {}
    },
  },
  UpdateKeyDescription: {
    takes: ['KeyId', 'Description'],
    run: (parameters, { cmks }) => {
      cmks.update(requiredText(parameters, 'KeyId'), { description: optionalText(parameters, 'Description') ?? '' })
      return {}
    },
  },
  EnableKey: transition('enable'),
  DisableKey: transition('disable'),
  EnableKeys: transitions('enable'),
  DisableKeys: transitions('disable'),
  ArchiveKey: transition('archive'),
  CancelKeyArchive: transition('cancelArchive'),
  ScheduleKeyDeletion: { takes: ['KeyId', 'PendingWindowInDays'], run: scheduleKeyDeletion },
  CancelKeyDeletion: onKey((cmk, { cmks }) => {
    cmks.change(cmk.keyId, 'cancelDeletion')
    cmks.update(cmk.keyId, { deletionDate: 0 })
    return { KeyId: cmk.keyId }
  }),
  RotateKey: onKey((cmk, { cmks }) => {
    cmks.rotate(cmk.keyId)
    return { TaskId: randomUUID() }
  }),
  EnableKeyRotation: { ...rotation(true), takes: ['KeyId', 'RotateDays'] },
  DisableKeyRotation: rotation(false),
  GetKeyRotationStatus: onKey((cmk) => ({ KeyRotationEnabled: cmk.rotation })),
  GetServiceStatus: { takes: [], run: () => ({ ServiceEnabled: true, InvalidType: 0, UserLevel: 0 }) },
  GetRegions: { takes: [], run: () => ({ Regions: ['ap-guangzhou', 'ap-shanghai', 'ap-beijing', 'ap-singapore'] }) },
}

function onKey(run: (cmk: Cmk, world: World) => object): Action {
  return {
    takes: ['KeyId'],
    run: (parameters, world) => run(world.cmks.find(requiredText(parameters, 'KeyId')), world),
  }
}

function transition(name: Transition): Action {
  return onKey((cmk, { cmks }) => {
    cmks.change(cmk.keyId, name)
    return {}
  })
}

function transitions(name: Transition): Action {
  return {
    takes: ['KeyIds'],
    run: (parameters, { cmks }) => {
      for (const cmk of texts(parameters, 'KeyIds').map((keyId) => cmks.find(keyId))) cmks.change(cmk.keyId, name)
      return {}
    },
  }
}

function rotation(enabled: boolean): Action {
  return onKey((cmk, { cmks }) => {
    cmks.update(cmk.keyId, { rotation: enabled })
    return {}
  })
}

function createKey(parameters: Parameters, { cmks }: World): object {
  const usage = optionalText(parameters, 'KeyUsage') ?? 'ENCRYPT_DECRYPT'
  if (usage !== 'ENCRYPT_DECRYPT') {
    throw new ApiError('InvalidParameterValue.InvalidKeyUsage', 'The emulator has symmetric keys only.')
  }
  const description = optionalText(parameters, 'Description') ?? ''
  const { KeyId, Alias, CreateTime, KeyState, KeyUsage } = metadata(
    cmks.create({ alias: requiredText(parameters, 'Alias'), description }),
  )
  const rest = { Description: description, TagCode: 0, TagMsg: '', HsmClusterId: '' }
  return { KeyId, Alias, CreateTime, KeyState, KeyUsage, ...rest }
}

function listKeyDetail(parameters: Parameters, { cmks }: World): object {
  const state = STATE_NUMBERS[integer(parameters, 'KeyState', { min: 0, max: 5 }) ?? 0]
  const search = optionalText(parameters, 'SearchKeyAlias') ?? ''
  const found = cmks.list.filter(
    (cmk) => (state === undefined || cmk.state === state) && `${cmk.keyId} ${cmk.alias}`.includes(search),
  )
  return { TotalCount: found.length, KeyMetadatas: page(found, parameters).map(metadata) }
}

function scheduleKeyDeletion(parameters: Parameters, { cmks, now }: World): object {
  const days = integer(parameters, 'PendingWindowInDays', { min: 7, max: 30 })
  if (days === undefined) throw new ApiError('MissingParameter', 'The parameter PendingWindowInDays is missing.')
  const { keyId } = cmks.change(requiredText(parameters, 'KeyId'), 'scheduleDeletion')
  const { deletionDate } = cmks.update(keyId, { deletionDate: Math.floor(now() / 1000) + days * DAY })
  return { KeyId: keyId, DeletionDate: deletionDate }
}

function page(cmks: readonly Cmk[], parameters: Parameters): readonly Cmk[] {
  const offset = integer(parameters, 'Offset', { min: 0, max: Number.MAX_SAFE_INTEGER }) ?? 0
  const limit = integer(parameters, 'Limit', { min: 0, max: 200 }) ?? 10
  return cmks.slice(offset, offset + limit)
}

function metadata(cmk: Cmk) {
  return {
    KeyId: cmk.keyId,
    Alias: cmk.alias,
    CreateTime: cmk.createTime,
    Description: cmk.description,
    KeyState: cmk.state,
    KeyUsage: 'ENCRYPT_DECRYPT',
    Type: 2,
    CreatorUin: 100000000001,
    KeyRotationEnabled: cmk.rotation,
    Owner: 'user',
    NextRotateTime: 0,
    DeletionDate: cmk.deletionDate,
    Origin: 'TENCENT_KMS',
    ValidTo: 0,
    ResourceId: `creatorUin/100000000001/${cmk.keyId}`,
    LastRotateTime: cmk.lastRotateTime,
  }
}
