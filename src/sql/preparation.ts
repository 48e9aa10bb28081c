import { prefixErrors, type Slot, transform, transformNow } from '../cipher/cipher.js'
import { inTurns } from '../cipher/turns.js'
import { type Audited, auditSlots, tallyOf } from '../client/audit.js'
import type { AuditTally } from '../client/auditTally.js'
import type { BindingSource } from '../client/clientBinding.js'
import type { ClientContext } from '../client/clientContext.js'
import { limitKeyWait } from '../client/keyWait.js'
import { checkSearchable } from '../client/masking.js'
import type { OperationTenancy } from '../client/operationTenancy.js'
import { isDebugging } from '../debug.js'
import { FieldsealError } from '../errors.js'
import { GivenValues, type Seals } from './givenValues.js'
import type { InsertShape } from './insertShape.js'
import { Parameters } from './parameters.js'
import { unsupported } from './refusals.js'
import { Results } from './results.js'
import { limitedIndex } from './searchParameters.js'
import type { EncryptedStatement, Statement } from './statement.js'
import { isSecret, isUse, type Piece, paramsOfUse, type StatementPlan } from './statementPlan.js'
import { type TextPart, textOfParts } from './textParts.js'

export interface PreparationOptions {
  readonly binding: BindingSource
  readonly tenancy: OperationTenancy
  readonly plan: StatementPlan
  readonly shape: InsertShape | undefined
  readonly statement: Statement
}

/** What PostgreSQL's protocol can count. */
const MOST_PARAMETERS = 65_535
const ROWS_AT_ONCE = 64

export function isSensitive({ pieces, outputs }: StatementPlan): boolean {
  return outputs.length > 0 || pieces.some(isSecret)
}

/** One statement on its way to the database. */
export class Preparation {
  readonly #context: ClientContext
  readonly #options: PreparationOptions
  readonly #given: GivenValues
  readonly #parameters: Parameters
  readonly #results: Results
  readonly #audited: Audited
  readonly #tally: AuditTally | undefined
  /** For keys, with what is encrypted. */
  #isWaiting = false

  constructor({ context, open, isSealed }: Seals & { readonly context: ClientContext }, options: PreparationOptions) {
    const { binding, tenancy, plan, statement } = options
    const plans = context.limited.of(binding.access().allow)
    this.#context = context
    this.#options = options
    this.#audited = { auditTrail: context.auditTrail, clientBinding: binding }
    this.#tally = tallyOf(this.#audited)
    this.#given = new GivenValues({ tenancy, given: statement.values ?? [], open, isSealed })
    this.#parameters = new Parameters({ context, plans, plan, given: this.#given })
    for (const { model, index } of plan.indexesRead) checkSearchable(limitedIndex(plans, model, index))
    const audited = this.#audited
    this.#results = new Results({ context, audited, tenancy, plans, plan, parameters: this.#parameters })
  }

  /** @returns at once where nothing has to be waited for */
  run(): EncryptedStatement | Promise<EncryptedStatement> {
    const { shape } = this.#options
    if (shape) return this.#rowsText(shape).then((parts) => this.#ready(parts))
    return this.#ready(this.#wholeText())
  }

  #ready(parts: readonly TextPart[]): EncryptedStatement | Promise<EncryptedStatement> {
    const encrypted = this.#encrypt()
    const opened = encrypted ? encrypted.then(() => this.#openKey()) : this.#openKey()
    return opened ? opened.then(() => this.#finish(parts)) : this.#finish(parts)
  }

  /** Texts of searches are written once the keys are known. */
  #finish(parts: readonly TextPart[]): EncryptedStatement {
    const { plan } = this.#options
    const { keepsOwners } = plan
    const text = textOfParts(parts)
    this.#checkCount()
    return {
      text,
      values: this.#parameters.finish(),
      isSensitive: isSensitive(plan),
      read: (rows) => this.#results.read(rows),
      meaningOf:
        keepsOwners === undefined
          ? undefined
          : (code) => (code === DIVISION_BY_ZERO ? anotherOwner(keepsOwners) : undefined),
    }
  }

