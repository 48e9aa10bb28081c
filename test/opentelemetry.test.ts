import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { metrics, SpanStatusCode, trace } from '@opentelemetry/api'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { openTelemetry } from 'fieldseal/opentelemetry'
import type { AuditEntry, EncryptionEvent } from 'fieldseal/prisma'
import { type ClinicUnderTest, openClinic } from './support/clinic.js'
import { refusalCode } from './support/refusal.js'
import { until } from './support/until.js'

let clinic: ClinicUnderTest
let count = 0
beforeAll(async () => {
  clinic = await openClinic()
})
afterAll(() => clinic.close())

type Options = NonNullable<Parameters<ClinicUnderTest['another']>[0]>

async function newTenant(): Promise<string> {
  count += 1
  const id = `watched-${count}`
  await clinic.plain.clinic.create({ data: { id, name: id } })
  return id
}

const SECRET = 'Ada Lovelace'
const row = (clinicId: string, number = 1) => ({ clinicId, number, name: SECRET, email: `${number}@example.com` })

describe('events', () => {
  async function watched(options: Options = {}) {
    const events: EncryptionEvent[] = []
    const client = clinic.another({ onEvent: (event) => events.push(event), ...options })
    return { events, client, types: () => events.map(({ type }) => type), tenant: await newTenant() }
  }

  it('tell of keys made, KMS calls, and values by field, and hold neither a value nor a key', async () => {
    const { events, client, tenant } = await watched()
    await client.patient.create({ data: row(tenant) })
    const key = await clinic.plain.encryptionKey.findFirstOrThrow({ where: { tenant, purpose: 'encrypt' } })
    expect(events).toContainEqual({
      type: 'key.created',
      tenant,
      purpose: 'encrypt',
      key: key.id,
      version: 1,
      previous: undefined,
    })
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'kms.call', action: 'generate', kms: 'tencent', key: key.id, code: undefined }),
    )
    const values = events.filter(({ type }) => type === 'values')
    expect(values).toContainEqual({ type: 'values', field: 'Patient.name', mode: 'encrypt', count: 1 })
    expect(values).toContainEqual({ type: 'values', field: 'Patient.email', mode: 'index', count: 1 })
    expect(values).toContainEqual({ type: 'values', field: 'Patient.name', mode: 'decrypt', count: 1 })
    const text = JSON.stringify(events)
    for (const secret of [SECRET, '1@example.com', key.wrapped!]) expect(text).not.toContain(secret)
  })

  it('tell of rotation, destruction and eviction', async () => {
    const { events, client, tenant, types } = await watched()
    await client.patient.create({ data: row(tenant) })
    await client.$encryption.rotate({ tenants: tenant })
    expect(events).toContainEqual(expect.objectContaining({ type: 'key.created', tenant, version: 2, previous: 1 }))
    expect(types()).toContain('key.rotated')
    await client.$encryption.shred(tenant)
    expect(types()).toEqual(expect.arrayContaining(['key.evicted', 'key.destroyed']))
  })

  it('tell of refusals with their codes, thrown before the SQL or after it', async () => {
    const { events, client, tenant } = await watched()
    await client.patient.create({ data: row(tenant) })
    expect(await refusalCode(() => client.patient.findMany({ where: { name: { contains: 'x' } } as never }))).toBe(
      'QUERY_UNSUPPORTED',
    )
    const foreign = client.$forTenant('acme').patient.findMany({ where: { clinicId: tenant } })
    expect(await refusalCode(() => foreign)).toBe('TENANT_MISMATCH')
    expect(events.filter(({ type }) => type === 'refused')).toEqual(
      ['QUERY_UNSUPPORTED', 'TENANT_MISMATCH'].map((code) => ({
        type: 'refused',
        model: 'Patient',
        operation: 'findMany',
        code,
      })),
    )
  })

  it('tell of DEKs that serve on in an outage, and of the calls that failed', async () => {
    const { events, client, tenant } = await watched({ keys: { ttl: 50 } })
    await client.patient.create({ data: row(tenant) })
    clinic.emulator.faults.add({ kind: 'error', code: 'InternalError', times: 'always' })
    await until('its time is over', async () => {
      expect(await client.$forTenant(tenant).patient.findMany({ where: { clinicId: tenant } })).toHaveLength(1)
      return events.some(({ type }) => type === 'key.stale')
    })
    clinic.emulator.faults.clear()
    expect(events).toContainEqual(expect.objectContaining({ type: 'key.stale', tenant, code: 'KMS_UNAVAILABLE' }))
    expect(events).toContainEqual(expect.objectContaining({ type: 'kms.call', code: 'KMS_UNAVAILABLE' }))
  })

  it('tell of each attempt of a KMS call that is made again: for whom, of which key, and why', async () => {
    const { events, client, tenant } = await watched()
    clinic.emulator.faults.add({ kind: 'error', code: 'RequestLimitExceeded', action: 'GenerateDataKey' })
    clinic.emulator.faults.add({ kind: 'hangUp', when: 'before', action: 'GenerateDataKey' })
    await client.patient.create({ data: { ...row(tenant), email: null } })
    const { id: key } = await clinic.plain.encryptionKey.findFirstOrThrow({ where: { tenant, purpose: 'encrypt' } })
    const call = { action: 'generate', kms: 'tencent', tenant, purpose: 'encrypt', key }
    expect(events.filter(({ type }) => type.startsWith('kms'))).toEqual([
      { type: 'kms.retry', ...call, attempt: 1, code: 'KMS_THROTTLED', reason: 'RequestLimitExceeded' },
      { type: 'kms.retry', ...call, attempt: 2, code: 'KMS_UNAVAILABLE', reason: 'socket hang up' },
      { type: 'kms.call', ...call, milliseconds: expect.any(Number), code: undefined },
    ])
  })

  it('tell of rewrapping, and of its retries, too', async () => {
    const { events, client, tenant } = await watched()
    await client.patient.create({ data: row(tenant) })
    clinic.emulator.faults.add({ kind: 'status', status: 503, action: 'ReEncrypt' })
    await client.$encryption.rewrap({ tenants: tenant, concurrency: 1 })
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'kms.retry', action: 'rewrap', tenant, attempt: 1, reason: 'HTTP status 503' }),
    )
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'kms.call', action: 'rewrap', tenant, code: undefined }),
    )
  })

  it('go on when the listener throws', async () => {
    const throwing = clinic.another({
      onEvent: () => {
        throw new Error('a broken logger')
      },
    })
    const tenant = await newTenant()
    expect(await throwing.patient.create({ data: row(tenant) })).toMatchObject({ name: SECRET })
  })
})

