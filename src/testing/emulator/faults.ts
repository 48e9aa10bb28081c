import { setTimeout } from 'node:timers/promises'

/** What goes wrong with a request. */
export type FaultKind =
  /** The API answers this error. */
  | { readonly kind: 'error'; readonly code: string; readonly message?: string }
  /** An HTTP status other than 200, as a gateway answers it. */
  | { readonly kind: 'status'; readonly status: number }
  /** The right answer, `ms` milliseconds late. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** The right answer, once the faults are cleared. */
  | { readonly kind: 'hold' }
  /** The connection is cut before any answer, or in the middle of its body. */
  | { readonly kind: 'hangUp'; readonly when: 'before' | 'body' }
  /** A complete HTTP answer whose JSON lacks its end. */
  | { readonly kind: 'truncate' }
  /** Half the body, and then nothing while the connection stays open. */
  | { readonly kind: 'stall' }
  /** Another body in place of the right one. */
  | { readonly kind: 'body'; readonly body: string | ((answer: string) => string) }

/** A fault, for one action or for all, once unless told. */
export type Fault = FaultKind & { readonly action?: string; readonly times?: number | 'always' }

interface Planned {
  readonly fault: Fault
  left: number
}

/** The faults to come, first in, first out. A request meets at most one. */
export class Faults {
  #planned: Planned[] = []
  #cleared = new AbortController()

  get list(): readonly Fault[] {
    return this.#planned.map(({ fault, left }) => ({ ...fault, times: Number.isFinite(left) ? left : 'always' }))
  }

  /** Returns a function that takes this fault back. */
  add(fault: Fault): () => void {
    const left = fault.times === 'always' ? Number.POSITIVE_INFINITY : (fault.times ?? 1)
    const planned = { fault, left }
    this.#planned.push(planned)
    return () => {
      this.#planned = this.#planned.filter((other) => other !== planned)
    }
  }

  /** Takes all faults back and lets held requests go on. */
  clear(): void {
    this.#planned = []
    this.#cleared.abort()
    this.#cleared = new AbortController()
  }

  /** The fault that a request of this action meets now, if any. */
  take(action: string): Fault | undefined {
    const next = this.#planned.find(({ fault }) => (fault.action ?? action) === action)
    if (!next) return undefined
    next.left -= 1
    if (next.left <= 0) this.#planned = this.#planned.filter((other) => other !== next)
    return next.fault
  }

  /** For a server: is as late as a fault says, but no longer than the client waits. */
  async wait(fault: Fault, gone: AbortSignal): Promise<void> {
    if (fault.kind === 'delay') await setTimeout(fault.ms, undefined, { signal: gone }).catch(() => undefined)
    if (fault.kind === 'hold') await aborted(AbortSignal.any([gone, this.#cleared.signal]))
  }
}

/**
 * What a fault makes of an answer. A truncated one lacks its last characters, so that what stays still holds the whole
 * plaintext of a DEK.
 */
export function alteredBody(text: string, fault: Fault | undefined): string {
  if (fault?.kind === 'truncate') return text.slice(0, -12)
  if (fault?.kind !== 'body') return text
  return typeof fault.body === 'string' ? fault.body : fault.body(text)
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
