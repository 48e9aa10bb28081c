import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { addonTarget, thisPlatform } from './addonTarget.js'

/** A key inside the addon, which frees and cleanses it when nothing refers to it any more. */
export interface AddonKey<Kind extends 'values' | 'index' = 'values'> {
  readonly inAddon: Kind
}

/** What native/fieldseal.c exports; its comments say what the arguments are. */
export interface Addon {
  readonly revision: number
  /** The SHA-256 of the source that it was built from. */
  readonly source: string
  open(key: Uint8Array): AddonKey
  openIndex(key: Uint8Array): AddonKey<'index'>
  place(key: AddonKey, aad: Buffer, head: string | Buffer, padded: boolean, codec: number): number
  encrypt(
    key: AddonKey,
    frame: Uint32Array,
    count: number,
    bound: string | undefined,
    plaintexts: string | Buffer,
    encoding: number,
    nonces: Buffer | undefined,
    out: Buffer | Collect,
  ): unknown
  decrypt(
    key: AddonKey,
    frame: Uint32Array,
    count: number,
    bound: string | undefined,
    stored: string | Buffer,
    out: Buffer | Collect,
  ): unknown
  index(
    key: AddonKey<'index'>,
    frame: Uint32Array,
    count: number,
    prefix: Buffer,
    messages: string | Buffer,
    encoding: number,
    size: number,
    out: Buffer,
  ): void
}

type Collect = (...values: readonly unknown[]) => unknown

/** Counts up with every change of the addon's functions. */
const REVISION = 4

/**
 * The addon that was built ahead for this platform.
 *
 * @throws Error that says why it does not load: there is none, or Node.js may not or cannot use it
 */
export function loadAddon(): Addon {
  const path = join(packageFolder(), 'prebuilds', addonTarget(thisPlatform()), 'fieldseal.node')
  if (!existsSync(path)) throw new Error('its binary is missing from the installed package')
  const module: { exports: Partial<Addon> } = { exports: {} }
  // On macOS a function that the process lacks would otherwise be missed when it is called, by a process that ends then.
  process.dlopen(module, path, constants.dlopen.RTLD_NOW)
  if (module.exports.revision !== REVISION) throw new Error('its binary is of another version of fieldseal')
  return module.exports as Addon
}

function packageFolder(): string {
  try {
    return dirname(createRequire(import.meta.url).resolve('fieldseal/package.json'))
  } catch (cause) {
    const message = 'the package fieldseal is not installed beside this code: a bundler has to keep it external'
    throw new Error(message, { cause })
  }
}
