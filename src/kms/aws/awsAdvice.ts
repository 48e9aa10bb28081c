import type { CallFailure } from '../call/callFailure.js'
import type { Target } from '../call/kmsCall.js'
import { NO_CREDENTIALS, NO_REGION } from './awsErrors.js'

/** What to do about a failure. */
export function advice({ code, reason }: CallFailure, target: Target): string {
  switch (code) {
    case 'KMS_THROTTLED':
      return (
        'The request rate of the account in this region is reached: warm fewer tenants at a time, lower "concurrency", or ' +
        'raise the quota "Cryptographic operations (symmetric) request rate" in Service Quotas.'
      )
    case 'KMS_UNAVAILABLE':
      return (
        "Check the network between this host and the region's KMS endpoint (VPC endpoint, security group, DNS, proxy), and " +
        'the AWS Health Dashboard.'
      )
    case 'KMS_DENIED':
      return ofDenied(reason, target)
    case 'KMS_KEY_UNUSABLE':
      return UNUSABLE[reason] ?? NOT_FOUND
    case 'KMS_REFUSED':
      return ofRefused(reason, target)
  }
}

const EXPIRED =
  'The temporary credentials ran out: give the client a credential provider, which renews them, rather than fixed ones.'
const SIGNATURE =
  "Check the secret access key, the client's region, and this host's clock, which may be five minutes off at most."
const UNKNOWN =
  'Check the access key and the session token: they are not known, were deleted, or belong to another partition.'

/** What is wrong with credentials, rather than with what they may do. */
const CREDENTIALS: { readonly [reason: string]: string } = {
  [NO_CREDENTIALS]:
    'Look at where the client has its credentials from: the variables AWS_*, a profile, the role of the host or pod and ' +
    'its metadata service.',
  ExpiredToken: EXPIRED,
  ExpiredTokenException: EXPIRED,
  InvalidSignatureException: SIGNATURE,
  SignatureDoesNotMatch: SIGNATURE,
  RequestExpired: SIGNATURE,
  RequestTimeTooSkewed: SIGNATURE,
  UnrecognizedClientException: UNKNOWN,
  InvalidClientTokenId: UNKNOWN,
}

function ofDenied(reason: string, { action }: Target): string {
  const permission =
    action === 'ReEncrypt'
      ? 'kms:ReEncryptFrom on this key and kms:ReEncryptTo on the one of "keyId"'
      : `kms:${action} on this key`
  return (
    CREDENTIALS[reason] ??
    `Allow ${permission}, in the policy of the role and, if that is of another account, in the policy of the key as well.`
  )
}

const NOT_FOUND =
  'Correct keyId, or the region or account of the client: there is no such key there. A key that was deleted is lost, and ' +
  'all DEKs under it with it.'

const UNUSABLE: { readonly [reason: string]: string } = {
  DisabledException: 'Enable the key in the KMS console of this region; CloudTrail says who disabled it.',
  KMSInvalidStateException:
    'Look the key up in the KMS console of this region: cancel its deletion and enable it, import its key material, or ' +
    'connect its custom key store.',
  InvalidKeyUsageException: 'Give "keyId" a symmetric key (SYMMETRIC_DEFAULT) with the usage ENCRYPT_DECRYPT.',
}

function ofRefused(reason: string, { action, subject }: Target): string {
  if (reason === NO_REGION) return 'Give the client a region, or set AWS_REGION.'
  if (action !== 'Decrypt' && action !== 'ReEncrypt') return "Check keyId, the client's region and endpoint."
  return subject
    ? 'The ciphertext was changed, or belongs to another tenant, field or row.'
    : 'The wrapped DEK does not belong to this tenant, purpose and key id: compare its row of the keys table with a backup.'
}
