import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Kms } from 'fieldseal'
import { type Pkcs11Module, pkcs11Kms } from 'fieldseal/pkcs11'
import { UsageError } from '../options.js'
import { CallCounter, type DemoKms } from './demoKms.js'

/** What the demo needs of pkcs11js, which is compiled when it is installed and is therefore none of our dependencies. */
interface Pkcs11js {
  readonly PKCS11: new () => TokenModule
  readonly CKM_AES_KEY_GEN: number
  readonly CKU_USER: number
  readonly CKF_OS_LOCKING_OK: number
  readonly CKF_SERIAL_SESSION: number
  readonly CKF_RW_SESSION: number
  readonly [constant: string]: unknown
}

interface TokenModule extends Pkcs11Module {
  load(library: string): void
  C_GetSlotList(tokenPresent: boolean): Buffer[]
  C_GetTokenInfo(slot: Buffer): { readonly label: string; readonly flags: number }
  C_OpenSession(slot: Buffer, flags: number): Buffer
  C_Login(session: Buffer, user: number, pin: string): void
  C_GenerateKey(session: Buffer, mechanism: object, template: object[]): Buffer
  C_CloseSession(session: Buffer): void
  C_Finalize(): void
}

const TOKEN = 'fieldseal demo'
const KEK = 'fieldseal'
const LIBRARIES = [
  '/usr/lib/softhsm/libsofthsm2.so',
  '/usr/lib64/pkcs11/libsofthsm2.so',
  '/usr/local/lib/softhsm/libsofthsm2.so',
  '/opt/homebrew/lib/softhsm/libsofthsm2.so',
]

/** A token of SoftHSM in a folder of its own, with a KEK that never leaves it. */
export async function openPkcs11(): Promise<DemoKms> {
  const [pkcs11js, library] = [loadPkcs11js(), findLibrary()]
  const folder = mkdtempSync(join(tmpdir(), 'fieldseal-demo-'))
  const pin = randomBytes(8).toString('hex')
  makeToken(folder, pin)
  const module = new pkcs11js.PKCS11()
  module.load(library)
  module.C_Initialize({ flags: pkcs11js.CKF_OS_LOCKING_OK })
  makeKek(pkcs11js, module, pin)
  const keys = pkcs11Kms({ pkcs11: module, token: TOKEN, pin, keyId: KEK })
  const calls = new CallCounter()
  return {
    keys: counted(keys, calls),
    description: `SoftHSM, the token "${TOKEN}" in ${folder}`,
    takeCalls: calls.take,
    farewell: 'token deleted',
    close: async () => {
      await keys.close()
      module.C_Finalize()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function loadPkcs11js(): Pkcs11js {
  try {
    return createRequire(import.meta.url)(process.env.FIELDSEAL_PKCS11JS ?? 'pkcs11js')
  } catch {
    throw new UsageError(
      '--kms pkcs11 needs the package pkcs11js, which is compiled when it is installed: npm install --no-save pkcs11js@2.1.7, ' +
        'or set FIELDSEAL_PKCS11JS to where it is',
    )
  }
}

function findLibrary(): string {
  const library = LIBRARIES.find((path) => existsSync(path))
  if (library) return library
  throw new UsageError(
    '--kms pkcs11 needs SoftHSM 2: apt-get install softhsm2 (Debian), or brew install softhsm (macOS)',
  )
}

function makeToken(folder: string, pin: string): void {
  const [tokens, configuration] = [join(folder, 'tokens'), join(folder, 'softhsm2.conf')]
  mkdirSync(tokens)
  writeFileSync(configuration, `directories.tokendir = ${tokens}\nobjectstore.backend = file\nlog.level = ERROR\n`)
  process.env.SOFTHSM2_CONF = configuration
  const securityOfficer = randomBytes(8).toString('hex')
  const args = ['--init-token', '--free', '--label', TOKEN, '--pin', pin, '--so-pin', securityOfficer]
  execFileSync('softhsm2-util', args, { stdio: 'ignore' })
}

/** As an operator does it once: AES-256, made in the token and not to be taken out. */
function makeKek(pkcs11js: Pkcs11js, module: TokenModule, pin: string): void {
  const slot = module.C_GetSlotList(true).find((one) => module.C_GetTokenInfo(one).label.trim() === TOKEN)!
  const session = module.C_OpenSession(slot, pkcs11js.CKF_SERIAL_SESSION | pkcs11js.CKF_RW_SESSION)
  module.C_Login(session, pkcs11js.CKU_USER, pin)
  const attributes = {
    ...{ CKA_CLASS: pkcs11js.CKO_SECRET_KEY, CKA_KEY_TYPE: pkcs11js.CKK_AES, CKA_VALUE_LEN: 32, CKA_LABEL: KEK },
    ...{ CKA_TOKEN: true, CKA_PRIVATE: true, CKA_SENSITIVE: true, CKA_EXTRACTABLE: false },
    ...{ CKA_ENCRYPT: true, CKA_DECRYPT: true },
  }
  const template = Object.entries(attributes).map(([name, value]) => ({ type: pkcs11js[name], value }))
  module.C_GenerateKey(session, { mechanism: pkcs11js.CKM_AES_KEY_GEN, parameter: null }, template)
  module.C_CloseSession(session)
}

/** The same KMS, with the calls on DEKs counted. */
function counted(keys: Kms, calls: CallCounter): Kms {
  return {
    ...keys,
    generate: (identity) => {
      calls.count('generate')
      return keys.generate(identity)
    },
    unwrap: (wrapped, identity) => {
      calls.count('unwrap')
      return keys.unwrap(wrapped, identity)
    },
  }
}
