import { execFile } from 'node:child_process'
import { cp, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
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

/** Copies a project as its checkout would be. */
export async function copyProject(source: string, folder: string): Promise<void> {
  await cp(source, folder, { recursive: true, filter: (path) => !MADE.test(path) })
}

/** @param packages to install beside those that the folder's package.json names */
export async function installPacked(source: string, packages: readonly string[] = []): Promise<Workspace> {
  const folder = await mkdtemp(join(tmpdir(), 'fieldseal-package-'))
  await copyProject(source, folder)
  return install(folder, packages)
}

/** Apps of examples/ as projects of one workspace, so that what they have in common is installed once. */
export async function installApps(names: readonly string[]): Promise<Workspace> {
  const folder = await mkdtemp(join(tmpdir(), 'fieldseal-apps-'))
  for (const name of names) await copyProject(resolve('examples', name), join(folder, name))
  // What they name by its version is not published: the packed one takes its place.
  const manifest = { private: true, workspaces: names, overrides: { fieldseal: '$fieldseal' } }
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest))
  return install(folder)
}

async function install(folder: string, packages: readonly string[] = []): Promise<Workspace> {
  const packed = await packPackage(folder)
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline']
  await run('npm', ['install', ...quiet, `./${packed.filename}`, ...packages], { cwd: folder })
  const path = [join(folder, 'node_modules/.bin'), process.env.PATH].join(delimiter)
  const command: Workspace['command'] = async (project, env, program, ...args) => {
    const cwd = join(folder, project)
    return (await run(program, args, { cwd, env: { ...process.env, PATH: path, ...env } })).stdout
  }
  return { folder, packed, command }
}
