import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { KMS } from '@aws-sdk/client-kms'
import type { KeyClient } from '@azure/keyvault-keys'
import type { KeyManagementServiceClient } from '@google-cloud/kms'
import type { kms as tencent } from 'tencentcloud-sdk-nodejs-kms/tencentcloud/services/kms/index.js'
import { RUNBOOKS } from './runbook.js'

/** A command of a vendor's program as words, of which the first is the program. */
export type Words = readonly string[]

/** The commands of other programs than fieldseal that a page has (in fences of `sh`), with its variables filled in. */
export function vendorCommandsOf(
  page: string,
  program: string,
  variables: { readonly [name: string]: string } = {},
): Words[] {
  const fences = readFileSync(join(RUNBOOKS, page), 'utf8').matchAll(/^ *```sh\n([\s\S]*?)^ *```$/gm)
  const lines = Array.from(fences, ([, text]) => text!.trim().split('\n')).flat()
  const commands = lines.map((line) => line.match(/"[^"]*"|\S+/g)!.map((word) => filled(word, variables)))
  return commands.filter(([first]) => first === program)
}

function filled(word: string, variables: { readonly [name: string]: string }): string {
  return word.replace(/^"(.*)"$/, '$1').replace(/\$(\w+)/g, (whole, name) => variables[name] ?? whole)
}

/** `--key-id k` and `--key=k` as `{ 'key-id': 'k' }`, and what stands for itself. */
export function parsed(words: Words): { readonly named: { readonly [name: string]: string }; readonly rest: Words } {
  const named: { [name: string]: string } = {}
  const rest: string[] = []
  for (let i = 0; i < words.length; i += 1) {
    const word = words[i]!
    if (word.startsWith('--')) named[word.slice(2)] = words[++i]!
    else rest.push(word)
  }
  return { named, rest }
}

/** tccli names actions and parameters as the API does. */
export function tccli(client: InstanceType<typeof tencent.v20190118.Client>): (words: Words) => Promise<unknown> {
  return async (words) => {
    const { named, rest } = parsed(words)
    const actions = client as unknown as { [action: string]: (parameters: object) => Promise<unknown> }
    return actions[rest[2]!]!(named)
  }
}

/** The AWS CLI writes the API's names with hyphens. */
export function awsCli(client: KMS): (words: Words) => Promise<unknown> {
  return async (words) => {
    const { named, rest } = parsed(words)
    const [first, ...others] = rest[2]!.split('-')
    const actions = client as unknown as { [action: string]: (parameters: object) => Promise<unknown> }
    const parameters = Object.entries(named).map(([name, value]) => [pascalCase(name), value])
    return actions[`${first}${pascalCase(others.join('-'))}`]!(Object.fromEntries(parameters))
  }
}

function pascalCase(name: string): string {
  return name.replace(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase())
}

/** `gcloud kms keys versions restore` and `enable`. */
export function gcloud(client: KeyManagementServiceClient, project: string): (words: Words) => Promise<unknown> {
  return async (words) => {
    const { named, rest } = parsed(words)
    const [, , , , verb, version] = rest
    const name = client.cryptoKeyVersionPath(project, named.location!, named.keyring!, named.key!, version!)
    if (verb === 'restore') return client.restoreCryptoKeyVersion({ name })
    if (verb !== 'enable') throw new Error(`a command that is not known here: ${words.join(' ')}`)
    const cryptoKeyVersion = { name, state: 'ENABLED' } as const
    return client.updateCryptoKeyVersion({ cryptoKeyVersion, updateMask: { paths: ['state'] } })
  }
}

/** `az keyvault key recover`. */
export function az(client: KeyClient): (words: Words) => Promise<unknown> {
  return async (words) => {
    const { named, rest } = parsed(words)
    if (rest.join(' ') !== 'az keyvault key recover') throw new Error(`not known here: ${words.join(' ')}`)
    return client.beginRecoverDeletedKey(named.name!)
  }
}

/** `write -f` of Vault's and OpenBao's programs. */
export function vaultCli(address: string, token: string): (words: Words) => Promise<unknown> {
  return async (words) => {
    const path = words.at(-1)!
    const answer = await fetch(`${address}/v1/${path}`, { method: 'POST', headers: { 'X-Vault-Token': token } })
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
    return answer
  }
}