describe('the audit hook', () => {
  function audited(actor: () => string | undefined = () => 'dr. house') {
    const entries: AuditEntry[] = []
    const client = clinic.another({ audit: { actor, record: (entry) => entries.push(entry) } })
    const took = () => entries.splice(0).map(({ at, ...rest }) => rest)
    return { client, took }
  }

  it('gets tenant, actor, operation, field and rows, of what is written and of what is read', async () => {
    const { client, took } = audited()
    const tenant = await newTenant()
    await client.patient.createMany({ data: [row(tenant, 1), row(tenant, 2)] })
    const common = { tenant, actor: 'dr. house' }
    const written = { ...common, operation: 'createMany', rows: 2 }
    expect(took()).toEqual(
      expect.arrayContaining([
        { ...written, field: 'Patient.name', mode: 'encrypt' },
        { ...written, field: 'Patient.email', mode: 'encrypt' },
        { ...written, field: 'Patient.email', mode: 'index' },
      ]),
    )
    await client.$forTenant(tenant).patient.findMany({ where: { clinicId: tenant }, select: { name: true } })
    expect(took()).toEqual([{ ...common, operation: 'findMany', field: 'Patient.name', mode: 'decrypt', rows: 2 }])
    await client.$forTenant(tenant).$encryption.blindIndex('Patient.emailIndex', 'x')
    expect(took()).toEqual([
      { ...common, operation: '$encryption.blindIndex', field: 'Patient.email', mode: 'index', rows: 1 },
    ])
  })

  it('says null for the tenant where all tenants may be read', async () => {
    const { client, took } = audited()
    const tenant = await newTenant()
    await client.patient.create({ data: row(tenant), select: { id: true } })
    took()
    await client.$acrossTenants().patient.findMany({ where: { clinicId: tenant }, select: { name: true } })
    expect(took()).toMatchObject([{ tenant: null, field: 'Patient.name', rows: 1 }])
  })

  it('has what it throws fail the operation: no write is sent, no plaintext handed out', async () => {
    const tenant = await newTenant()
    await clinic.prisma.patient.create({ data: row(tenant) })
    const record = () => {
      throw new Error('the audit log is full')
    }
    const client = clinic.another({ audit: { record } })
    await expect(client.patient.create({ data: row(tenant, 2) })).rejects.toThrow('the audit log is full')
    expect(await clinic.plain.patient.count({ where: { clinicId: tenant } })).toBe(1)
    const reading = client.$forTenant(tenant).patient.findMany({ where: { clinicId: tenant } })
    await expect(reading).rejects.toThrow('the audit log is full')
  })

  it.each([
    { audit: {} },
    { audit: { record: 'log' } },
    { audit: { record: () => undefined, actor: 'me' } },
    { audit: { record: () => undefined, level: 1 } },
    { onEvent: 'log' },
    { telemetry: {} },
  ])('and its like cannot be %j', (options) => {
    expect(() => clinic.another(options as never)).toThrow(expect.objectContaining({ code: 'OPTIONS_INVALID' }))
  })
})

