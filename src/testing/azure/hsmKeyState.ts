import { readState, writeState } from '../emulator/stateFile.js'
import type { HsmKey, HsmKeyVersion } from './hsmKey.js'

type SavedVersion = Omit<HsmKeyVersion, 'material'> & { readonly material: string }

interface SavedState {
  readonly format: 1
  readonly hsmKeys: readonly (Omit<HsmKey, 'versions'> & { readonly versions: readonly SavedVersion[] })[]
}

/** The keys that an earlier run left in the file; none when there is no file. */
export function readHsmKeys(file: string): HsmKey[] {
  return readState(file, revive) ?? []
}

export function writeHsmKeys(file: string, keys: readonly HsmKey[]): void {
  const hsmKeys = keys.map((key) => ({
    ...key,
    versions: key.versions.map((version) => ({ ...version, material: version.material.toString('base64') })),
  }))
  writeState(file, { format: 1, hsmKeys } satisfies SavedState)
}

function revive(saved: unknown): HsmKey[] | undefined {
  const { format, hsmKeys } = saved as SavedState
  if (format !== 1 || !Array.isArray(hsmKeys)) return undefined
  return (hsmKeys as SavedState['hsmKeys']).map((key) => ({
    ...key,
    versions: key.versions.map((version) => ({ ...version, material: Buffer.from(version.material, 'base64') })),
  }))
}
