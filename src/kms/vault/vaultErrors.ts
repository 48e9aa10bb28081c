import type { CallFailure, KmsErrorCode } from '../call/callFailure.js'
import type { Target } from '../call/kmsCall.js'
import type { Retry } from '../call/retryPolicy.js'
import type { TransitKeyIds } from './transitKeyId.js'
import type { VaultAnswer } from './vaultClient.js'

type Rule = readonly [piece: string, code: KmsErrorCode, retry: Retry]

/** The action that looks at the settings of a key. */
export const READ = 'read'
export const INVALID_TOKEN = 'invalid token'
export const PERMISSION_DENIED = 'permission denied'
/** How the reasons begin that a function of the options, or the login that one makes, has failed. */
export const OF_FUNCTION = 'the function '
export const OF_LOGIN = 'the login '
const NO_MOUNT = 'no handler for route'
const NO_NAMESPACE = 'namespace not found'
const TOO_OLD = 'version is disallowed by policy'
const NO_VERSION = 'no such key version'
const SEALED = 'is sealed'

/**
 * Pieces of Vault's and OpenBao's messages, and what they mean; the first that is found counts. They say more than the
 * status does: one failed item is a 400 or a 500, as the version and the path have it.
 */
const RULES: readonly Rule[] = [
  [INVALID_TOKEN, 'KMS_DENIED', 'once'],
  ['bad token', 'KMS_DENIED', 'once'],
  [PERMISSION_DENIED, 'KMS_DENIED', 'never'],
  ['missing client token', 'KMS_DENIED', 'never'],
  ['rate limit quota exceeded', 'KMS_THROTTLED', 'always'],
  ['lease count quota exceeded', 'KMS_THROTTLED', 'always'],
  [SEALED, 'KMS_UNAVAILABLE', 'always'],
  ['required index state not present', 'KMS_UNAVAILABLE', 'always'],
  ['encryption key not found', 'KMS_KEY_UNUSABLE', 'never'],
  [NO_MOUNT, 'KMS_KEY_UNUSABLE', 'never'],
  [NO_NAMESPACE, 'KMS_KEY_UNUSABLE', 'never'],
  [TOO_OLD, 'KMS_KEY_UNUSABLE', 'never'],
  [NO_VERSION, 'KMS_KEY_UNUSABLE', 'never'],
  ['soft-deleted', 'KMS_KEY_UNUSABLE', 'never'],
  ['soft deleted', 'KMS_KEY_UNUSABLE', 'never'],
  ['version is too new', 'KMS_REFUSED', 'never'],
  ['message authentication failed', 'KMS_REFUSED', 'never'],
  ['unable to decrypt', 'KMS_REFUSED', 'never'],
  ['invalid ciphertext', 'KMS_REFUSED', 'never'],
]

/** What an answer means that is neither 200 nor 204. */
export function failureOfAnswer({ status, body }: VaultAnswer): CallFailure {
  const { errors } = body
  const messages = Array.isArray(errors) ? errors.filter((text) => typeof text === 'string') : []
  const rule = ruleOf(messages.join('\n'))
  if (!rule) return ofStatus(status)
  const [piece, code, retry] = rule
  return { code, retry, reason: piece, details: { code: piece, httpCode: status } }
}

/**
 * What the error of one item of a batch means.
 *
 * @param status of the whole: 500 where the errors are Vault's own
 */
export function failureOfItem(message: string, status: number): CallFailure {
  const rule = ruleOf(message)
  if (!rule) return { ...ofStatus(status >= 500 ? status : 400), reason: 'an error of this item' }
  const [piece, code, retry] = rule
  return { code, retry, reason: piece, details: { code: piece } }
}

/** Whether a refusal of a whole batch may be due to one item of it: some versions answer so. */
export function mayBeOfOneItem(answer: VaultAnswer): boolean {
  const { code, reason } = failureOfAnswer(answer)
  return code === 'KMS_REFUSED' || reason === TOO_OLD || reason === NO_VERSION
}

function ruleOf(text: string): Rule | undefined {
  return RULES.find(([piece]) => text.includes(piece))
}

