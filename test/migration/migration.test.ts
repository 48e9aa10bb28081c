import { describe, expect, it } from '@jest/globals'
import { startKmsEmulator } from 'fieldseal/testing'
import { createDatabase } from '../support/database.js'
import { migrate } from './migration.js'

describe('a table that is encrypted and re-encrypted under a running app', () => {
  it.each([
    ['one command', 1, 0],
    ['two commands at once', 2, 0],
    ['two commands at once with two workers each', 2, 2],
  ])(
    'by %s, killed -9 at random, has no plaintext, no lost update and no wrong index',
    async (_, commands, workers) => {
      const [database, emulator] = await Promise.all([createDatabase(), startKmsEmulator()])
      try {
        const figures = await migrate({
          url: database.url,
          emulator,
          rows: 2_000,
          kills: 2,
          commands,
          workers,
          rowsPerSecond: 1_000,
        })
        expect(figures).toMatchObject({ plaintext: 0, lostUpdates: 0, verifyExitCode: 0, retiredCiphertexts: 0 })
        expect(figures.updates).toBeGreaterThan(100)
        expect(figures.killed).toBeGreaterThan(0)
      } finally {
        await Promise.all([database.drop(), emulator.close()])
      }
    },
    300_000,
  )
})
