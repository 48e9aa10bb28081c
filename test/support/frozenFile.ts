import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from '@jest/globals'

/**
 * Expects a text to be what a file of the repository holds. With UPDATE_SNAPSHOTS=1 in the environment the file is
 * written instead.
 */
export function expectFile(file: URL, text: string): void {
  const path = fileURLToPath(file)
  if (process.env.UPDATE_SNAPSHOTS === '1') {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }
  if (!existsSync(path)) throw new Error(`${path} does not exist; UPDATE_SNAPSHOTS=1 writes it`)
  expect(text).toBe(readFileSync(path, 'utf8'))
}
