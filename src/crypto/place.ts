import type { Place, PlaceSpec } from './engine.js'

/** What an engine prepared; a class, because objects that are spread take several times the memory. */
export class PreparedPlace implements Place {
  readonly header: Buffer
  readonly aad: Buffer
  readonly form: 'text' | 'raw'
  readonly padded: boolean
  readonly codec: number | undefined
  readonly prepared: unknown

  constructor({ header, aad, form, padded, codec }: PlaceSpec, prepared: unknown) {
    this.header = header
    this.aad = aad
    this.form = form
    this.padded = padded
    this.codec = codec
    this.prepared = prepared
  }
}
