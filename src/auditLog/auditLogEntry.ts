import type { AuditEntry } from '../client/audit.js'
import { lengthPrefixed } from '../crypto/bytes.js'

/** The place of an entry in the log, and the MAC by which the next one names it. */
export interface ChainLink {
  /** From 1 on, without gaps. */
  readonly sequence: bigint
  /** 32 bytes. */
  readonly mac: Buffer
}

/** An entry as it is stored. */
export interface StoredEntry extends ChainLink {
  readonly entry: AuditEntry
  /** The MAC of the entry before. */
  readonly previous: Buffer
  readonly keyId: string
}

/** Before the first entry. */
export const BEGINNING: ChainLink = { sequence: 0n, mac: Buffer.alloc(32) }

const LABEL = lengthPrefixed('fieldseal/1 audit')
const ABSENT = Buffer.of(0)
const PRESENT = Buffer.of(1)

/**
 * What the MAC of an entry is over:
 * LP("fieldseal/1 audit") ‖ previous MAC (32) ‖ sequence (8) ‖ milliseconds since 1970 (8) ‖ rows (8) ‖
 * tenant ‖ actor ‖ purpose ‖ LP(operation) ‖ LP(field) ‖ LP(mode), numbers big-endian; of the three that may be absent,
 * 0x00, or 0x01 ‖ LP(text).
 */
export function messageOf(
  entry: AuditEntry,
  { previous, sequence }: Pick<StoredEntry, 'previous' | 'sequence'>,
): Buffer {
  const numbers = Buffer.alloc(24)
  numbers.writeBigInt64BE(sequence, 0)
  numbers.writeBigInt64BE(BigInt(entry.at.getTime()), 8)
  numbers.writeBigInt64BE(BigInt(entry.rows), 16)
  const optional = [entry.tenant, entry.actor, entry.purpose].flatMap((text) =>
    text == null ? [ABSENT] : [PRESENT, lengthPrefixed(text)],
  )
  const required = [entry.operation, entry.field, entry.mode].map((text) => lengthPrefixed(text))
  return Buffer.concat([LABEL, previous, numbers, ...optional, ...required])
}

/** The entry as the database can hold it: PostgreSQL's texts have no NUL, and no half of a surrogate pair. */
export function storable(entry: AuditEntry): AuditEntry {
  const text = (one: string) => one.toWellFormed().replaceAll('\0', '\uFFFD')
  const { tenant, actor, purpose, operation, field } = entry
  return {
    ...entry,
    tenant: tenant === null ? null : text(tenant),
    actor: actor === undefined ? undefined : text(actor),
    purpose: purpose === undefined ? undefined : text(purpose),
    operation: text(operation),
    field: text(field),
  }
}
