import { rawHead, textHead } from './ciphertext.js'
import type { Place, PlaceSpec } from './engine.js'

/** What an engine prepared; a class, because objects that are spread take several times the memory. */
export class PreparedPlace implements Place {
  readonly header: Buffer
  readonly aad: Buffer
  readonly form: 'text' | 'raw'
  readonly padded: boolean
  readonly codec: number | undefined
  readonly head: string | Buffer
  readonly prepared: unknown

  constructor(spec: PlaceSpec, head: string | Buffer, prepared: unknown) {
    const { header, aad, form, padded, codec } = spec
    this.header = header
    this.aad = aad
    this.form = form
    this.padded = padded
    this.codec = codec
    this.head = head
    this.prepared = prepared
  }
}

let last: { readonly header: Buffer; readonly form: PlaceSpec['form']; readonly head: string | Buffer } | undefined

/** What the ciphertexts of a place begin with: one object for the places that are prepared one after the other. */
export function placeHead({ header, form }: PlaceSpec): string | Buffer {
  if (last?.header !== header || last.form !== form) {
    last = { header, form, head: form === 'text' ? textHead(header) : rawHead(header) }
  }
  return last.head
}