/** https://developer.hashicorp.com/vault/api-docs#http-status-codes; `sys/health` names those of standbys. */
function ofStatus(status: number): CallFailure {
  const [code, retry] = meaningOf(status)
  return { code, retry, reason: `HTTP status ${status}`, details: { httpCode: status } }
}

function meaningOf(status: number): readonly [code: KmsErrorCode, retry: Retry] {
  if (status === 429) return ['KMS_THROTTLED', 'always']
  if (status === 401 || status === 403) return ['KMS_DENIED', 'never']
  if (status === 404) return ['KMS_KEY_UNUSABLE', 'never']
  if (status === 412 || status === 472 || status === 473) return ['KMS_UNAVAILABLE', 'always']
  if (status >= 500 || status < 400) return ['KMS_UNAVAILABLE', 'always']
  return ['KMS_REFUSED', 'never']
}

/**
 * What to do about a failure: the end of its message.
 *
 * @param target its action is `READ`, or the part of the path that stands between mount and name: `datakey/plaintext`
 */
export function advice({ code, reason, details }: CallFailure, target: Target, keys: TransitKeyIds): string {
  switch (code) {
    case 'KMS_THROTTLED':
      return 'A rate limit quota is reached: warm fewer tenants at a time, lower "concurrency", or raise the quota (sys/quotas).'
    case 'KMS_UNAVAILABLE':
      return unavailableAdvice(reason, details.httpCode)
    case 'KMS_DENIED':
      return deniedAdvice(reason, target, keys)
    case 'KMS_KEY_UNUSABLE':
      return unusableAdvice(reason)
    case 'KMS_REFUSED':
      return refusedAdvice(target)
  }
}

function unavailableAdvice(reason: string, status: number | undefined): string {
  if (reason === SEALED || status === 503) return 'Unseal Vault, or wait until it is: `vault status` tells.'
  if (status !== undefined && status < 400)
    return 'This node sends its clients elsewhere, and no redirect is followed: give the address of the active node or of the load balancer.'
  return 'Check the network between this host and Vault, its certificate (NODE_EXTRA_CA_CERTS) and `vault status`.'
}

function deniedAdvice(reason: string, { action, keyId }: Target, keys: TransitKeyIds): string {
  if (reason.startsWith(OF_FUNCTION))
    return 'Log what it throws yourself: it is not shown here, as it may quote a secret.'
  if (reason.startsWith(OF_LOGIN))
    return 'Check what it logs in with (role id and secret id, or the token of the service account), the path of the auth method, and "address", which ends before /v1.'
  if (reason.includes('token'))
    return 'The token has expired, was revoked or is unknown: give another, or have vaultKms log in by itself (the option "login").'
  const { mount, name } = keys.keyOf(keyId)
  const [path, capability] = action === READ ? ['keys', READ] : [action, 'update']
  return `The policy of the token must allow it: path "${mount}/${path}/${name}" { capabilities = ["${capability}"] }. Where it does, the token has ended: some versions say no more of that.`
}

function unusableAdvice(reason: string): string {
  if (reason === TOO_OLD)
    return 'Lower min_decryption_version of the key until everything under older versions is rewrapped.'
  if (reason === NO_VERSION)
    return 'That version was trimmed away, for good: restore the key from a backup, or the row.'
  if (reason === NO_MOUNT) return 'No transit engine is mounted there: correct the option "mount", or keyId.'
  if (reason === NO_NAMESPACE) return 'Correct the option "namespace".'
  return 'There is no such key, or it was deleted: correct keyId, "mount" and "namespace", or bring the key back, from a snapshot of Vault or, in OpenBao, by soft-delete-restore. Another key of its name opens nothing that was under it; a first one is made by `vault write -f transit/keys/NAME type=aes256-gcm96 derived=true`.'
}

function refusedAdvice({ action, subject }: Target): string {
  if (action !== 'decrypt' && action !== 'rewrap') return 'Check keyId and the configuration of the key.'
  return subject === 'value'
    ? 'The ciphertext was changed, or belongs to another tenant, field or row.'
    : 'The wrapped DEK does not belong to this tenant, purpose and key: compare its row of the keys table with a backup.'
}
