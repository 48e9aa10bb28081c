/** The normalisers that a blind index may name. Each maps text to text and is applied in the order written. */
export const NORMALIZERS = {
  trim: (text) => text.trim(),
  lowercase: (text) => text.toLowerCase(),
  nfkc: (text) => text.normalize('NFKC'),
  digits: (text) => text.replace(/\P{Nd}/gu, ''),
  diacritics: (text) =>
    text
      .normalize('NFD')
      .replace(/\p{Mn}/gu, '')
      .normalize('NFC'),
} satisfies Record<string, (text: string) => string>

export type NormalizerName = keyof typeof NORMALIZERS

export const NORMALIZER_NAMES = Object.keys(NORMALIZERS) as readonly NormalizerName[]
