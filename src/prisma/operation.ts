import { prefixErrors, type Slot, transform } from '../cipher/cipher.js'
import { auditSlots } from '../client/audit.js'
import type { ClientContext } from '../client/clientContext.js'
import { limitKeyWait } from '../client/keyWait.js'
import { OperationTenancy } from '../client/operationTenancy.js'
import type { Pass } from '../client/pass.js'
import { type RowReading, readRows } from '../client/rowReading.js'
import { FieldsealError } from '../errors.js'
import { own } from '../own.js'
import type { ModelPlan } from '../plan/plan.js'
import { OPERATIONS, type OperationRoles } from './operations.js'
import { checkAggregates } from './query/aggregates.js'
import { checksOf, type Query, rewriteQuery } from './query/query.js'
import { writtenArguments } from './query/writtenArguments.js'
import { collectRows, hasChecks, type RowPass, removeFalsePositives, shapeAt } from './read/rows.js'
import { type ReadShape, readShape } from './read/shape.js'
import { collectCreate, collectCreates, collectUpdate, collectUpdateMany } from './write/writes.js'

/** A call as Prisma hands it to a query extension. */
export interface OperationCall {
  readonly model: string
  readonly operation: string
  /** Prisma's own deep copy of what the caller wrote: ours to change. */
  readonly args: unknown
  readonly query: (args: unknown) => Promise<unknown>
  readonly __internalParams?: {
    readonly dataPath?: readonly string[]
    readonly transaction?: { readonly kind?: string }
  }
}

type Args = Record<string, unknown>

/** Runs one operation: encrypts its arguments, passes it on, decrypts its result. */
export function runOperation(context: ClientContext, call: OperationCall): Promise<unknown> {
  const plan = context.limited.of(context.clientBinding.access().allow).get(call.model)!
  const roles = own(OPERATIONS, call.operation)
  if (!roles) throw new FieldsealError('QUERY_UNSUPPORTED', `${call.model}.${call.operation} is not known to fieldseal`)

  const args = writtenArguments((call.args ?? {}) as Args)
  const tenancy = new OperationTenancy(context.clientBinding.current(), context.tenancy)
  const { slots, shape } = collectArgs({ plan, tenancy, roles, call }, args)
  for (const { owner, field } of slots) tenancy.settle(owner, field.name)
  if (shape?.decrypts) tenancy.settle(tenancy.owner, shape.plan.name)

  const encrypted = resolve(context, call, slots)
  if (shape) return readResult(context, call, { args, shape, tenancy, encrypted, commits: commits(roles, call) })
  return encrypted ? encrypted.then(() => call.query(args)) : call.query(args)
}

/** Whether something is committed by the time the result is decrypted: a failure then would look like none was. */
function commits({ changesRows }: OperationRoles, { __internalParams }: OperationCall): boolean {
  return changesRows === true || __internalParams?.transaction?.kind === 'batch'
}

interface Operation {
  readonly plan: ModelPlan
  readonly tenancy: OperationTenancy
  readonly roles: OperationRoles
  readonly call: OperationCall
}

/** Rewrites every argument that only reads, and collects what the others write. */
function collectArgs(
  { plan, tenancy, roles, call }: Operation,
  args: Args,
): { slots: Slot[]; shape: ReadShape | null } {
  const pass: Pass = { slots: [], tenancy }
  const checks = roles.many ? checksOf(args) : call.operation
  const query: Query = { pass, plan, owner: tenancy.writeOwner(), unique: roles.unique, checks }
  rewriteQuery(query, args)
  if (roles.aggregates) checkAggregates(pass, plan, args)
  const shape = roles.rows ? shapeAt(readShape(query, args), call.__internalParams?.dataPath ?? []) : null
  collectData(pass, plan, roles, args)
  return { slots: pass.slots, shape }
}

function collectData(pass: Pass, plan: ModelPlan, roles: OperationRoles, args: Args): void {
  const { tenancy } = pass
  const { where } = args
  for (const [name, role] of Object.entries(roles.data ?? {})) {
    const data = args[name]
    if (role === 'create') collectCreate(pass, plan, data, tenancy.writeOwner())
    else if (role === 'createMany') collectCreates(pass, plan, data, tenancy.writeOwner())
    else if (role === 'update') collectUpdate(pass, plan, { where, data }, tenancy.writeOwner())
    else collectUpdateMany(pass, plan, { where, data }, tenancy.writeOwner())
  }
}

interface Read {
  readonly args: Args
  readonly shape: ReadShape
  readonly tenancy: OperationTenancy
  readonly encrypted: Promise<void> | undefined
  readonly commits: boolean
}

async function readResult(context: ClientContext, call: OperationCall, read: Read): Promise<unknown> {
  if (read.encrypted) await read.encrypted
  if (read.commits && read.shape.decrypts) await openKey(context, call, read)
  const result = await call.query(read.args)
  const reads = readRows(readingOf(context, call, read, Array.isArray(result) ? result : [result]))
  const rows = reads instanceof Promise ? await reads : reads
  const copy = Array.isArray(result) ? rows : rows[0]
  if (hasChecks(read.shape)) removeFalsePositives(read.shape, copy)
  return copy
}

function readingOf(
  context: ClientContext,
  call: OperationCall,
  { shape, tenancy }: Read,
  stored: readonly unknown[],
): RowReading<unknown> {
  return {
    context,
    tenancy,
    length: stored.length,
    collect: (from, to, columns) => {
      const pass: RowPass = { slots: [], tenancy, columns }
      const rows = collectRows(pass, shape, stored.slice(from, to))
      if (pass.slots.length > 0) tenancy.settle(tenancy.owner, shape.plan.name)
      return { rows, slots: pass.slots }
    },
    transform: (slots) => transformFor(context, call, slots),
    audited: context,
    operation: call.operation,
  }
}

/** Sees before the SQL that rows can be decrypted after it, as far as the active DEK tells. */
async function openKey(context: ClientContext, call: OperationCall, { tenancy, shape }: Read): Promise<void> {
  const { tenant } = tenancy.owner
  if (typeof tenant !== 'string' || context.ring.active.cached(tenant, 'encrypt')) return
  await waitForKeys(context, call, prefixErrors(shape.plan.name, context.ring.active.open(tenant)))
}

function resolve(context: ClientContext, call: OperationCall, slots: readonly Slot[]): Promise<void> | undefined {
  return auditSlots(context, call.operation, { slots, done: transformFor(context, call, slots) })
}

function transformFor(context: ClientContext, call: OperationCall, slots: readonly Slot[]): Promise<void> | undefined {
  return transform(slots, context.ring, (keys) => waitForKeys(context, call, keys))
}

function waitForKeys<T>(context: ClientContext, call: OperationCall, keys: Promise<T>): Promise<T> {
  const inTransaction = call.__internalParams?.transaction?.kind === 'itx'
  return limitKeyWait(context, inTransaction, `${call.model}.${call.operation}`, keys)
}
