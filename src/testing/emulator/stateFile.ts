import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { FieldsealError } from '../../errors.js'

/**
 * What an earlier run left in the file; `undefined` when there is no file.
 *
 * @param revive makes it of the file's JSON; `undefined` for something else, which is refused
 * @throws FieldsealError `OPTIONS_INVALID` for a file that cannot be read
 */
export function readState<T>(file: string, revive: (saved: unknown) => T | undefined): T | undefined {
  return existsSync(file) ? parse(file, revive) : undefined
}

/** Replaces the file in one step, so a crash leaves the old one or the new one. Only its owner may read it. */
export function writeState(file: string, state: object): void {
  const draft = `${file}.${process.pid}.tmp`
  writeFileSync(draft, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 })
  renameSync(draft, file)
}

function parse<T>(file: string, revive: (saved: unknown) => T | undefined): T {
  try {
    const state = revive(JSON.parse(readFileSync(file, 'utf8')))
    if (state !== undefined) return state
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code) throw unreadable(file, (cause as NodeJS.ErrnoException).code)
  }
  throw unreadable(file, 'it holds something else')
}

function unreadable(file: string, why: string | undefined): FieldsealError {
  const message = `The emulator's state file ${file} cannot be read (${why}). Name another file, or delete it to start with new keys.`
  return new FieldsealError('OPTIONS_INVALID', message)
}
