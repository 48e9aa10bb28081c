import { readState, writeState } from '../emulator/stateFile.js'
import type { Cmk } from './cmk.js'

interface SavedState {
  readonly format: 1
  readonly cmks: readonly (Omit<Cmk, 'versions'> & { readonly versions: readonly string[] })[]
}

/** The CMKs that an earlier run left in the file; none when there is no file. */
export function readCmks(file: string): Cmk[] {
  return readState(file, revive) ?? []
}

export function writeCmks(file: string, cmks: readonly Cmk[]): void {
  const saved = cmks.map((cmk) => ({ ...cmk, versions: cmk.versions.map((bytes) => bytes.toString('base64')) }))
  writeState(file, { format: 1, cmks: saved } satisfies SavedState)
}

function revive(saved: unknown): Cmk[] | undefined {
  const { format, cmks } = saved as SavedState
  if (format !== 1 || !Array.isArray(cmks)) return undefined
  return (cmks as SavedState['cmks']).map((cmk) => {
    return { ...cmk, versions: cmk.versions.map((text) => Buffer.from(text, 'base64')) }
  })
}
