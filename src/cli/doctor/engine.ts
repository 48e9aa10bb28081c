import { docsAt } from '../../docs.js'
import { printable } from '../../printable.js'
import type { Check } from './finding.js'

/** The addon loads: without it all is right, and slower. It tells of this process, which may be another machine's. */
export const addonLoads: Check = async ({ client }) => {
  const reason = client.$encryption.stats().engineFallback
  if (reason === undefined) return []
  const what = `the addon does not load here, so that values are encrypted by node:crypto, which takes longer: ${printable(reason)}`
  const next = `see ${docsAt('performance.md#engines')}, or do without: FIELDSEAL_ENGINE=node`
  return [{ severity: 'hint', check: 'engine', what, next }]
}
