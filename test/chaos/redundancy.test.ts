import { expect, it } from '@jest/globals'
import { onTestFinished } from '../support/onTestFinished.js'
import { chaos } from './chaos.js'
import { openChaosWorld } from './world.js'

it('has no error and loses no row while two KMSs are down by turns, the database restarts, and processes die', async () => {
  const world = await openChaosWorld(['tencent', 'aws'])
  onTestFinished(() => world.close())
  const figures = await chaos({ world, seconds: 8, processes: 2 })
  console.log(figures)
  const { preventable, lost, wrong, plaintext, notOneActive, limitsPassed } = figures
  expect({ preventable, lost, wrong, plaintext, notOneActive, limitsPassed }).toEqual({
    preventable: [],
    lost: 0,
    wrong: [],
    plaintext: 0,
    notOneActive: 0,
    limitsPassed: 0,
  })
  expect(figures.written).toBeGreaterThan(50)
  expect(figures.read).toBeGreaterThan(50)
  const down = Object.keys(figures.faults).map((kind) => kind.split(' ')[0])
  expect(down).toEqual(expect.arrayContaining(['tencent', 'aws']))
}, 180_000)
