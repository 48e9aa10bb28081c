import { describe, expect, it } from '@jest/globals'
import { onTestFinished } from './onTestFinished.js'

const done: string[] = []

describe('onTestFinished', () => {
  it('does nothing while the test runs', async () => {
    onTestFinished(() => done.push('first asked'))
    onTestFinished(async () => {
      await new Promise((resolve) => setTimeout(resolve, 10))
      done.push('last asked')
    })
    expect(done).toEqual([])
  })

  it('has done everything once it is over, the last first, each awaited', () => {
    expect(done).toEqual(['last asked', 'first asked'])
  })
})
