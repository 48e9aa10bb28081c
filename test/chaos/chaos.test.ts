import { expect, it, onTestFinished } from 'vitest'
import { openClinic } from '../support/clinic.js'
import { chaos } from './chaos.js'

it('loses no acknowledged row while the KMS fails, the database restarts, keys rotate, and processes die', async () => {
  const clinic = await openClinic()
  onTestFinished(() => clinic.close())
  const figures = await chaos({ clinic, seconds: 12, processes: 2 })
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
