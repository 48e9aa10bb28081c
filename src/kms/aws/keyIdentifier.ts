/** What a key ARN says. */
interface KeyArn {
  readonly partition: string
  readonly region: string
  readonly account: string
  readonly id: string
}

/** arn:aws:kms:eu-central-1:111122223333:key/1234abcd-…; the partition is also aws-cn, aws-us-gov, … */
const KEY_ARN = /^arn:(aws[a-z-]*):kms:([a-z0-9-]{1,32}):(\d{12}):key\/([A-Za-z0-9-]{1,128})$/
const KEY_ID = /^[A-Za-z0-9-]{1,128}$/
const ALIAS = /^(arn:[^\s]*:)?alias\//

/** Whether a value can name a key of AWS KMS: the key's id or its ARN, never an alias. */
export function isKeyIdentifier(value: unknown): value is string {
  return typeof value === 'string' && (KEY_ID.test(value) || KEY_ARN.test(value))
}

/** Whether a value is the name or the ARN of an alias. */
export function isAlias(value: unknown): value is string {
  return typeof value === 'string' && ALIAS.test(value)
}

/** Why an alias names no key for good. */
export const NO_ALIAS =
  'an alias can be pointed at another key at any time, and DEKs are bound to one key: give the id or the ARN of the key'

/**
 * Whether an ARN that AWS answered, or that a row has, is of the key which the options name. An id alone is of the account
 * and region of the client. A multi-Region key (`mrk-…`) has one id and one key material in all its regions, so its primary
 * and its replicas are one key here, as long as partition and account are the same.
 */
export function isSameKey(named: string, arn: string): boolean {
  const found = parseKeyArn(arn)
  if (!found) return false
  const wanted = parseKeyArn(named)
  if (!wanted) return found.id === named
  return arn === named || (isMultiRegion(found) && sameButRegion(wanted, found))
}

function parseKeyArn(text: string): KeyArn | undefined {
  const [, partition, region, account, id] = KEY_ARN.exec(text) ?? []
  if (!partition || !region || !account || !id) return undefined
  return { partition, region, account, id }
}

function isMultiRegion({ id }: KeyArn): boolean {
  return id.startsWith('mrk-')
}

function sameButRegion(a: KeyArn, b: KeyArn): boolean {
  return a.id === b.id && a.account === b.account && a.partition === b.partition
}
