import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { FieldsealError } from '../errors.js'
import type { Cmk } from './cmk.js'

interface SavedState {
  readonly format: 1
  readonly cmks: readonly (Omit<Cmk, 'versions'> & { readonly versions: readonly string[] })[]
}

/** The CMKs that an earlier run left in the file; none when there is no file. */
export function readState(file: string): Cmk[] {
  if (!existsSync(file)) return []
  const state = parse(file)
  return state.cmks.map((cmk) => ({ ...cmk, versions: cmk.versions.map((text) => Buffer.from(text, 'base64')) }))
}

/** Replaces the file in one step, so a crash leaves the old one or the new one. Only its owner may read it. */
export function writeState(file: string, cmks: readonly Cmk[]): void {
  const saved = cmks.map((cmk) => ({ ...cmk, versions: cmk.versions.map((bytes) => bytes.toString('base64')) }))
  const state: SavedState = { format: 1, cmks: saved }
  const draft = `${file}.${process.pid}.tmp`
  writeFileSync(draft, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 })
  renameSync(draft, file)
}

function parse(file: string): SavedState {
  try {
    const state = JSON.parse(readFileSync(file, 'utf8')) as SavedState
    if (state.format === 1 && Array.isArray(state.cmks)) return state
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code) throw unreadable(file, (cause as NodeJS.ErrnoException).code)
  }
  throw unreadable(file, 'it holds something else')
}

function unreadable(file: string, why: string | undefined): FieldsealError {
  const message = `The emulator's state file ${file} cannot be read (${why}). Name another file, or delete it to start with new keys.`
  return new FieldsealError('OPTIONS_INVALID', message)
}
