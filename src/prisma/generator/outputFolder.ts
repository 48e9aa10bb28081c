import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { FieldsealError } from '../../errors.js'
import { type Files, marker } from './render.js'

/** Every name this generator may write; those it does not write now are left-overs of another setting. */
const fileNames = ['index.ts', 'index.js', 'index.d.ts', 'package.json']

/**
 * Brings a folder to hold these files, and none of ours beside them. Files of others stay; unchanged files are not
 * touched, so that watchers stay quiet.
 *
 * @throws FieldsealError `OPTIONS_INVALID` when a file of somebody else would be overwritten
 */
export function writeFiles(folder: string, files: Files): void {
  const present = new Map(fileNames.map((name) => [name, readIfThere(join(folder, name))]))
  for (const name of Object.keys(files)) refuseForeign(folder, name, present.get(name))
  mkdirSync(folder, { recursive: true })
  for (const [name, text] of Object.entries(files)) {
    if (present.get(name) !== text) writeFileSync(join(folder, name), text)
  }
  for (const [name, text] of present) {
    if (!Object.hasOwn(files, name) && isGenerated(text)) rmSync(join(folder, name))
  }
}

/**
 * Writes one file, unless it is there already.
 *
 * @throws FieldsealError `OPTIONS_INVALID` when a file of somebody else would be overwritten
 */
export function writeOwnFile(path: string, text: string, option: string): void {
  const present = readIfThere(path)
  if (present === text) return
  refuseForeign(dirname(path), basename(path), present, `another file as \`${option}\``)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

/** The file's text, or nothing when there is no such file. */
export function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  }
}

/** Whether this generator wrote the text. */
export function isGenerated(text: string | undefined): boolean {
  return text?.slice(0, 200).includes(marker) ?? false
}

function refuseForeign(
  folder: string,
  name: string,
  text: string | undefined,
  instead = 'another folder as `output`',
): void {
  if (text === undefined || isGenerated(text)) return
  throw new FieldsealError(
    'OPTIONS_INVALID',
    `${join(folder, name)} was not written by fieldseal-generator and would be overwritten; choose ${instead}`,
  )
}
