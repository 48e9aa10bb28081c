import { invalidOptions } from '../invalidOptions.js'
import type { PgConnection } from '../maintenance/postgres/sql.js'
import { BEGINNING, type ChainLink, messageOf, type StoredEntry } from './auditLogEntry.js'
import type { MacKey } from './auditLogKey.js'
import { readEntries } from './auditLogTable.js'

export interface CheckOptions {
  /**
   * The end that an earlier check gave, `sequence:mac`: the entry must still be there, as it was.
   */
  readonly end?: string
  /** Entries up to `end` were deleted on purpose: the log may begin right after it. */
  readonly pruned?: boolean
}

/** What is wrong at one place of the log. */
export interface AuditLogFinding {
  /**
   * `changed`: not what was written, or not written by a holder of the key. `missing`: entries are not there. `replaced`:
   * the entry is genuine, but what stands before it is not what stood there. `unknown-key`: under a key that is not given.
   */
  readonly kind: 'changed' | 'missing' | 'replaced' | 'unknown-key'
  /** The first and the last of the entries. */
  readonly from: string
  readonly to: string
}

export interface AuditLogCheck {
  readonly entries: number
  /** The last entry, `sequence:mac`, for the next check; `undefined` of an empty log. Nothing about it is secret. */
  readonly end: string | undefined
  readonly findings: readonly AuditLogFinding[]
}

const invalid = invalidOptions('auditLog.verify')
const PAGE = 5000
/** What nobody but an intruder puts before the first entry is found too. */
const LEAST = -(2n ** 63n)
const END = /^([1-9]\d{0,18}):([0-9a-f]{64})$/i

/**
 * Reads the log from its first entry to its last.
 *
 * @param keys under which entries may be
 * @throws FieldsealError `OPTIONS_INVALID` for an end that no check gave, `DATABASE_UNAVAILABLE`
 */
export async function checkAuditLog(
  database: PgConnection,
  keys: readonly MacKey[],
  { end, pruned = false }: CheckOptions,
): Promise<AuditLogCheck> {
  if (pruned && end === undefined) throw invalid('"pruned" needs "end", after which the log begins')
  const chain = new ChainCheck(keys, end === undefined ? undefined : linkOf(end), pruned)
  let last = LEAST
  for (;;) {
    const page = await readEntries(database, last, PAGE)
    for (const stored of page) chain.add(stored)
    if (page.length < PAGE) return chain.outcome()
    last = page.at(-1)!.sequence
  }
}

function linkOf(end: unknown): ChainLink {
  const [, sequence, mac] = (typeof end === 'string' && END.exec(end.trim())) || []
  if (sequence === undefined || mac === undefined)
    throw invalid('"end" must be the end that an earlier check gave: sequence:mac')
  return { sequence: BigInt(sequence), mac: Buffer.from(mac, 'hex') }
}

class ChainCheck {
  readonly #keys: ReadonlyMap<string, MacKey>
  /** An entry that was there once. */
  readonly #known: ChainLink | undefined
  readonly #isPruned: boolean
  readonly #findings: AuditLogFinding[] = []
  #entries = 0
  #last: ChainLink | undefined

  constructor(keys: readonly MacKey[], known: ChainLink | undefined, pruned: boolean) {
    this.#keys = new Map(keys.map((key) => [key.id, key]))
    this.#known = known
    this.#isPruned = pruned
  }

  add(stored: StoredEntry): void {
    this.#entries += 1
    if (stored.sequence < 1n) {
      this.#find('changed', stored.sequence)
      return
    }
    const before = this.#before(stored)
    if (stored.sequence > before.sequence + 1n) this.#find('missing', before.sequence + 1n, stored.sequence - 1n)
    const kind = this.#kindOf(stored, before)
    if (kind) this.#find(kind, stored.sequence)
    this.#last = stored
  }

  outcome(): AuditLogCheck {
    const end = this.#last ?? BEGINNING
    if (this.#known && end.sequence < this.#known.sequence)
      this.#find('missing', end.sequence + 1n, this.#known.sequence)
    return {
      entries: this.#entries,
      end: this.#last && `${this.#last.sequence}:${this.#last.mac.toString('hex')}`,
      findings: this.#findings,
    }
  }

  /** What an entry comes after: of the first in the log the end that is known, if entries up to it may be deleted. */
  #before({ sequence }: StoredEntry): ChainLink {
    if (this.#last) return this.#last
    return this.#isPruned && sequence === this.#known!.sequence + 1n ? this.#known! : BEGINNING
  }

  #kindOf(stored: StoredEntry, before: ChainLink): AuditLogFinding['kind'] | undefined {
    const key = this.#keys.get(stored.keyId)
    if (key === undefined) return 'unknown-key'
    if (!key.verifies(messageOf(stored.entry, stored), stored.mac)) return 'changed'
    const known = this.#known?.sequence === stored.sequence ? this.#known : undefined
    if (known && !known.mac.equals(stored.mac)) return 'replaced'
    const follows = stored.sequence === before.sequence + 1n
    return follows && !stored.previous.equals(before.mac) ? 'replaced' : undefined
  }

  #find(kind: AuditLogFinding['kind'], from: bigint, to = from): void {
    const last = this.#findings.at(-1)
    if (last?.kind === kind && BigInt(last.to) + 1n === from)
      this.#findings[this.#findings.length - 1] = { ...last, to: String(to) }
    else this.#findings.push({ kind, from: String(from), to: String(to) })
  }
}
