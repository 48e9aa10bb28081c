import assert from 'node:assert/strict'
import type { WrappedDek } from '../../keys/kms.js'
import { assertBytes, type Cell, type Prepared, type Section, type Trial } from './trial.js'

const REFUSED = ['KMS_REFUSED', 'KMS_KEY_UNUSABLE'] as const
const MOST_PLACES = 96

/** Texts that are cut, lengthened or none. */
const MISSHAPEN: { readonly [how: string]: (text: string) => string } = {
  'is empty': () => '',
  'is something else': () => 'nonsense',
  'lacks its first character': (text) => text.slice(1),
  'lacks its last character': (text) => text.slice(0, -1),
  'lacks its second half': (text) => text.slice(0, text.length / 2),
  'has a character more at its end': (text) => `${text}A`,
  'has four characters more at its end': (text) => `${text}AAAA`,
  'has a blank before it': (text) => ` ${text}`,
  'is there twice': (text) => text + text,
  'is longer than anything': () => 'A'.repeat(20_000),
}

/** The same text to a reader that is lenient, as those of JSON and base64 often are. */
const BLANKS: typeof MISSHAPEN = { 'has a line break at its end': (text) => `${text}\n` }

/** Nothing of a wrapped text, or of a ciphertext, can be changed unnoticed. */
export const tampering: Section = {
  title: 'a text that was changed',
  cells: [
    ...Object.entries({ ...MISSHAPEN, ...BLANKS }).flatMap(([how, change]): Cell[] => [
      {
        title: `is not unwrapped when it ${how}`,
        needs: how in BLANKS ? ['strictText'] : [],
        run: async (trial) => {
          const { wrapped, identity } = await trial.prepared()
          const changed = { ...wrapped, wrapped: change(wrapped.wrapped) }
          await trial.refused(() => trial.kmsOf().unwrap(changed, identity), REFUSED)
        },
      },
      {
        title: `is not decrypted when it ${how}`,
        needs: how in BLANKS ? ['strictText', 'values'] : ['values'],
        run: async (trial) => {
          const { ciphertext, valueIdentity } = await trial.prepared()
          await trial.refused(() => trial.kmsOf().decrypt!(change(ciphertext), valueIdentity), REFUSED)
        },
      },
    ]),
    {
      title: 'in any one character is not unwrapped',
      needs: ['strictText'],
      run: async (trial) => {
        const { wrapped, identity } = await trial.prepared()
        const kms = trial.kmsOf()
        for (const text of changedTexts(wrapped.wrapped))
          await trial.refused(() => kms.unwrap({ ...wrapped, wrapped: text }, identity), REFUSED)
      },
    },
    {
      title: 'in any one character is not rewrapped',
      needs: ['strictText', 'rewrap'],
      run: async (trial) => {
        const { wrapped, identity } = await trial.prepared()
        const kms = trial.kmsOf()
        for (const text of changedTexts(wrapped.wrapped))
          await trial.refused(() => kms.rewrap!({ ...wrapped, wrapped: text }, identity), REFUSED)
      },
    },
    {
      title: 'in any one character is not decrypted',
      needs: ['strictText', 'values'],
      run: async (trial) => {
        const { ciphertext, valueIdentity } = await trial.prepared()
        const kms = trial.kmsOf()
        for (const text of changedTexts(ciphertext))
          await trial.refused(() => kms.decrypt!(text, valueIdentity), REFUSED)
      },
    },
  ],
}

/** In place of cells that need `strictText`. */
export const lenientTexts: Section = {
  title: 'a text that was changed in one character',
  cells: [
    {
      title: 'is not unwrapped, or gives the DEK that it gave before; of some texts it does (lacks strictText)',
      run: async (trial) => {
        const prepared = await trial.prepared()
        const kms = trial.kmsOf()
        const opened = await Promise.all(
          changedTexts(prepared.wrapped.wrapped).map((wrapped) =>
            opens(trial, kms.unwrap.bind(kms), prepared, wrapped),
          ),
        )
        assert.ok(opened.includes(true), 'None of them opens: take "strictText" out of "lacks".')
      },
    },
  ],
}

type Unwrap = (wrapped: WrappedDek, identity: Prepared['identity']) => Promise<Buffer>

async function opens(trial: Trial, unwrap: Unwrap, { wrapped, identity, dek }: Prepared, text: string) {
  const opening = unwrap({ ...wrapped, wrapped: text }, identity)
  const opened = await opening.then(
    (bytes) => bytes,
    () => undefined,
  )
  if (opened) assertBytes(opened, dek, 'The DEK')
  else await trial.refused(() => opening, REFUSED)
  return opened !== undefined
}

/** The text with one character changed into another of its kind, at as many places as can be tried. */
function changedTexts(text: string): string[] {
  const step = Math.max(1, text.length / MOST_PLACES)
  const places = new Set([0, 1, text.length - 2, text.length - 1])
  for (let place = 0; place < text.length; place += step) places.add(Math.floor(place))
  return [...places].map((place) => `${text.slice(0, place)}${another(text[place]!)}${text.slice(place + 1)}`)
}

function another(character: string): string {
  if (/[0-9]/.test(character)) return character === '9' ? '0' : String(Number(character) + 1)
  if (/[a-z]/.test(character)) return character === 'z' ? 'a' : String.fromCharCode(character.charCodeAt(0) + 1)
  if (/[A-Z]/.test(character)) return character === 'Z' ? 'A' : String.fromCharCode(character.charCodeAt(0) + 1)
  return character === 'x' ? 'y' : 'x'
}
