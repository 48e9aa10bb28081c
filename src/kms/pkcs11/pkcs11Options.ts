import { quoted } from '../../errors.js'
import { invalidOptionOf } from '../../invalidOptions.js'
import {
  CALL_OPTIONS,
  type CallLimits,
  type CallOptions,
  checkedCallOptions,
  checkInteger,
  checkOptionNames,
} from '../call/callOptions.js'
import { type FormerKeyIdsOf, KekIds, type KeyIdOf } from '../call/kekIds.js'
import type { IvSource } from './gcm.js'
import { isKeyName } from './keyName.js'
import { METHODS, type Pkcs11Module } from './pkcs11Module.js'
import type { Pin } from './tokenLogin.js'
import type { TokenPlace } from './tokenSlot.js'

const ADAPTER = 'pkcs11Kms'
const invalid = invalidOptionOf(ADAPTER)

/** Options of `pkcs11Kms`. */
export interface Pkcs11KmsOptions extends Omit<CallOptions, 'concurrency'> {
  /**
   * The `PKCS11` object of pkcs11js, with a module loaded. Leave C_Initialize to `pkcs11Kms`, or call it with
   * CKF_OS_LOCKING_OK: the module is used by several threads.
   */
  readonly pkcs11: Pkcs11Module
  /** The label of the token; either this or `slot`. */
  readonly token?: string | undefined
  /** The id of the token's slot. */
  readonly slot?: number | undefined
  /**
   * The user PIN, or a function that gives it, asked at each login. A PIN that the token refused is not tried again: tokens
   * lock it. None for a token that wants no login.
   */
  readonly pin?: Pin | undefined
  /**
   * The KEK's label, or a PKCS#11 URI with `object`, `id` or both (`pkcs11:id=%01%A0`), or a function of the tenant; asked
   * whenever the token is. The tenant `*` stands for keys that serve all tenants, such as those of global blind indexes.
   */
  readonly keyId: string | KeyIdOf
  /**
   * Names of KEKs under which DEKs, and values of fields with `mode: kms`, still are from before `keyId` was another one: a
   * list for all tenants, or a function of the tenant. None unless given. What is under any other KEK is refused.
   */
  readonly formerKeyIds?: readonly string[] | FormerKeyIdsOf | undefined
  /**
   * Sessions with the token, each for one call at a time; more calls wait. 4 unless given: as many as libuv has threads, unless
   * UV_THREADPOOL_SIZE says otherwise.
   */
  readonly sessions?: number | undefined
  /**
   * Who makes the iv of 96 bits for each message: the `process`, at random, unless given; or the `token`, as CloudHSM always
   * and Luna in FIPS mode want it.
   */
  readonly iv?: IvSource | undefined
  /** Takes a KEK that was not made in the token, or could be read or taken out before. `false` unless given. */
  readonly allowImported?: boolean | undefined
  /**
   * Calls C_Finalize and C_Initialize for a token that went away and does not come back otherwise (SoftHSM, Luna). Only where
   * nothing else in the process uses the module. `false` unless given.
   */
  readonly reinitialize?: boolean | undefined
}

/** The options, checked, with their defaults. */
export interface CheckedOptions {
  readonly module: Pkcs11Module
  readonly place: TokenPlace
  readonly pin: Pin | undefined
  readonly kekIds: KekIds
  readonly iv: IvSource
  readonly imported: boolean
  readonly reinitialize: boolean
  /** Its `concurrency` is the number of sessions. */
  readonly limits: CallLimits
  /** What messages call the token. */
  readonly service: string
}

const NAMES = [
  'pkcs11',
  'token',
  'slot',
  'pin',
  'keyId',
  'formerKeyIds',
  'sessions',
  'iv',
  'allowImported',
  'reinitialize',
  ...CALL_OPTIONS.filter((name) => name !== 'concurrency'),
]

/** @throws FieldsealError `OPTIONS_INVALID`, naming the option */
export function checkedOptions(options: Pkcs11KmsOptions): CheckedOptions {
  checkOptionNames(ADAPTER, options, NAMES)
  const { pkcs11: module, token, slot, pin, keyId, formerKeyIds, sessions = 4, iv = 'process' } = options
  const { allowImported: imported = false, reinitialize = false, timeout, attemptTimeout, maxRetries } = options
  checkPlace({ token, slot })
  checkPin(pin)
  checkInteger(ADAPTER, { sessions }, 1, 1_000)
  if (iv !== 'process' && iv !== 'token') throw invalid('iv', 'must be "process" or "token"')
  if (typeof imported !== 'boolean') throw invalid('allowImported', 'must be true or false')
  if (typeof reinitialize !== 'boolean') throw invalid('reinitialize', 'must be true or false')
  checkModule(module, reinitialize)
  const keyIdIs = 'the label of a key in the token, or a PKCS#11 URI with object or id'
  const kekIds = new KekIds({ adapter: ADAPTER, keyIdIs, keyId, formerKeyIds, isKeyId: isKeyName })
  const limits = checkedCallOptions(ADAPTER, { timeout, attemptTimeout, maxRetries, concurrency: sessions })
  const service = `PKCS#11 token ${token === undefined ? `in slot ${slot}` : quoted(token)}`
  return { module, place: { token, slot }, pin, kekIds, iv, imported, reinitialize, limits, service }
}

function checkModule(module: Pkcs11Module | undefined, reinitialize: boolean): void {
  const methods = reinitialize ? [...METHODS, 'C_Finalize' as const] : METHODS
  const missing = methods.find((name) => typeof module?.[name] !== 'function')
  if (missing === undefined) return
  throw invalid('pkcs11', `must be a PKCS11 object of pkcs11js 2, with a module loaded; it has no ${missing}`)
}

function checkPlace({ token, slot }: TokenPlace): void {
  if ((token === undefined) === (slot === undefined)) throw invalid('token', 'or "slot" must be given, and not both')
  if (token !== undefined && (typeof token !== 'string' || token === '' || token !== token.trimEnd()))
    throw invalid('token', 'must be the label of a token, without the blanks at its end')
  if (slot !== undefined) checkInteger(ADAPTER, { slot }, 0, Number.MAX_SAFE_INTEGER)
}

function checkPin(pin: Pin | undefined): void {
  if (pin === undefined || typeof pin === 'function' || (typeof pin === 'string' && pin !== '')) return
  throw invalid('pin', 'must be a text, or a function that gives one')
}
