import assert from 'node:assert/strict'
import type { Kms } from '../../keys/kms.js'
import { ACTIONS } from './actions.js'
import { type Cell, KMS_CODES, type Prepared, type Section, type Trial } from './trial.js'

const ONCE = { timeout: 3_000, attemptTimeout: 1_500, maxRetries: 0 } as const

/** Whole answers that are none. */
const BODIES: { readonly [what: string]: (answer: string) => string } = {
  nothing: () => '',
  'an empty object': () => '{}',
  'an empty list': () => '[]',
  null: () => 'null',
  'a number': () => '7',
  'the page of a proxy': () => '<html>sign in</html>',
  'its first half': (answer) => answer.slice(0, answer.length / 2),
  'what would have it quoted by a parser': (answer) => `${keysIn(answer).join(' ') || 'no key'} ${answer}`,
  'itself twice': (answer) => answer + answer,
}

/** What may become of a text in an answer; `undefined` takes it out. */
const CHANGES: { readonly [how: string]: (text: string) => unknown } = {
  missing: () => undefined,
  empty: () => '',
  'a number': () => 7,
  null: () => null,
  'an object': () => ({}),
  'with a line break': (text) => `${text}\n`,
}

/** The same, where the length of what is in it is known. A value may have any: whoever encrypts it, checks it. */
const LENGTHS: typeof CHANGES = {
  'shorter by four characters': (text) => text.slice(0, -4),
  'longer by four characters': (text) => `${text}AAAA`,
  'there twice': (text) => text + text,
}

/** What opens, whose answer can be compared, and what makes. */
const ASKED = ['generate', 'unwrap', 'decrypt'] as const

/** An answer that is not as it must be gives a right DEK or value, or an error that quotes nothing of it. */
export const answers: Section = {
  title: 'an answer',
  cells: ASKED.flatMap((name): Cell[] => [
    ...Object.entries(BODIES).map(([what, change]): Cell => {
      return {
        title: `that is ${what} is an error, which quotes nothing of it (${name})`,
        needs: ['alter', ...ACTIONS[name]!.needs],
        run: async (trial) => {
          const prepared = await trial.prepared()
          await alter(trial, change)
          await trial.refused(() => ACTIONS[name]!.run(trial.kmsOf(ONCE), prepared), KMS_CODES)
        },
      }
    }),
    ...Object.entries(name === 'decrypt' ? CHANGES : { ...CHANGES, ...LENGTHS }).map(([how, change]): Cell => {
      return {
        title: `any text of which is ${how} gives what is right, or an error that quotes nothing of it (${name})`,
        needs: ['alter', ...ACTIONS[name]!.needs],
        run: async (trial) => {
          const prepared = await trial.prepared()
          const texts = await textsOfAnswer(trial, name, prepared)
          for (let at = 0; at < texts; at += 1) {
            await trial.counterpart.clear()
            await alter(trial, (answer) => changedAt(answer, at, change))
            await rightOrRefused(trial, name, trial.kmsOf(ONCE), prepared)
          }
        },
      }
    }),
  ]),
}

/** Whatever key goes over the wire must not get into an error. */
async function alter(trial: Trial, change: (answer: string) => string): Promise<void> {
  await trial.counterpart.alter((answer) => {
    trial.known(...keysIn(answer).map((key) => Buffer.from(key, 'base64')))
    return change(answer)
  })
}

async function textsOfAnswer(trial: Trial, name: string, prepared: Prepared): Promise<number> {
  let texts = 0
  await trial.counterpart.alter((answer) => {
    texts = Math.max(texts, textsIn(JSON.parse(answer)).length)
    return answer
  })
  await trial.timely(ACTIONS[name]!.run(trial.kmsOf(ONCE), prepared))
  assert.ok(texts > 0, 'Its answers hold no text.')
  return texts
}

async function rightOrRefused(trial: Trial, name: string, kms: Kms, prepared: Prepared): Promise<void> {
  const run = trial.timely(ACTIONS[name]!.run(kms, prepared))
  const wrong = await run.then(
    () => false,
    () => true,
  )
  if (wrong) await trial.refused(() => run, KMS_CODES)
}

type Json = { [name: string]: unknown }

/** Where in an answer texts are. */
function textsIn(value: unknown): [holder: Json, name: string][] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]): [Json, string][] =>
    typeof inner === 'string' ? [[value as Json, name]] : textsIn(inner),
  )
}

function changedAt(answer: string, at: number, change: (text: string) => unknown): string {
  const json: unknown = JSON.parse(answer)
  const [holder, name] = textsIn(json)[at] ?? []
  if (holder && name !== undefined) holder[name] = change(holder[name] as string)
  return JSON.stringify(json)
}

/** The texts of an answer that are keys of 32 bytes. */
function keysIn(answer: string): string[] {
  return answer.match(/[A-Za-z0-9+/_-]{43}=?(?![A-Za-z0-9+/_=-])/g)?.filter((key) => isKey(key, answer)) ?? []
}

/** Not the end of a longer text. */
function isKey(key: string, answer: string): boolean {
  return !/[A-Za-z0-9+/_=-]/.test(answer[answer.indexOf(key) - 1] ?? '')
}
