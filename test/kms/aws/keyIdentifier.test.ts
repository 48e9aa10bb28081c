import { describe, expect, it } from '@jest/globals'
import { isAlias, isKeyIdentifier, isSameKey } from '../../../src/kms/aws/keyIdentifier.js'

const ID = '1234abcd-12ab-34cd-56ef-1234567890ab'
const MRK = 'mrk-1234abcd12ab34cd56ef1234567890ab'
const arn = (id: string, { region = 'eu-central-1', account = '111122223333', partition = 'aws' } = {}) =>
  `arn:${partition}:kms:${region}:${account}:key/${id}`

describe('what names a key of AWS KMS', () => {
  it.each([
    ID,
    MRK,
    arn(ID),
    arn(MRK),
    arn(ID, { partition: 'aws-cn', region: 'cn-north-1' }),
    arn(ID, { partition: 'aws-us-gov' }),
  ])('is %s', (name) => {
    expect(isKeyIdentifier(name)).toBe(true)
    expect(isAlias(name)).toBe(false)
  })

  it.each(['alias/app', 'arn:aws:kms:eu-central-1:111122223333:alias/app'])('is not the alias %s', (name) => {
    expect(isKeyIdentifier(name)).toBe(false)
    expect(isAlias(name)).toBe(true)
  })

  it.each([
    '',
    'two words',
    `${ID}\n`,
    `key/${ID}`,
    arn('').slice(0, -1),
    arn(ID, { account: '1' }),
    arn(ID).replace(':kms:', ':s3:'),
    `${arn(ID)}/more`,
    7,
    undefined,
    [ID],
  ])('is not %j', (name) => {
    expect(isKeyIdentifier(name)).toBe(false)
  })
})

describe('the key that an ARN is of', () => {
  it.each([
    ['itself', arn(ID), arn(ID)],
    ['its id alone, in whatever region and account the client is', ID, arn(ID, { region: 'us-east-1' })],
    ['its id alone, of a multi-Region key', MRK, arn(MRK, { region: 'us-east-1' })],
    ['the replica of a multi-Region key', arn(MRK), arn(MRK, { region: 'us-east-1' })],
  ])('is the one that is named by %s', (_, named, found) => {
    expect(isSameKey(named, found)).toBe(true)
  })

  it.each([
    ['another id', ID, arn(ID.replace('1', '2'))],
    ['another region, unless it is a multi-Region key', arn(ID), arn(ID, { region: 'us-east-1' })],
    ['another account', arn(ID), arn(ID, { account: '444455556666' })],
    ['a multi-Region key of another account', arn(MRK), arn(MRK, { account: '444455556666' })],
    ['a multi-Region key of another partition', arn(MRK), arn(MRK, { partition: 'aws-cn' })],
    ['another multi-Region key', arn(MRK), arn(MRK.replace('1', '2'))],
    ['an id, where an ARN is wanted', ID, ID],
    ['an alias', ID, 'arn:aws:kms:eu-central-1:111122223333:alias/app'],
    ['nothing', ID, ''],
  ])('is not %s', (_, named, found) => {
    expect(isSameKey(named, found)).toBe(false)
  })
})
