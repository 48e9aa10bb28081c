import { Agent } from 'node:http'
import { KMS } from '@aws-sdk/client-kms'
import { awsKms } from 'fieldseal/aws-kms'
import { redundantKms } from 'fieldseal/redundant-kms'
import { tencentKms } from 'fieldseal/tencent-kms'
import { vaultKms } from 'fieldseal/vault'
import { kms as tencent } from 'tencentcloud-sdk-nodejs-kms/tencentcloud/services/kms/index.js'
import type { Kms } from '../../src/keys/kms.js'
import type { KmsSetup } from './protocol.js'

/** In milliseconds. */
interface Limits {
  readonly timeout: number
  readonly attemptTimeout: number
}

const ALONE: Limits = { timeout: 3_000, attemptTimeout: 500 }
/** Long enough for a busy machine: one that is well must not seem to be down. */
export const AMONG_OTHERS: Limits = { timeout: 4_000, attemptTimeout: 2_000 }

/** The KMS as a process has it: the one that there is, or all of them. */
export function openKms(setups: readonly KmsSetup[]): Kms {
  if (setups.length === 1) return memberOf(setups[0]!, ALONE)
  const members = setups.map((setup) => [setup.vendor, memberOf(setup, AMONG_OTHERS)] as const)
  return redundantKms({ members: Object.fromEntries(members) })
}

function memberOf(setup: KmsSetup, limits: Limits): Kms {
  const { keyId } = setup
  if (setup.vendor === 'aws') return awsKms({ client: new KMS(setup.client), keyId, ...limits })
  if (setup.vendor === 'vault') return vaultKms({ address: setup.address, token: () => setup.token, keyId, ...limits })
  const { endpoint, credential } = setup
  const httpProfile = { protocol: 'http://', endpoint, agent: new Agent({ keepAlive: true }) } as const
  const client = new tencent.v20190118.Client({ credential, region: 'ap-guangzhou', profile: { httpProfile } })
  return tencentKms({ client, keyId, ...limits })
}
