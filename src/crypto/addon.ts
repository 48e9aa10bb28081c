import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** A key inside the addon, which frees and cleanses it when nothing refers to it any more. */
export interface AddonKey {
  readonly inAddon: unique symbol
}

/** What native/fieldseal.c exports; its comments say what the arguments are. */
export interface Addon {
  readonly revision: number
  /** The SHA-256 of the source that it was built from. */
  readonly source: string
  open(key: Uint8Array): AddonKey
  encrypt(
    key: AddonKey,
    aad: Buffer,
    bound: string | undefined,
    boundLengths: Uint32Array | undefined,
    plaintexts: string | Buffer,
    lengths: Uint32Array,
    encoding: number,
    nonces: Buffer,
    head: string | Buffer,
    out: Buffer | Collect,
  ): unknown
  decrypt(
    key: AddonKey,
    aad: Buffer,
    bound: string | undefined,
    boundLengths: Uint32Array | undefined,
    stored: string | Buffer,
    lengths: Uint32Array,
    head: number,
    padded: boolean,
    codec: number,
    out: Buffer | Collect,
    outLengths?: Int32Array,
  ): unknown
}

type Collect = (...values: readonly unknown[]) => unknown

/** Counts up with every change of the addon's functions. */
const REVISION = 1

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
