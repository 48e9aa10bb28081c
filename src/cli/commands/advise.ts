import { writeFile } from 'node:fs/promises'
import { checkTenant } from '../../tenancy/tenant.js'
import type { Advice } from '../advise/advice.js'
import { adviceOn } from '../advise/adviceOn.js'
import { advisedField } from '../advise/advisedField.js'
import { percent } from '../advise/recommendations.js'
import { drawSample } from '../advise/sample.js'
import { attackWords, caveats, INDEX_NAMES, indexWords, nearWords, VERDICTS, valueWords } from '../advise/wording.js'
import { isPrisma } from '../doctor/finding.js'
import { EXIT, type ExitCode } from '../exitCode.js'
import type { CommandContext } from '../loadConfig.js'
import { advicePage } from '../report/advicePage.js'
import { count, type Terminal } from '../terminal.js'

export interface AdviseArguments {
  readonly tenant?: string
  readonly sample?: number
  readonly html?: string
}

/** Enough to see a distribution, and read in seconds. */
const SAMPLE = 20_000
/** Where each value is a call of the KMS. */
const SAMPLE_OF_KMS = 400

/** Says what each index over a field would give away, and which to have. */
export async function runAdvise(
  name: string,
  context: CommandContext,
  terminal: Terminal,
  args: AdviseArguments,
): Promise<ExitCode> {
  const { client } = context
  if (args.tenant !== undefined) checkTenant(args.tenant)
  const field = advisedField(client.$encryption.schema, name)
  const size = args.sample ?? (field.spec.mode === 'kms' ? SAMPLE_OF_KMS : SAMPLE)
  terminal.say(`Reading up to ${count(size)} values of ${name}. They stay in this process; no value is printed.`)
  const step = (done: number, total: number) => terminal.progress({ name, done, total, unit: 'value' })
  try {
    const sample = await drawSample(context, field, { tenant: args.tenant, size, onProgress: step })
    terminal.settle()
    const advice = adviceOn(field, sample, isPrisma(client) ? 'schema' : 'decorator', (figures) => {
      // Of few values it takes no time.
      if (size > SAMPLE) terminal.say(`Attacked: ${indexWords(figures)}`)
    })
    terminal.event({ event: 'advice', ...advice })
    show(terminal, advice)
    if (args.html === undefined) return EXIT.done
    await writeFile(args.html, advicePage(advice, new Date()))
    terminal.say(`Wrote ${args.html}`)
    return EXIT.done
  } finally {
    terminal.settle()
  }
}

function show(terminal: Terminal, advice: Advice): void {
  const { indexes, near, recommendations } = advice
  terminal.say(valueWords(advice))
  terminal.say(attackWords(advice))
  const hasNear = indexes.some(({ nearly }) => nearly !== null)
  terminal.table(
    ['index', 'tokens a row', 'largest group', 'guessed', ...(hasNear ? [nearWords(near)] : [])],
    indexes.map((one) => [
      indexWords(one),
      ...[one.tokens, one.largest].map((number) => (number === null ? '' : count(number))),
      percent(one.exactly),
      ...(hasNear ? [one.nearly === null ? '' : percent(one.nearly)] : []),
    ]),
  )
  for (const caveat of caveats(advice)) terminal.say(caveat)
  for (const { index, verdict, annotation, why } of recommendations) {
    terminal.say(`${INDEX_NAMES[index as keyof typeof INDEX_NAMES]}: ${VERDICTS[verdict]}; ${why}.`)
    if (annotation !== null) terminal.say(`  ${verdict === 'use' ? '→' : 'if you want it:'} ${annotation}`)
  }
}
