import { debugStep } from '../debug.js'
import type { EncryptionEvent } from './events.js'

/** Prints what happens to keys, but for whose they are and which. */
export function debugEvent(event: EncryptionEvent): void {
  switch (event.type) {
    case 'kms.call':
      debugStep('kms', `${event.action} by ${event.kms}, ${event.milliseconds.toFixed(2)} ms, ${event.code ?? 'done'}`)
      break
    case 'kms.retry':
      debugStep('kms', `${event.action} by ${event.kms}, another attempt after ${event.code}`)
      break
    case 'key.created':
      debugStep('keys', `version ${event.version} made for ${event.purpose}`)
      break
    case 'key.stale':
      debugStep('keys', `one serves on, ${event.code}`)
      break
    case 'engine.fallback':
      debugStep('cipher', `node:crypto works on values, not the addon: ${event.reason}`)
      break
  }
}
