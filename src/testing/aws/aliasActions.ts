import { authorize } from './awsCredentials.js'
import { aliasArn } from './awsKey.js'
import { seconds } from './keyMetadata.js'
import { page } from './page.js'
import { optionalText, requiredText } from './parameters.js'
import type { Action, World } from './world.js'

/** The actions on aliases. */
export const aliasActions: { readonly [name: string]: Action } = {
  CreateAlias: (parameters, world) => {
    const [name, keyId] = [requiredText(parameters, 'AliasName'), requiredText(parameters, 'TargetKeyId')]
    permit('kms:CreateAlias', name, world)
    world.keys.addAlias(name, keyId)
    return {}
  },
  UpdateAlias: (parameters, world) => {
    const [name, keyId] = [requiredText(parameters, 'AliasName'), requiredText(parameters, 'TargetKeyId')]
    permit('kms:UpdateAlias', name, world)
    world.keys.moveAlias(name, keyId)
    return {}
  },
  DeleteAlias: (parameters, world) => {
    const name = requiredText(parameters, 'AliasName')
    permit('kms:DeleteAlias', name, world)
    world.keys.deleteAlias(name)
    return {}
  },
  ListAliases: (parameters, { keys, credential }) => {
    authorize(credential, 'kms:ListAliases', '*')
    const only = optionalText(parameters, 'KeyId')
    const keyId = only === undefined ? undefined : keys.findByKeyId(only).keyId
    const aliases = keys.aliases.filter((alias) => keyId === undefined || alias.keyId === keyId)
    const listed = aliases.map((alias) => ({
      AliasName: alias.name,
      AliasArn: aliasArn(keys.place, alias.name),
      TargetKeyId: alias.keyId,
      CreationDate: seconds(alias.createdAt),
      LastUpdatedDate: seconds(alias.updatedAt),
    }))
    return page('Aliases', listed, parameters)
  },
}

function permit(permission: string, name: string, { keys, credential }: World): void {
  authorize(credential, permission, aliasArn(keys.place, name))
}
