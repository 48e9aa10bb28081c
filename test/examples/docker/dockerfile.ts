/** A line of a Dockerfile: its name, and the rest of it. */
export interface Instruction {
  readonly name: string
  readonly rest: string
}

/** One `FROM`, with what follows it. */
export interface Stage {
  readonly name: string
  /** The image, or the stage, that it begins with. */
  readonly from: string
  readonly instructions: readonly Instruction[]
}

/** The stages of a Dockerfile, in their order; the last is `app`, unless it has a name. */
export function stagesOf(text: string): Stage[] {
  const lines = text.split('\n').filter((line) => line.trim() && !line.startsWith('#'))
  const instructions = lines.map((line): Instruction => {
    const [, name, rest] = /^([A-Z]+) (.+)$/.exec(line) ?? []
    if (!name || !rest) throw new Error(`a line of the Dockerfile is no instruction: ${line}`)
    return { name, rest }
  })
  const starts = instructions.flatMap(({ name }, at) => (name === 'FROM' ? [at] : []))
  return starts.map((start, nth) => {
    const [from = '', , name = 'app'] = instructions[start]!.rest.split(' ')
    return { name, from, instructions: instructions.slice(start + 1, starts[nth + 1]) }
  })
}

/** What a stage says last, its own or that of the stage that it begins with. */
export function lastOf(stages: readonly Stage[], stage: Stage, name: string): string | undefined {
  const own = stage.instructions.findLast((instruction) => instruction.name === name)
  const base = stages.find((other) => other.name === stage.from)
  return own?.rest ?? (base && lastOf(stages, base, name))
}
