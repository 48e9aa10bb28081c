import { expect, it } from '@jest/globals'
import { onTestFinished } from '../support/onTestFinished.js'
import { chaos } from './chaos.js'
import { openChaosWorld } from './world.js'

it('loses no acknowledged row while the KMS fails, the database restarts, keys rotate, and processes die', async () => {
  const world = await openChaosWorld()
  onTestFinished(() => world.close())
  const figures = await chaos({ world, seconds: 12, processes: 2 })
  console.log(figures)
  const { lost, wrong, plaintext, notOneActive, limitsPassed } = figures
  expect({ lost, wrong, plaintext, notOneActive, limitsPassed }).toEqual({
    lost: 0,
    wrong: [],
    plaintext: 0,
    notOneActive: 0,
    limitsPassed: 0,
  })
  expect(figures.written).toBeGreaterThan(50)
  expect(figures.read).toBeGreaterThan(50)
  expect(Object.keys(figures.faults).length).toBeGreaterThan(3)
}, 180_000)
