import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type Browser, chromium, type LaunchOptions } from 'playwright-core'

const root = fileURLToPath(new URL('../..', import.meta.url))

export interface OpenBrowser {
  readonly browser: Browser
  close(): Promise<void>
}

/** Where a browser that is installed may be. */
const INSTALLED = [
  process.env.CHROME_PATH ?? '',
  '/usr/bin/google-chrome',
  '/usr/bin/chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe',
]

/** A Chromium without a window: an installed one that starts, else that of the package `@sparticuz/chromium`. */
export async function openBrowser(): Promise<OpenBrowser> {
  for (const executablePath of INSTALLED.filter((path) => existsSync(path))) {
    const browser = await chromium.launch({ executablePath }).catch(() => undefined)
    if (browser) return { browser, close: () => browser.close() }
  }
  if (process.platform === 'linux' && process.arch === 'x64') return openPacked()
  const where = `${process.platform} on ${process.arch}`
  throw new Error(`there is no browser package for ${where}: install Chrome, or name a Chromium in CHROME_PATH`)
}

/** It needs nothing but glibc: its libraries and a font are in the package too. */
async function openPacked(): Promise<OpenBrowser> {
  const folder = await mkdtemp(join(tmpdir(), 'fieldseal-browser-'))
  const remove = () => rm(folder, { recursive: true, force: true })
  try {
    const browser = await chromium.launch(await unpack(folder))
    return { browser, close: () => browser.close().finally(remove) }
  } catch (error) {
    await remove()
    throw error
  }
}

/** In a process of its own, as the package goes by its environment, and changes it. */
async function unpack(folder: string): Promise<LaunchOptions> {
  const program = `import c from '@sparticuz/chromium'; process.stdout.write(await c.executablePath())`
  const env = { ...process.env, TMPDIR: folder, AWS_LAMBDA_JS_RUNTIME: 'nodejs20.x' }
  const node = ['--input-type=module', '--eval', program]
  const { stdout: executablePath } = await promisify(execFile)(process.execPath, node, { cwd: root, env })
  const fonts = join(folder, 'fonts.conf')
  const [from, cache] = [join(folder, 'fonts'), join(folder, 'cache')]
  await writeFile(fonts, `<fontconfig><dir>${from}</dir><cachedir>${cache}</cachedir></fontconfig>`)
  const library = join(folder, 'al2023/lib')
  return { executablePath, env: { ...process.env, LD_LIBRARY_PATH: library, FONTCONFIG_FILE: fonts } as never }
}