describe('openTelemetry', () => {
  const spans = new InMemorySpanExporter()
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 1_000_000 })
  const meters = new MeterProvider({ readers: [reader] })
  beforeAll(() => {
    metrics.setGlobalMeterProvider(meters)
    trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }))
  })
  beforeEach(() => spans.reset())
  afterAll(async () => {
    metrics.disable()
    trace.disable()
    await meters.shutdown()
  })

  async function points() {
    await meters.forceFlush()
    const all = exporter
      .getMetrics()
      .at(-1)!
      .scopeMetrics.flatMap((scope) => scope.metrics)
    return new Map(all.map(({ descriptor, dataPoints }) => [descriptor.name, dataPoints]))
  }

  it('measures the KMS, counts values, refusals and keys, and watches the memory', async () => {
    const client = clinic.another({ telemetry: openTelemetry() })
    const tenant = await newTenant()
    await client.patient.create({ data: row(tenant) })
    await refusalCode(() => client.patient.findMany({ where: { name: { contains: 'x' } } as never }))
    const seen = await points()
    const [duration] = seen.get('fieldseal.kms.duration')!
    expect(duration).toMatchObject({
      attributes: { action: 'generate', kms: 'tencent', outcome: 'ok' },
      value: { count: 2 },
    })
    expect(seen.get('fieldseal.values')).toContainEqual(
      expect.objectContaining({ attributes: { field: 'Patient.name', mode: 'encrypt' }, value: 1 }),
    )
    expect(seen.get('fieldseal.refusals')).toMatchObject([{ attributes: { code: 'QUERY_UNSUPPORTED' }, value: 1 }])
    expect(seen.get('fieldseal.keys.held')).toMatchObject([{ value: 2 }])
    const { cacheHits, cacheMisses } = client.$encryption.stats()
    const cache = seen.get('fieldseal.keys.cache')!.map(({ attributes, value }) => [attributes.result, value])
    expect(new Map(cache as [string, number][])).toEqual(
      new Map([
        ['hit', cacheHits],
        ['miss', cacheMisses],
      ]),
    )
    expect(cacheHits).toBeGreaterThan(0)
    const text = JSON.stringify([...seen])
    for (const hidden of [SECRET, tenant]) expect(text).not.toContain(hidden)
  })

  it('counts the attempts of KMS calls that are made again', async () => {
    const client = clinic.another({ telemetry: openTelemetry() })
    const tenant = await newTenant()
    clinic.emulator.faults.add({ kind: 'error', code: 'RequestLimitExceeded', action: 'GenerateDataKey', times: 2 })
    await client.patient.create({ data: { ...row(tenant), email: null } })
    const retries = (await points()).get('fieldseal.kms.retries')!
    expect(retries).toMatchObject([
      { attributes: { action: 'generate', kms: 'tencent', code: 'KMS_THROTTLED' }, value: 2 },
    ])
    expect(JSON.stringify(retries)).not.toContain(tenant)
  })

  it('has a span for each KMS call, which says how it failed', async () => {
    const client = clinic.another({ telemetry: openTelemetry() })
    const tenant = await newTenant()
    clinic.emulator.faults.add({ kind: 'error', code: 'UnauthorizedOperation', action: 'GenerateDataKey', times: 2 })
    expect(await refusalCode(() => client.patient.create({ data: row(tenant) }))).toBe('KMS_DENIED')
    clinic.emulator.faults.clear()
    const ended = spans.getFinishedSpans()
    expect(ended.map(({ name }) => name)).toContain('fieldseal.kms.generate')
    expect(ended[0]).toMatchObject({ status: { code: SpanStatusCode.ERROR, message: 'KMS_DENIED' } })
  })
})

describe('a client that nobody watches', () => {
  it('batches findUnique as ever, and so does one that everybody watches', async () => {
    const tenant = await newTenant()
    const watching = { onEvent: () => undefined, telemetry: openTelemetry(), audit: { record: () => undefined } }
    const watched = await openClinic(watching)
    await watched.plain.clinic.create({ data: { id: tenant, name: tenant } })
    for (const { prisma, takeSql } of [clinic, watched]) {
      const rows = await Promise.all([1, 2, 3].map((number) => prisma.patient.create({ data: row(tenant, number) })))
      takeSql()
      const client = prisma.$forTenant(tenant)
      const found = await Promise.all(rows.map(({ id }) => client.patient.findUnique({ where: { id } })))
      expect(found.map((one) => one?.name)).toEqual([SECRET, SECRET, SECRET])
      expect(takeSql()).toHaveLength(1)
    }
    await watched.close()
  })
})
