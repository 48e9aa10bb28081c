import { describe, expect, it } from '@jest/globals'
import { crc32c } from '../../../src/kms/google/crc32c.js'

const ascending = Uint8Array.from({ length: 32 }, (_, byte) => byte)

describe('crc32c', () => {
  it.each([
    ['32 bytes of zeros', new Uint8Array(32), 0x8a9136aa],
    ['32 bytes of ones', new Uint8Array(32).fill(0xff), 0x62a8ab43],
    ['32 bytes that ascend', ascending, 0x46dd794e],
    ['32 bytes that descend', ascending.toReversed(), 0x113fdb5c],
    [
      'an iSCSI command',
      Buffer.from(
        '01c00000000000000000000000000000140000000000040000000014000000182800000000000000' + '0200000000000000',
        'hex',
      ),
      0xd9963a56,
    ],
  ])('agrees with RFC 3720, appendix B.4, on %s', (_, bytes, expected) => {
    expect(crc32c(bytes)).toBe(expected)
  })

  it('agrees with the check value of the catalogue of CRCs, and is 0 of nothing', () => {
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283)
    expect(crc32c(new Uint8Array())).toBe(0)
  })
})
