import { execFile } from 'node:child_process'
import { cp, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
/** What of a project its own work leaves in it. */
const MADE = /[\\/](node_modules|dist|built|generated|\.next)$/

/** The package as npm would publish it. */
export interface Packed {
  readonly filename: string
  readonly files: readonly { readonly path: string }[]
}

/** A copy of a folder, outside of the repository, in which the packed package is installed. */
export interface Workspace {
  readonly folder: string
  readonly packed: Packed
  /** Runs a command in a project of it as npm would; its standard output. */
  command(project: string, env: NodeJS.ProcessEnv, program: string, ...args: string[]): Promise<string>
}

/** Builds and packs the package into a folder. */
export async function packPackage(folder: string): Promise<Packed> {
  await run(process.execPath, ['scripts/setup.mjs'])
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder])
  return JSON.parse(stdout)[0]
}

/** @param packages to install beside those that the folder's package.json names */
export async function installPacked(source: string, packages: readonly string[] = []): Promise<Workspace> {
  const folder = await mkdtemp(join(tmpdir(), 'fieldseal-package-'))
  const packed = await packPackage(folder)
  await cp(source, folder, { recursive: true, filter: (path) => !MADE.test(path) })
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline']
  await run('npm', ['install', ...quiet, `./${packed.filename}`, ...packages], { cwd: folder })
  const path = [join(folder, 'node_modules/.bin'), process.env.PATH].join(delimiter)
  const command: Workspace['command'] = async (project, env, program, ...args) => {
    const cwd = join(folder, project)
    return (await run(program, args, { cwd, env: { ...process.env, PATH: path, ...env } })).stdout
  }
  return { folder, packed, command }
}
