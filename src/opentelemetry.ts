import { metrics, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { FieldsealError } from './errors.js'
import type { CacheFigures, EncryptionEvent, KmsCall, Telemetry } from './keys/events.js'

const NAME = 'fieldseal'

/**
 * Metrics and spans through `@opentelemetry/api`, to whatever SDK the app has registered. Attributes are names of fields,
 * codes and ids of keys; tenants are left out, because there may be very many of them.
 *
 * | metric | | attributes |
 * |---|---|---|
 * | `fieldseal.kms.duration` | histogram, s | `action`, `kms`, `outcome`: `ok` or a code |
 * | `fieldseal.kms.retries` | counter | `action`, `kms`, `code` |
 * | `fieldseal.values` | counter | `field`, `mode` |
 * | `fieldseal.honeytokens` | counter | `field`, `operation` |
 * | `fieldseal.refusals` | counter | `model`, `operation`, `code` |
 * | `fieldseal.keys.created`, `.rotated`, `.evicted`, `.stale`, `.destroyed` | counters | `purpose` or `code` |
 * | `fieldseal.keys.cache` | observable counter | `result`: `hit` or `miss` |
 * | `fieldseal.keys.held` | observable gauge | |
 *
 * @example
 * ```ts
 * import { openTelemetry } from 'fieldseal/opentelemetry'
 *
 * fieldEncryption({ schema: encryptionSchema, kms, telemetry: openTelemetry() })
 * ```
 */
export function openTelemetry(): Telemetry {
  return { onEvent: recorder(), around, watch }
}

function recorder(): (event: EncryptionEvent) => void {
  const meter = metrics.getMeter(NAME)
  const duration = meter.createHistogram('fieldseal.kms.duration', { unit: 's', description: 'Calls of the KMS' })
  const counter = (name: string, description: string) => meter.createCounter(`fieldseal.${name}`, { description })
  const retries = counter('kms.retries', 'Attempts of calls of the KMS that failed and were made again')
  const values = counter('values', 'Values encrypted, decrypted and indexed')
  const honeytokens = counter('honeytokens', 'Values decrypted that were put there as bait')
  const refusals = counter('refusals', 'Operations that were refused or failed')
  const created = counter('keys.created', 'DEKs made')
  const rotated = counter('keys.rotated', 'DEKs succeeded by request or by age')
  const evicted = counter('keys.evicted', 'Tenants whose DEKs were dropped from memory')
  const stale = counter('keys.stale', 'DEKs that served on during an outage')
  const destroyed = counter('keys.destroyed', 'DEKs destroyed')
  return (event) => {
    switch (event.type) {
      case 'kms.call': {
        const { action, kms, code } = event
        duration.record(event.milliseconds / 1000, { action, kms, outcome: code ?? 'ok' })
        break
      }
      case 'kms.retry':
        retries.add(1, { action: event.action, kms: event.kms, code: event.code })
        break
      case 'values':
        values.add(event.count, { field: event.field, mode: event.mode })
        break
      case 'honeytoken':
        honeytokens.add(event.count, { field: event.field, operation: event.operation })
        break
      case 'refused':
        refusals.add(1, { model: event.model, operation: event.operation, code: event.code })
        break
      case 'key.created':
        created.add(1, { purpose: event.purpose })
        break
      case 'key.rotated':
        rotated.add(1)
        break
      case 'key.evicted':
        evicted.add(1)
        break
      case 'key.stale':
        stale.add(1, { code: event.code })
        break
      case 'key.destroyed':
        destroyed.add(event.keys.length)
        break
    }
  }
}

function watch(stats: () => CacheFigures): void {
  const meter = metrics.getMeter(NAME)
  const cache = meter.createObservableCounter('fieldseal.keys.cache', { description: 'Keys looked for in memory' })
  const held = meter.createObservableGauge('fieldseal.keys.held', { description: 'Unwrapped DEKs in memory' })
  cache.addCallback((result) => {
    const { cacheHits, cacheMisses } = stats()
    result.observe(cacheHits, { result: 'hit' })
    result.observe(cacheMisses, { result: 'miss' })
  })
  held.addCallback((result) => result.observe(stats().cachedDeks))
}

function around<T>({ action, kms, purpose, key, field }: KmsCall, work: () => Promise<T>): Promise<T> {
  const subject = field === undefined ? { 'fieldseal.key': key } : { 'fieldseal.field': field }
  const attributes = { 'fieldseal.kms': kms, 'fieldseal.purpose': purpose, ...subject }
  const options = { kind: SpanKind.CLIENT, attributes }
  return trace.getTracer(NAME).startActiveSpan(`fieldseal.kms.${action}`, options, async (span) => {
    try {
      return await work()
    } catch (error) {
      const message = FieldsealError.is(error) ? error.code : 'unknown'
      span.setStatus({ code: SpanStatusCode.ERROR, message })
      throw error
    } finally {
      span.end()
    }
  })
}
