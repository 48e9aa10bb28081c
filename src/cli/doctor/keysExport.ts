import { docsAt } from '../../docs.js'
import { lastExport } from '../../maintenance/postgres/exportRecord.js'
import { counted } from '../terminal.js'
import type { Check } from './finding.js'

const DAY = 86_400_000
const OLD = 7
const NEXT = `fieldseal keys export <file>, on a schedule: ${docsAt('operations.md#backups-of-the-keys-table')}`

/** Whether the keys table is exported, without which lost rows of it are lost data. */
export const keysExport: Check = async ({ database, survey: { keys, at } }) => {
  if (keys.length === 0) return []
  const last = await lastExport(database)
  if (last === null) {
    const what = 'no export of the keys table is known; a backup of the whole database may have it'
    return [{ severity: 'hint', check: 'exports', what, next: NEXT }]
  }
  const days = Math.floor((Date.parse(at) - last.at.getTime()) / DAY)
  const since = keys.filter(({ createdAt }) => Date.parse(createdAt) > last.at.getTime()).length
  const what = `the last export of the keys table was ${counted(days, 'day')} ago (${last.at.toISOString()}); ${counted(since, 'key')} made since`
  return [{ severity: days > OLD ? 'risk' : 'hint', check: 'exports', what, next: NEXT }]
}
