import { type Slot, transform } from '../cipher.js'
import { FieldsealError } from '../errors.js'
import type { KeyRing } from '../keys/keyRing.js'
import type { Bindings } from './binding.js'
import { checkAggregates } from './filters.js'
import { OPERATIONS, type OperationRoles } from './operations.js'
import type { ModelPlan, Plans } from './plan.js'
import { collectRows, shapeAt } from './rows.js'
import { checkQuery, type ReadShape, readShape } from './shape.js'
import { OperationTenancy, type TenancyOptions } from './tenancy.js'
import { within } from './within.js'
import { collectCreate, collectCreates, collectUpdate, collectUpdateMany, type WritePass } from './writes.js'

/** What every operation of one extended client shares. */
export interface OperationContext {
  readonly plans: Plans
  readonly ring: KeyRing
  readonly bindings: Bindings
  readonly tenancy: TenancyOptions
  /** Milliseconds; see `KeyOptions.transactionWait`. */
  readonly transactionWait: number
}

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
export function runOperation(context: OperationContext, call: OperationCall): Promise<unknown> {
  const plan = context.plans.get(call.model)!
  const roles = OPERATIONS[call.operation]
  if (!roles) throw new FieldsealError('QUERY_UNSUPPORTED', `${call.model}.${call.operation} is not known to fieldseal`)

  const args = (call.args ?? {}) as Args
  const tenancy = new OperationTenancy(context.bindings.current(), context.tenancy)
  const slots = collectArgs(plan, roles, args, tenancy)
  const shape = roles.rows ? shapeAt(readShape(plan, args), call.__internalParams?.dataPath ?? []) : null
  for (const { owner, field } of slots) tenancy.settle(owner, field.name)
  if (shape) tenancy.settle(tenancy.owner, shape.plan.name)

  const encrypted = resolve(context, call, slots)
  if (shape) return readRows(context, call, { args, shape, tenancy, encrypted })
  return encrypted ? encrypted.then(() => call.query(args)) : call.query(args)
}

/** Checks every argument that only reads, and collects what the others write. */
function collectArgs(plan: ModelPlan, roles: OperationRoles, args: Args, tenancy: OperationTenancy): Slot[] {
  checkQuery(plan, args)
  if (roles.aggregates) checkAggregates(plan, args)
  const pass: WritePass = { slots: [], tenancy }
  const { where } = args
  for (const [name, role] of Object.entries(roles.data ?? {})) {
    const data = args[name]
    if (role === 'create') collectCreate(pass, plan, data, tenancy.writeOwner())
    else if (role === 'createMany') collectCreates(pass, plan, data, tenancy.writeOwner())
    else if (role === 'update') collectUpdate(pass, plan, { where, data }, tenancy.writeOwner())
    else collectUpdateMany(pass, plan, { where, data }, tenancy.writeOwner())
  }
  return pass.slots
}

interface Read {
  readonly args: Args
  readonly shape: ReadShape
  readonly tenancy: OperationTenancy
  readonly encrypted: Promise<void> | undefined
}

async function readRows(context: OperationContext, call: OperationCall, read: Read): Promise<unknown> {
  if (read.encrypted) await read.encrypted
  const result = await call.query(read.args)
  const slots: Slot[] = []
  collectRows(slots, read.shape, result, read.tenancy.owner)
  const decrypted = resolve(context, call, slots)
  if (decrypted) await decrypted
  return result
}

/** Inside an interactive transaction the keys table needs a second connection, which may never come free. */
function resolve(
  { ring, transactionWait }: OperationContext,
  call: OperationCall,
  slots: Slot[],
): Promise<void> | undefined {
  const done = transform(slots, ring)
  if (!done || call.__internalParams?.transaction?.kind !== 'itx') return done
  return within(done, transactionWait, () => {
    const message =
      `the key of ${call.model}.${call.operation} is not in memory and could not be had within ${transactionWait} ms ` +
      'inside the interactive transaction: give the pool a second connection, or use the tenant once before the transaction'
    return new FieldsealError('KEY_STORE_UNAVAILABLE', message)
  })
}
