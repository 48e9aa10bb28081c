import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SHARE_ENV, Worker } from 'node:worker_threads'
import type { Pkcs11Attribute, Pkcs11Handle, Pkcs11Module } from '../../../src/kms/pkcs11/pkcs11Module.js'

/** What tests need of a `PKCS11` object of pkcs11js beyond what `pkcs11Kms` needs. */
export interface LoadedModule extends Pkcs11Module {
  load(library: string): void
  C_Finalize(): void
  C_GetSlotList(tokenPresent: boolean): Pkcs11Handle[]
  C_GetTokenInfo(slot: Pkcs11Handle): { label: string; flags: number }
  C_OpenSession(slot: Pkcs11Handle, flags: number): Pkcs11Handle
  C_GenerateKey(session: Pkcs11Handle, mechanism: object, template: Pkcs11Attribute[]): Pkcs11Handle
  C_CreateObject(session: Pkcs11Handle, template: Pkcs11Attribute[]): Pkcs11Handle
  C_DestroyObject(session: Pkcs11Handle, key: Pkcs11Handle): void
  C_SetAttributeValue(session: Pkcs11Handle, key: Pkcs11Handle, template: Pkcs11Attribute[]): void
  C_SetPIN(session: Pkcs11Handle, from: string, to: string): void
  C_CloseAllSessions(slot: Pkcs11Handle): void
  C_FindObjects(session: Pkcs11Handle, most: number): Pkcs11Handle[]
}

type Pkcs11js = { readonly PKCS11: new () => LoadedModule; readonly [constant: string]: unknown }

const LIBRARIES = [
  '/usr/lib/softhsm/libsofthsm2.so',
  '/usr/lib64/pkcs11/libsofthsm2.so',
  '/usr/local/lib/softhsm/libsofthsm2.so',
  '/opt/homebrew/lib/softhsm/libsofthsm2.so',
]

/** Where pkcs11js and SoftHSM are; what is missing, and how to get it. */
export function findSoftHsm(): { readonly pkcs11js: string; readonly library: string } | { readonly missing: string } {
  const given = process.env.FIELDSEAL_TEST_PKCS11JS
  const pkcs11js = given ? resolved(given) : resolved('pkcs11js')
  const library = [process.env.FIELDSEAL_TEST_SOFTHSM, ...LIBRARIES].find((path) => path && existsSync(path))
  const missing = [
    ...(pkcs11js ? [] : [NO_PKCS11JS]),
    ...(library ? [] : [NO_SOFTHSM]),
    ...(hasTool() ? [] : ['softhsm2-util, which comes with SoftHSM, is not in PATH.']),
  ]
  return pkcs11js && library && missing.length === 0 ? { pkcs11js, library } : { missing: missing.join(' ') }
}

const NO_PKCS11JS =
  'pkcs11js is not installed: npm install --no-save pkcs11js@2.1.7 in a folder of its own, as it is compiled, and give ' +
  'FIELDSEAL_TEST_PKCS11JS the path of node_modules/pkcs11js there.'
const NO_SOFTHSM =
  'SoftHSM 2 is not installed: apt-get install softhsm2 (Debian), brew install softhsm (macOS), or give ' +
  'FIELDSEAL_TEST_SOFTHSM the path of libsofthsm2.so.'

function resolved(name: string): string | undefined {
  try {
    return createRequire(import.meta.url).resolve(name)
  } catch {
    return undefined
  }
}

function hasTool(): boolean {
  try {
    execFileSync('softhsm2-util', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/**
 * SoftHSM in this process, with tokens in a folder of its own; there is one for all of a test file, as a module is
 * initialized once per process.
 */
export class SoftHsm {
  readonly constants: { readonly [name: string]: number }
  readonly #folder = mkdtempSync(join(tmpdir(), 'softhsm-'))
  readonly #make: () => LoadedModule
  readonly module: LoadedModule

  private constructor(pkcs11js: Pkcs11js, library: string) {
    this.constants = pkcs11js as unknown as { readonly [name: string]: number }
    this.#make = () => {
      const module = new pkcs11js.PKCS11()
      module.load(library)
      return module
    }
    this.module = this.#make()
  }

  static async start(): Promise<SoftHsm> {
    const found = findSoftHsm()
    if ('missing' in found) throw new Error(found.missing)
    const softHsm = new SoftHsm(createRequire(import.meta.url)(found.pkcs11js) as Pkcs11js, found.library)
    mkdirSync(softHsm.#tokens)
    const file = join(softHsm.#folder, 'softhsm2.conf')
    writeFileSync(file, `directories.tokendir = ${softHsm.#tokens}\nobjectstore.backend = file\nlog.level = ERROR\n`)
    await setRealVariable('SOFTHSM2_CONF', file)
    return softHsm
  }

  /** What another process needs to use the same tokens: its variables, and where pkcs11js and the module are. */
  forOthers(): { readonly env: NodeJS.ProcessEnv; readonly pkcs11js: string; readonly library: string } {
    const found = findSoftHsm()
    if ('missing' in found) throw new Error(found.missing)
    return { ...found, env: { ...process.env, SOFTHSM2_CONF: join(this.#folder, 'softhsm2.conf') } }
  }

  /** Another object of pkcs11js with the same module: the state of the module is the process's. */
  another(): LoadedModule {
    return this.#make()
  }

  /** Makes a token by softhsm2-util; the module, which keeps a list of tokens, is initialized anew. */
  createToken(label: string, pin: string): void {
    this.finalize()
    const args = ['--init-token', '--free', '--label', label, '--pin', pin, '--so-pin', 'so-pin-0000']
    execFileSync('softhsm2-util', args, {
      stdio: 'ignore',
      env: { ...process.env, SOFTHSM2_CONF: join(this.#folder, 'softhsm2.conf') },
    })
    this.initialize()
  }

  initialize(): void {
    this.module.C_Initialize({ flags: this.constants.CKF_OS_LOCKING_OK! })
  }

  finalize(): void {
    try {
      this.module.C_Finalize()
    } catch {
      return
    }
  }

  slotOf(label: string): Pkcs11Handle {
    const slot = this.module.C_GetSlotList(true).find((each) => this.module.C_GetTokenInfo(each).label.trim() === label)
    if (!slot) throw new Error(`No token ${label}`)
    return slot
  }

  /** Takes all tokens away, as the network does. */
  takeAway(): void {
    if (readdirSync(this.#folder).includes('tokens')) renameSync(this.#tokens, join(this.#folder, 'away'))
  }

  bringBack(): void {
    if (readdirSync(this.#folder).includes('away')) renameSync(join(this.#folder, 'away'), this.#tokens)
  }

  stop(): void {
    this.finalize()
    rmSync(this.#folder, { recursive: true })
  }

  get #tokens(): string {
    return join(this.#folder, 'tokens')
  }
}

/** Jest's `process.env` is a copy, which no C library sees. */
async function setRealVariable(name: string, value: string): Promise<void> {
  const code = 'const { workerData } = require("node:worker_threads"); process.env[workerData[0]] = workerData[1]'
  await once(new Worker(code, { eval: true, env: SHARE_ENV, workerData: [name, value] }), 'exit')
}