  #wholeText(): readonly TextPart[] {
    const { plan } = this.#options
    const parameters = this.#parameters
    this.#given.claim(plan.rows)
    this.#given.checkUnchanged(plan.unchanged)
    const parts = parameters.addParts([], plan.pieces)
    this.#given.checkAllUsed(paramsOf(plan))
    this.#checkCount()
    return parts
  }

  /** Row by row, each by the plan of its pattern. */
  async #rowsText({ patterns, rows }: InsertShape): Promise<readonly TextPart[]> {
    const { plan } = this.#options
    const parameters = this.#parameters
    const { before, parts, after } = splitRows(plan.pieces)
    const bases = patterns.map((_, at) => patterns.slice(0, at).reduce((sum, count) => sum + count, 0))
    const texts: string[] = []
    await inTurns(rows.length, ROWS_AT_ONCE, (from, to) => {
      const part: TextPart[] = []
      for (let at = from; at < to; at += 1) {
        const { pattern, params } = rows[at]!
        const base = bases[pattern]!
        this.#given.beginRow(plan.rows[pattern]!, (param) => params[param - base - 1]!)
        if (at > from) part.push(', ')
        parameters.addParts(part, parts[pattern]!)
      }
      // One text each: of ten thousand rows, what they are put together from would be waiting for the garbage collector.
      texts.push(part.join(''))
      this.#encryptPart()
      return true
    })
    this.#checkCount()
    return [...parameters.addParts([], before), texts.join(', '), ...parameters.addParts([], after)]
  }

  #checkCount(): void {
    const { count: length } = this.#parameters
    if (length > MOST_PARAMETERS)
      throw unsupported(
        `with its indexes the statement has ${length} parameters, and PostgreSQL takes ${MOST_PARAMETERS}: write fewer rows at once, or search for fewer values, or for a list by = ANY($1); while keys for indexes are rotated, each value counts twice`,
      )
  }

  /** Encrypts rows at once as far as keys are in memory: what is kept of all until the last keeps the garbage collector busy. */
  #encryptPart(): void {
    if (this.#isWaiting || isDebugging) return
    this.#settleOwners()
    const { slots } = this.#parameters
    this.#isWaiting = !transformNow(slots, this.#context.ring)
    if (this.#isWaiting) return
    this.#tally?.addSlots(slots)
    this.#parameters.takeMade()
  }

  #settleOwners(): void {
    const { tenancy } = this.#options
    for (const slot of this.#parameters.slots) if (!isOfAll(slot)) tenancy.settle(slot.owner, slot.field.name)
  }

  #encrypt(): Promise<void> | undefined {
    const { tenancy, plan, statement } = this.#options
    const { slots } = this.#parameters
    this.#settleOwners()
    const { reads } = this.#results
    if (reads) tenancy.settle(tenancy.owner, reads.name)
    const waitFor = <T>(keys: Promise<T>) => limitKeyWait(this.#context, statement.inTransaction, plan.kind, keys)
    const done = slots.length > 0 ? transform(slots, this.#context.ring, waitFor) : undefined
    return auditSlots(this.#audited, plan.kind, { slots, done, tally: this.#tally })
  }

  /** Sees before a statement that writes that its results can be decrypted after it: a failure would look like none was. */
  #openKey(): Promise<unknown> | undefined {
    const { tenancy, plan, statement } = this.#options
    const { ring } = this.#context
    const { tenant } = tenancy.owner
    const { reads } = this.#results
    if (plan.kind === 'SELECT' || !reads || typeof tenant !== 'string' || ring.active.cached(tenant, 'encrypt')) return
    const opened = prefixErrors(reads.name, ring.active.open(tenant))
    return limitKeyWait(this.#context, statement.inTransaction, plan.kind, opened)
  }
}

const DIVISION_BY_ZERO = '22012'

function anotherOwner(table: string): FieldsealError {
  const message = `a row of "${table}" that the statement would have given to this tenant is another one's, or it divides by zero itself: nothing was written`
  return new FieldsealError('TENANT_MISMATCH', message)
}

/** A global index has its key for all tenants. */
function isOfAll(slot: Slot): boolean {
  return (slot.mode === 'index' || slot.mode === 'tokens') && slot.index.scope === 'global'
}

/** Found once for each plan. */
const paramsBefore = new WeakMap<StatementPlan, ReadonlySet<number>>()

function paramsOf(plan: StatementPlan): ReadonlySet<number> {
  const known = paramsBefore.get(plan)
  if (known) return known
  const found = paramsIn(plan.pieces)
  paramsBefore.set(plan, found)
  return found
}

function paramsIn(pieces: readonly Piece[]): ReadonlySet<number> {
  return new Set(pieces.flatMap((piece) => (isUse(piece) ? paramsOfUse(piece) : [])))
}

interface SplitRows {
  readonly before: readonly Piece[]
  /** Each row of VALUES, in parentheses. */
  readonly parts: readonly Piece[][]
  readonly after: readonly Piece[]
}

function splitRows(pieces: readonly Piece[]): SplitRows {
  const parts: Piece[][] = [[]]
  for (const piece of pieces) {
    if (typeof piece === 'object' && (piece.kind === 'row begins' || piece.kind === 'rows end')) parts.push([])
    else parts.at(-1)!.push(piece)
  }
  const before = parts[0]!
  const after = parts.at(-1)!
  return { before, parts: parts.slice(1, -1).map(withoutComma), after }
}

function withoutComma(row: Piece[]): Piece[] {
  const last = row.at(-1)
  return typeof last === 'string' ? [...row.slice(0, -1), last.replace(/, $/, '')] : row
}
