import type { invalidOptionOf } from '../../invalidOptions.js'
import { notDevelopment } from '../../kms/developmentOnly.js'

export interface GuardedOptions {
  /** The option that holds credentials, and whether one of them is the built-in one. */
  readonly credentials: { readonly option: string; readonly builtIn: boolean }
  readonly admin: boolean | undefined
  readonly allowInProduction: boolean | undefined
}

const OR_ACCEPT = 'or accept that with allowInProduction: true (--allow-in-production)'

/**
 * Keeps an emulator that lets everybody in out of production. The credential that is the same everywhere keeps nobody
 * out, whether it was left out or spelt out.
 *
 * @throws FieldsealError `OPTIONS_INVALID`
 */
export function guardProduction(invalid: ReturnType<typeof invalidOptionOf>, options: GuardedOptions): void {
  const { credentials, admin, allowInProduction } = options
  const why = allowInProduction ? undefined : notDevelopment()
  if (why === undefined) return
  if (credentials.builtIn) {
    throw invalid(
      credentials.option,
      `is the built-in one, which everybody knows, and ${why}: give ${credentials.option} of your own, ${OR_ACCEPT}`,
    )
  }
  if (admin) throw invalid('admin', `lets everybody in without a signature, and ${why}: leave it out, ${OR_ACCEPT}`)
}
