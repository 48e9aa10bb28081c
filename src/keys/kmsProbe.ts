import { randomBytes, randomUUID, timingSafeEqual } from 'node:crypto'
import { FieldsealError, quoted } from '../errors.js'
import { type DekIdentity, encryptsValues, type Kms, type ValueKms } from './kms.js'

/** What a KMS did not do when it was tried. */
export interface KmsFailure {
  /** The name of the KMS; of a member of several, `redundant/shanghai`. */
  readonly kms: string
  /** `generate`, `wrap` and `unwrap` are of DEKs, `encrypt` and `decrypt` of values of fields with `mode: kms`. */
  readonly action: 'generate' | 'wrap' | 'unwrap' | 'encrypt' | 'decrypt'
  /** `KMS_*`; its message says what to do. */
  readonly error: FieldsealError
}

interface KmsProbe {
  readonly kms: Kms
  readonly name: string
  /** One of several, each of which wraps what another one made. */
  readonly member: boolean
  /** Whether there are values that it encrypts itself. */
  readonly values: boolean
}

/**
 * Has a KMS make a DEK for a tenant and unwrap it again, and throws it away: that takes every permission that writing and
 * reading take. The DEK's purpose in the encryption context is `check`, so that it could never serve for anything. Of several
 * KMSs, each is tried.
 *
 * @param values whether there are values that the KMS encrypts itself, which is tried then, too
 */
export async function probeKms(kms: Kms, tenant: string, values: boolean): Promise<KmsFailure[]> {
  const members = Object.entries(kms.members ?? {})
  const probes: KmsProbe[] = members.map(([name, member]) => {
    return { kms: member, name: `${kms.name}/${name}`, member: true, values: values && encryptsValues(kms) }
  })
  if (probes.length === 0) probes.push({ kms, name: kms.name, member: false, values })
  return (await Promise.all(probes.map((probe) => probeOne(probe, tenant)))).flat()
}

type Step = <T>(action: KmsFailure['action'], work: () => Promise<T>) => Promise<T | undefined>

async function probeOne({ kms, name, member, values }: KmsProbe, tenant: string): Promise<KmsFailure[]> {
  const failures: KmsFailure[] = []
  const step: Step = async (action, work) => {
    try {
      return await work()
    } catch (error) {
      if (!FieldsealError.is(error)) throw error
      failures.push({ kms: name, action, error })
      return undefined
    }
  }
  await probeKeys({ kms, member }, { key: randomUUID(), purpose: 'check', tenant }, step)
  if (values && encryptsValues(kms)) await probeValues(kms, tenant, step)
  return failures
}

async function probeKeys(
  { kms, member }: Pick<KmsProbe, 'kms' | 'member'>,
  identity: DekIdentity,
  step: Step,
): Promise<void> {
  const made = await step('generate', () => kms.generate(identity))
  if (!made) return
  try {
    const { dek, ...wrapped } = made
    if (member) await step('wrap', async () => kms.wrap?.(dek, identity))
    await step('unwrap', async () => expectSame(kms, dek, await kms.unwrap(wrapped, identity)))
  } finally {
    made.dek.fill(0)
  }
}

async function probeValues(kms: ValueKms, tenant: string, step: Step): Promise<void> {
  const [value, identity] = [randomBytes(32), { aad: '', field: 'check', tenant }]
  const ciphertext = await step('encrypt', () => kms.encrypt(value, identity))
  if (ciphertext === undefined) return
  await step('decrypt', async () => expectSame(kms, value, await kms.decrypt(ciphertext, identity)))
}

function expectSame(kms: Kms, given: Buffer, opened: Buffer): void {
  const same = opened.length === given.length && timingSafeEqual(opened, given)
  opened.fill(0)
  if (!same) throw new FieldsealError('KMS_REFUSED', `The KMS ${quoted(kms.name)} opened another text than it made.`)
}
