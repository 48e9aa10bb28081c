import { engineFallback } from '../crypto/chooseEngine.js'
import type { Emit } from '../keys/events.js'
import { printable } from '../printable.js'

const WARNED = Symbol.for('fieldseal.engineFallback')

/**
 * Tells of an addon that does not load: each client's listeners, and the process's warnings, once. Node.js prints these on
 * standard error, unless told not to: `--disable-warning=FIELDSEAL_ENGINE_FALLBACK`.
 */
export function tellEngineFallback(emit: Emit | undefined): void {
  const reason = engineFallback()
  if (reason === undefined) return
  emit?.({ type: 'engine.fallback', reason })
  warnOnce(reason)
}

/** Once in the process, whichever builds of this library (ESM, CommonJS) are loaded. */
function warnOnce(reason: string): void {
  const holder = globalThis as { [WARNED]?: true }
  if (holder[WARNED]) return
  holder[WARNED] = true
  const message =
    `fieldseal encrypts with node:crypto, which takes longer, as its addon does not load: ${printable(reason)}. ` +
    'FIELDSEAL_ENGINE=node does without it, and without this warning'
  process.emitWarning(message, { type: 'FieldsealWarning', code: 'FIELDSEAL_ENGINE_FALLBACK' })
}
