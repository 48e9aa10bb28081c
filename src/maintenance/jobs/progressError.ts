import { FieldsealError } from '../../errors.js'

/** Somebody else has written to the tables in which runs are kept. */
export function progressError(what: string, cause?: unknown): FieldsealError {
  const message =
    `${what}: somebody else has written to fieldseal.progress or fieldseal.ranges, so nothing more is done by it. See who ` +
    'can write to these tables, then run the command with --restart ("restart"), which begins anew and trusts nothing of it'
  return new FieldsealError('PROGRESS_INVALID', message, cause === undefined ? undefined : { cause })
}
