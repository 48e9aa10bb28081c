import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import type { Deployment, Environment } from './deployment.js'
import { lastOf, type Stage, stagesOf } from './dockerfile.js'

const run = promisify(execFile)

/** Neither the image nor the user is another; and what is in force when an app runs changes nothing of how it is built. */
const WITHOUT_EFFECT = new Set(['USER', 'EXPOSE', 'CMD', 'HEALTHCHECK', 'WORKDIR', 'ENV'])

/** The program and arguments of `CMD ["node", "main.js"]`, or of the one in a HEALTHCHECK. */
function commandOf(rest: string | undefined): [string, string[]] {
  const [program, ...args] = JSON.parse(/\[.*\]$/.exec(rest ?? '')?.[0] ?? '[]')
  if (!program) throw new Error('the stage has no command in the form of a list')
  return [program, args]
}

/** Does what a Dockerfile's lines say, each stage in a folder of its own, with this machine's Node.js. */
export async function buildInFolder(context: string): Promise<Deployment> {
  const root = await mkdtemp(join(tmpdir(), 'fieldseal-stages-'))
  const folderOf = (stage: string) => join(root, stage)
  const building = {
    ...process.env,
    NODE_ENV: 'development',
    FIELDSEAL_ENGINE: undefined,
    PRISMA_SCHEMA_ENGINE_BINARY: resolve('scripts/schema-engine.mjs'),
    CHECKPOINT_DISABLE: '1',
  }
  const shell = (cwd: string, command: string) => run('sh', ['-c', command], { cwd, env: building })
  const ignored = (await readFile(join(context, '.dockerignore'), 'utf8')).split('\n').filter(Boolean)
  const patterns = ignored.map((line) => new RegExp(`^${line.replaceAll('.', '\\.').replaceAll('*', '.*')}$`))

  async function copy(stage: string, rest: string): Promise<void> {
    const [, from, source = '', target = ''] = /^(?:--from=(\w+) )?(\S+) (\S+)$/.exec(rest) ?? []
    const to = join(folderOf(stage), target)
    if (from)
      await cp(join(folderOf(from), source.replace('/app/', '')), to, { recursive: true, verbatimSymlinks: true })
    else if (source === '.') {
      const filter = (path: string) => !patterns.some((pattern) => pattern.test(basename(path)))
      await cp(context, to, { recursive: true, filter })
    } else await shell(context, `cp -r ${source} '${to}'`)
  }

  async function build({ name, from, instructions }: Stage): Promise<void> {
    const base = stages.some((stage) => stage.name === from)
    if (base) await shell(root, `cp -a '${folderOf(from)}' '${folderOf(name)}'`)
    else await mkdir(folderOf(name))
    for (const { name: instruction, rest } of instructions) {
      if (instruction === 'RUN') await shell(folderOf(name), rest)
      else if (instruction === 'COPY') await copy(name, rest)
      else if (!WITHOUT_EFFECT.has(instruction)) throw new Error(`no folder can do what ${instruction} says`)
    }
  }

  const stages = stagesOf(await readFile(join(context, 'Dockerfile'), 'utf8'))
  const last = stages.at(-1)!
  for (const stage of stages) await build(stage)

  const variablesOf = (stage: Stage, environment: Environment) => {
    const own = stage.instructions.filter(({ name }) => name === 'ENV').map(({ rest }) => rest.split('=', 2))
    return { ...building, ...Object.fromEntries(own), ...environment }
  }
  return {
    async run(name, environment) {
      const stage = stages.find((other) => other.name === name)!
      const [program, args] = commandOf(lastOf(stages, stage, 'CMD'))
      await run(program, args, { cwd: folderOf(name), env: variablesOf(stage, environment) })
    },
    async start(environment) {
      const options = { cwd: folderOf(last.name), env: variablesOf(last, environment) }
      const [program, args] = commandOf(lastOf(stages, last, 'CMD'))
      const app = spawn(program, args, { ...options, stdio: 'ignore' })
      const ended = once(app, 'exit')
      const check = commandOf(lastOf(stages, last, 'HEALTHCHECK'))
      return {
        health: () => run(...check, options).then(() => 'healthy', String),
        user: async () => lastOf(stages, last, 'USER') ?? 'root',
        async stop() {
          app.kill('SIGTERM')
          const [code] = await ended
          return code
        },
      }
    },
    async filesWith(text) {
      const { stdout } = await run('sh', ['-c', 'grep -rlF -- "$1" . || test $? = 1', 'sh', text], {
        cwd: folderOf(last.name),
      })
      return stdout.split('\n').filter(Boolean)
    },
    remove: () => rm(root, { recursive: true }),
  }
}
