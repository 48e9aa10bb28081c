/** A slot, a session or an object, as the module numbers them. */
export type Pkcs11Handle = Buffer

/** What may come at once or later: a proxy of a module in a worker thread answers promises. */
export type Awaitable<T> = T | Promise<T>

/** An attribute of an object. */
export interface Pkcs11Attribute {
  readonly type: number
  readonly value?: number | boolean | string | Buffer
}

/** A mechanism with its parameter. */
export interface Pkcs11Mechanism {
  mechanism: number
  parameter?: { type: number; iv: Buffer; ivBits: number; aad: Buffer; tagBits: number }
}

/** What `pkcs11Kms` reads of a token. */
export interface Pkcs11TokenInfo {
  /** Padded with blanks. */
  readonly label: string
  readonly flags: number
}

/**
 * What `pkcs11Kms` needs of a loaded `PKCS11` object of pkcs11js. Its methods may answer promises as well, such as those of
 * a proxy to a worker thread.
 */
export interface Pkcs11Module {
  C_Initialize(options: { flags: number }): Awaitable<void>
  /** For the option `reinitialize` only. */
  C_Finalize?(): Awaitable<void>
  C_GetSlotList(tokenPresent: boolean): Awaitable<Pkcs11Handle[]>
  C_GetTokenInfo(slot: Pkcs11Handle): Awaitable<Pkcs11TokenInfo>
  C_OpenSession(slot: Pkcs11Handle, flags: number): Awaitable<Pkcs11Handle>
  C_CloseSession(session: Pkcs11Handle): Awaitable<void>
  C_GetSessionInfo(session: Pkcs11Handle): Awaitable<{ readonly state: number }>
  C_Login(session: Pkcs11Handle, userType: number, pin?: string): Awaitable<void>
  C_Logout(session: Pkcs11Handle): Awaitable<void>
  C_FindObjectsInit(session: Pkcs11Handle, template: Pkcs11Attribute[]): Awaitable<void>
  C_FindObjects(session: Pkcs11Handle, most: number): Awaitable<Pkcs11Handle[]>
  C_FindObjectsFinal(session: Pkcs11Handle): Awaitable<void>
  C_GetAttributeValue(
    session: Pkcs11Handle,
    object: Pkcs11Handle,
    template: Pkcs11Attribute[],
  ): Awaitable<readonly { readonly value?: unknown }[]>
  C_EncryptInit(session: Pkcs11Handle, mechanism: Pkcs11Mechanism, key: Pkcs11Handle): Awaitable<void>
  C_EncryptAsync(session: Pkcs11Handle, input: Buffer, output: Buffer): Promise<Buffer>
  C_DecryptInit(session: Pkcs11Handle, mechanism: Pkcs11Mechanism, key: Pkcs11Handle): Awaitable<void>
  C_DecryptAsync(session: Pkcs11Handle, input: Buffer, output: Buffer): Promise<Buffer>
}

/** Every method without which nothing works. */
export const METHODS = [
  'C_Initialize',
  'C_GetSlotList',
  'C_GetTokenInfo',
  'C_OpenSession',
  'C_CloseSession',
  'C_GetSessionInfo',
  'C_Login',
  'C_Logout',
  'C_FindObjectsInit',
  'C_FindObjects',
  'C_FindObjectsFinal',
  'C_GetAttributeValue',
  'C_EncryptInit',
  'C_EncryptAsync',
  'C_DecryptInit',
  'C_DecryptAsync',
] as const satisfies readonly (keyof Pkcs11Module)[]

/** Numbers of PKCS#11 2.40, as its header names them. */
export const CKF_OS_LOCKING_OK = 0x2
export const CKF_RW_SESSION = 0x2
export const CKF_SERIAL_SESSION = 0x4
export const CKF_LOGIN_REQUIRED = 0x4
export const CKF_USER_PIN_FINAL_TRY = 0x20000
export const CKF_USER_PIN_LOCKED = 0x40000
export const CKU_USER = 1
export const CKS_RO_USER_FUNCTIONS = 1
export const CKS_RW_USER_FUNCTIONS = 3
export const CKO_SECRET_KEY = 4
export const CKK_AES = 0x1f
export const CKM_AES_ECB = 0x1081
export const CKM_AES_GCM = 0x1087
export const CKA_CLASS = 0x0
export const CKA_TOKEN = 0x1
export const CKA_PRIVATE = 0x2
export const CKA_LABEL = 0x3
export const CKA_KEY_TYPE = 0x100
export const CKA_ID = 0x102
export const CKA_SENSITIVE = 0x103
export const CKA_ENCRYPT = 0x104
export const CKA_DECRYPT = 0x105
export const CKA_VALUE_LEN = 0x161
export const CKA_EXTRACTABLE = 0x162
export const CKA_LOCAL = 0x163
export const CKA_NEVER_EXTRACTABLE = 0x164
export const CKA_ALWAYS_SENSITIVE = 0x165

/** What pkcs11js calls `CK_PARAMS_GCM`: the parameter with `ivBits`, as the header of PKCS#11 2.40 has it. */
export const CK_PARAMS_GCM = 25
