import { FieldsealError } from '../errors.js'
import type { Terminal } from './terminal.js'

export interface Confirmation {
  /** Says what it needs `--yes` for, where nobody can be asked. */
  readonly unasked: string
  /** Asks; only `true` is a yes. */
  readonly ask: () => Promise<unknown>
  /** What a no comes to. */
  readonly declined: string
}

/** @throws FieldsealError `OPTIONS_INVALID` unless somebody is there who says yes */
export async function requireConfirmation(terminal: Terminal, { unasked, ask, declined }: Confirmation): Promise<void> {
  if (!terminal.asks) throw new FieldsealError('OPTIONS_INVALID', unasked)
  if ((await ask()) !== true) throw new FieldsealError('OPTIONS_INVALID', declined)
}
