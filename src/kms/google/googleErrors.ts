import {
  type CallErrorDetails,
  type CallFailure,
  type ErrorRules,
  failureOf,
  networkReason,
  unavailable,
} from '../call/callFailure.js'
import type { Target } from '../call/kmsCall.js'
import { CredentialsFailed } from './googleClient.js'

/** What an error of the SDK says, without its message. */
export interface GoogleErrorDetails extends CallErrorDetails {
  /** The status of gRPC, `PERMISSION_DENIED` for instance. */
  readonly code?: string
  /** The reason that `google.rpc.ErrorInfo` gives, `SERVICE_DISABLED` for instance. */
  readonly reason?: string
}

/** The statuses of gRPC, by their numbers. */
const STATUSES = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] as const

const RULES: ErrorRules = [
  ['RESOURCE_EXHAUSTED', 'KMS_THROTTLED', 'always'],
  ['UNAUTHENTICATED', 'KMS_DENIED', 'once'],
  ['PERMISSION_DENIED', 'KMS_DENIED', 'never'],
  ['NOT_FOUND', 'KMS_KEY_UNUSABLE', 'never'],
  ['FAILED_PRECONDITION', 'KMS_KEY_UNUSABLE', 'never'],
  ['INVALID_ARGUMENT', 'KMS_REFUSED', 'never'],
  ['OUT_OF_RANGE', 'KMS_REFUSED', 'never'],
  ['UNIMPLEMENTED', 'KMS_REFUSED', 'never'],
  ['ALREADY_EXISTS', 'KMS_REFUSED', 'never'],
  ['*', 'KMS_UNAVAILABLE', 'always'],
]

const NO_CREDENTIALS = 'the credentials could not be loaded'

/** What gRPC says when the credentials gave it no token. */
const NO_TOKEN = 'Getting metadata from plugin failed'

/** Of an answer, or of a request on its way to Google. A limited number of retries is what Google advises. */
export const DAMAGED = 'damaged on the way (CRC32C)'

/** A request or an answer is not what was sent. */
export class Damaged extends Error {
  override readonly name = 'Damaged'
}

/** What an error of the SDK means. */
export function classify(error: unknown): CallFailure {
  if (error instanceof Damaged) return unavailable(DAMAGED)
  const { code, reason, message } = (error ?? {}) as { readonly [field: string]: unknown }
  const says = (piece: string) => typeof message === 'string' && message.includes(piece)
  if (error instanceof CredentialsFailed || says(NO_TOKEN))
    return { ...unavailable(NO_CREDENTIALS), code: 'KMS_DENIED' }
  const status = typeof code === 'number' ? STATUSES[code] : undefined
  if (status === undefined) return unavailable(networkReason(error) ?? 'no answer that can be read')
  if (status === 'INVALID_ARGUMENT' && (says('crc32c') || says('checksum'))) return unavailable(DAMAGED)
  return ofStatus(status, isReason(reason) ? reason : undefined, networkReason(error))
}

function ofStatus(status: string, reason: string | undefined, network: string | undefined): CallFailure {
  const failure = failureOf(RULES, status)
  const more = reason ?? (failure.code === 'KMS_UNAVAILABLE' ? network : undefined)
  if (more === undefined) return failure
  const details: GoogleErrorDetails = reason === undefined ? failure.details : { ...failure.details, reason }
  return { ...failure, reason: `${status} (${more})`, details }
}

/** As AIP-193 writes them, so that it can be nothing else of an answer. */
function isReason(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Z][A-Z0-9_]{1,61}[A-Z0-9]$/.test(value)
}

/** What to do about a failure. */
export function advice(failure: CallFailure, target: Target): string {
  switch (failure.code) {
    case 'KMS_THROTTLED':
      return 'The quota of the project is used up: warm fewer tenants at a time, lower "concurrency", or raise the quota.'
    case 'KMS_UNAVAILABLE':
      return (
        'Check the network and any proxy between this host and cloudkms.googleapis.com:443 (gRPC obeys grpc_proxy and ' +
        "https_proxy), and Google Cloud's status page."
      )
    case 'KMS_DENIED':
      return onDenied(failure, target)
    case 'KMS_KEY_UNUSABLE':
      return (
        'Look the key up in the Cloud KMS console: enable its version, restore it if it is scheduled for destruction, give ' +
        'the key a primary version, or correct keyId.'
      )
    case 'KMS_REFUSED':
      return onRefused(target)
  }
}

function onDenied({ reason, details }: CallFailure, { action }: Target): string {
  if (reason.includes('SERVICE_DISABLED'))
    return 'Enable the Cloud KMS API (cloudkms.googleapis.com) in the project that the credentials belong to.'
  if (reason.includes('ACCESS_TOKEN_SCOPE_INSUFFICIENT'))
    return 'Give the credentials the scope https://www.googleapis.com/auth/cloudkms, or cloud-platform.'
  if (details.code === 'PERMISSION_DENIED') {
    return (
      `Grant the client's identity the permission cloudkms.cryptoKeyVersions.useTo${action} on this key; the role ` +
      'roles/cloudkms.cryptoKeyEncrypterDecrypter has it.'
    )
  }
  if (details.code === 'UNAUTHENTICATED') {
    return (
      "The access token ran out or was revoked, or this host's clock is wrong: give the client credentials that renew " +
      'themselves (a service account, workload identity), rather than a fixed token.'
    )
  }
  return "Check the client's credentials: a key or token that was revoked or has expired, this host's clock, the metadata server."
}

function onRefused({ action, subject }: Target): string {
  if (action !== 'Decrypt') return 'Check that keyId names a key for symmetric encryption (ENCRYPT_DECRYPT).'
  return subject
    ? 'The ciphertext was changed, or belongs to another tenant, field or row.'
    : 'The wrapped DEK does not belong to this tenant, purpose and key id: compare its row of the keys table with a backup.'
}
