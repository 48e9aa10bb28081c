import { randomUUID } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { keksOf } from '../../src/maintenance/kekSurvey.js'
import type { KeySurvey } from '../../src/maintenance/postgres/survey.js'

function key(kms: string, kekId: string, more: Partial<KeySurvey> = {}): KeySurvey {
  const times = { createdAt: '2026-01-01T00:00:00.000Z', retiredAt: null, destroyedAt: null }
  const whose = { id: randomUUID(), tenant: 'acme', purpose: 'encrypt', version: 1, state: 'active', messages: 0 }
  return { ...whose, kms, kekId, ...times, ...more }
}

describe('keksOf', () => {
  it('counts tenants once, and keys that only read apart from those that write', () => {
    const older = ['retired', 'retiring', 'replaced'].map((state) => key('aws', 'one', { state, tenant: 'globex' }))
    expect(keksOf([key('aws', 'one'), key('aws', 'one', { purpose: 'index' }), ...older])).toEqual([
      { kms: 'aws', kekId: 'one', tenants: 2, active: 2, older: 3 },
    ])
  })

  it('tells KEKs of the same id apart by their KMS, and begins with those that have the most keys', () => {
    const keys = [key('vault', 'b'), key('aws', 'b'), key('aws', 'c'), key('aws', 'a'), key('aws', 'c')]
    expect(keksOf(keys).map(({ kms, kekId }) => `${kms} ${kekId}`)).toEqual(['aws c', 'aws a', 'aws b', 'vault b'])
  })

  it('leaves destroyed keys out, and takes a group for no tenant', () => {
    const destroyed = key('none', '', { state: 'destroyed', destroyedAt: '2026-01-02T00:00:00.000Z' })
    const group = key('tencent', 'k', { tenant: 'shard-0', purpose: 'wrap' })
    expect(keksOf([destroyed, group])).toEqual([{ kms: 'tencent', kekId: 'k', tenants: 0, active: 1, older: 0 }])
    expect(keksOf([])).toEqual([])
  })
})
