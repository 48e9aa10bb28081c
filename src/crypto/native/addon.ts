import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

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
    nonces: Buffer,
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
const REVISION = 3

/**
 * The addon that was built ahead for this platform.
 *
 * @throws whatever the loader does where there is none, or where Node.js carries no OpenSSL that it could use
 */
export function loadAddon(): Addon {
  const root = dirname(createRequire(import.meta.url).resolve('fieldseal/package.json'))
  const module: { exports: Partial<Addon> } = { exports: {} }
  process.dlopen(module, join(root, 'prebuilds', target(), 'fieldseal.node'))
  if (module.exports.revision !== REVISION) throw new Error('the addon is of another version of fieldseal')
  return module.exports as Addon
}

/** On a Linux with another C library the loader finds out, and refuses. */
function target(): string {
  const libc = process.platform === 'linux' ? '-glibc' : ''
  return `${process.platform}-${process.arch}${libc}`
}
