import { randomBytes } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { decodeKey } from '../../src/crypto/strictDecode.js'

const key = randomBytes(32)

describe('decodeKey', () => {
  it.each([
    ['nothing', undefined],
    ['a buffer', key],
    ['no text', ''],
    ['31 bytes', key.subarray(1).toString('base64')],
    ['33 bytes', Buffer.concat([key, Buffer.alloc(1)]).toString('base64')],
    ['no padding', key.toString('base64').slice(0, -1)],
    ['stray bits at the end', `${'A'.repeat(42)}B=`],
    ['the URL alphabet', Buffer.alloc(32, 0xff).toString('base64url').concat('=')],
    ['a blank', ` ${key.toString('base64').slice(1)}`],
    ['a very long text', 'A'.repeat(1_000_000)],
  ])('refuses base64 with %s', (_, text) => {
    expect(decodeKey(text, 'base64')).toBeNull()
  })

  it.each([
    ['31 bytes', 'ab'.repeat(31)],
    ['half a byte more', `${'ab'.repeat(31)}abc`],
    ['a letter that is no digit', `${'ab'.repeat(31)}ag`],
  ])('refuses hex with %s', (_, text) => {
    expect(decodeKey(text, 'hex')).toBeNull()
  })

  it('decodes 32 bytes into memory of their own', () => {
    for (const decoded of [
      decodeKey(key.toString('base64'), 'base64'),
      decodeKey(key.toString('hex').toUpperCase(), 'hex'),
    ]) {
      expect(decoded?.equals(key)).toBe(true)
      expect(decoded?.buffer.byteLength).toBe(32)
    }
  })
})
