import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { copyFile, cp, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { cleanUpLater } from '../../../scripts/lib/janitor.js'
import type { Deployment, Environment } from './deployment.js'
import { stagesOf } from './dockerfile.js'

const run = promisify(execFile)
const LABEL = 'fieldseal.test'

async function docker(...args: string[]): Promise<string> {
  // The older builder, which every engine has: the folder is its whole world.
  return (
    await run('docker', args, { env: { ...process.env, DOCKER_BUILDKIT: '0' }, maxBuffer: 2 ** 26 })
  ).stdout.trim()
}

/**
 * An image with a Node.js for a Dockerfile's NODE_IMAGE: FIELDSEAL_TEST_NODE_IMAGE, or that of POSTGRES_IMAGE with this
 * machine's Node.js in it, as nothing is pulled for a test. `undefined` where there is no Docker, or no such image.
 */
async function nodeImage(tag: string): Promise<string | undefined> {
  const { FIELDSEAL_TEST_NODE_IMAGE: given, POSTGRES_IMAGE: base, FIELDSEAL_TEST_DATABASE: forced } = process.env
  if (given) return given
  if (!base || forced === 'embedded') return undefined
  const folder = await mkdtemp(join(tmpdir(), 'fieldseal-node-image-'))
  try {
    await docker('image', 'inspect', base)
    await machineImage(folder, base, tag)
    await docker('run', '--rm', tag, 'npm', '--version')
    return tag
  } catch {
    await docker('rmi', '--force', tag).catch(() => undefined)
    return undefined
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function machineImage(folder: string, base: string, tag: string): Promise<void> {
  const npm = await realpath((await run('sh', ['-c', 'command -v npm'])).stdout.trim())
  await copyFile(process.execPath, join(folder, 'node'))
  await cp(dirname(dirname(npm)), join(folder, 'npm'), { recursive: true })
  const certificates = process.env.NODE_EXTRA_CA_CERTS
  await (certificates ? copyFile(certificates, join(folder, 'ca.pem')) : writeFile(join(folder, 'ca.pem'), ''))
  const bin = 'ln -s ../lib/node_modules/npm/bin'
  const lines = [
    `FROM ${base}`,
    'COPY node /usr/local/bin/',
    'COPY npm /usr/local/lib/node_modules/npm/',
    'COPY ca.pem /etc/ca.pem',
    `RUN cd /usr/local/bin && ${bin}/npm-cli.js npm && ${bin}/npx-cli.js npx && useradd --create-home node`,
    // Prisma's own engine is not downloaded; `generate` asks nothing of it.
    'ENV NODE_EXTRA_CA_CERTS=/etc/ca.pem PRISMA_SCHEMA_ENGINE_BINARY=/bin/true CHECKPOINT_DISABLE=1',
    'ENTRYPOINT []',
  ]
  await writeFile(join(folder, 'Dockerfile'), lines.join('\n'))
  await docker('build', '--tag', tag, folder)
}

/** Builds the images of a Dockerfile; `undefined` where there is no Docker for it. */
export async function buildInDocker(folder: string): Promise<Deployment | undefined> {
  const label = `${LABEL}=${randomUUID()}`
  const repository = `fieldseal-test-${randomUUID()}`
  const image = (stage: string) => `${repository}:${stage}`
  const base = await nodeImage(image('node'))
  if (!base) return undefined
  const stages = stagesOf(await readFile(join(folder, 'Dockerfile'), 'utf8')).map(({ name }) => name)
  const last = stages.at(-1)!
  const containers = cleanUpLater({ kind: 'containers', label })
  // Each stage by its name: an image without one would stay behind.
  for (const stage of stages) {
    const target = stage === last ? [] : ['--target', stage]
    await docker('build', '--build-arg', `NODE_IMAGE=${base}`, ...target, '--tag', image(stage), folder)
  }

  const runImage = (
    stage: string,
    environment: Environment,
    options: readonly string[],
    command: readonly string[] = [],
  ) => {
    const variables = Object.entries(environment).flatMap(([name, value]) => ['--env', `${name}=${value}`])
    const common = ['run', '--network', 'host', '--label', label]
    return docker(...common, ...variables, ...options, image(stage), ...command)
  }
  return {
    async run(stage, environment) {
      const engine = resolve('scripts/schema-engine.mjs')
      const mounted = [
        '--volume',
        `${resolve('.')}:${resolve('.')}:ro`,
        '--env',
        `PRISMA_SCHEMA_ENGINE_BINARY=${engine}`,
      ]
      await runImage(stage, environment, ['--rm', ...(base === image('node') ? mounted : [])])
    },
    async start(environment) {
      const container = await runImage(last, environment, ['--detach'])
      return {
        health: () => docker('inspect', '--format', '{{.State.Health.Status}}', container),
        user: () => docker('exec', container, 'id', '-un'),
        async stop() {
          await docker('stop', '--time', '60', container)
          return Number(await docker('inspect', '--format', '{{.State.ExitCode}}', container))
        },
      }
    },
    async filesWith(text) {
      const search = ['sh', '-c', 'grep -rlF -- "$1" /app || test $? = 1', 'sh', text]
      const found = await runImage(last, {}, ['--rm'], search)
      return found === '' ? [] : found.split('\n')
    },
    async remove() {
      await containers.stop()
      for (const stage of [...stages.toReversed(), 'node']) await docker('rmi', '--force', image(stage))
    },
  }
}
