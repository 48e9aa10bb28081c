import { plaintextCopies } from '../doctor/copies.js'
import { addonLoads } from '../doctor/engine.js'
import type { Check, Finding } from '../doctor/finding.js'
import { missingGuards } from '../doctor/guards.js'
import { keyAges } from '../doctor/keys.js'
import { keysExport } from '../doctor/keysExport.js'
import { kmsAnswers } from '../doctor/kms.js'
import { suspiciousNames } from '../doctor/names.js'
import { undeclaredRelatives } from '../doctor/relatives.js'
import { slowSearches } from '../doctor/searches.js'
import { indexEntries, storedValues } from '../doctor/stored.js'
import { slowTokenSearches } from '../doctor/tokenSearches.js'
import { EXIT, type ExitCode } from '../exitCode.js'
import type { CommandContext } from '../loadConfig.js'
import { counted, type Terminal } from '../terminal.js'

export interface DoctorArguments {
  /** Risks count as problems. */
  readonly strict?: boolean
}

const CHECKS: readonly Check[] = [
  kmsAnswers,
  storedValues,
  indexEntries,
  slowSearches,
  slowTokenSearches,
  keyAges,
  keysExport,
  plaintextCopies,
  undeclaredRelatives,
  missingGuards,
  suspiciousNames,
  addonLoads,
]

/** Looks for what is wrong or risky. */
export async function runDoctor(
  { client, database, tenants }: CommandContext,
  terminal: Terminal,
  args: DoctorArguments,
): Promise<ExitCode> {
  const survey = await client.$encryption.survey({ database, tenants })
  const context = { client, database, schema: client.$encryption.schema, survey }
  const findings: Finding[] = []
  for (const check of CHECKS) findings.push(...(await check(context)))
  for (const severity of ['problem', 'risk', 'hint'] as const) {
    const found = findings.filter((one) => one.severity === severity)
    for (const finding of found) terminal.event({ event: 'finding', ...finding })
    for (const [next, those] of groupedByNext(found)) {
      for (const { what } of those) terminal.say(`${severity.padEnd(8)} ${what}`)
      terminal.say(`         → ${next}`)
    }
  }
  const number = (severity: Finding['severity']) => findings.filter((one) => one.severity === severity).length
  terminal.say(
    `${counted(number('problem'), 'problem')}, ${counted(number('risk'), 'risk')}, ${counted(number('hint'), 'hint')}`,
  )
  const bad = number('problem') + (args.strict ? number('risk') : 0)
  return bad > 0 ? EXIT.problems : EXIT.done
}

/** One advice serves many findings: a schema may have dozens of suspicious names. */
function groupedByNext(findings: readonly Finding[]): Map<string, Finding[]> {
  const groups = new Map<string, Finding[]>()
  for (const finding of findings) groups.set(finding.next, [...(groups.get(finding.next) ?? []), finding])
  return groups
}
