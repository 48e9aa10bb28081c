import { METHODS, type Pkcs11Module } from '../../../src/kms/pkcs11/pkcs11Module.js'

/** Stands around each call of a module: makes it, or not, or later, or otherwise. */
export type Around = (name: keyof Pkcs11Module, call: () => unknown, args: readonly unknown[]) => unknown

/** The module, with something around each of its functions. */
export function aroundModule(module: Pkcs11Module, around: Around): Pkcs11Module {
  const wrapped = [...METHODS, 'C_Finalize' as const].map((name) => {
    const method = module[name] as (...args: unknown[]) => unknown
    return [name, (...args: unknown[]) => around(name, () => method.apply(module, args), args)]
  })
  return Object.fromEntries(wrapped) as Pkcs11Module
}

/** An error as pkcs11js makes it. */
export function pkcs11Error(name: string, code: number, method = ''): Error {
  return Object.assign(new Error(name), { name: 'Pkcs11Error', code, method })
}

/** The AAD of C_EncryptInit and C_DecryptInit; `undefined` of other mechanisms. */
export function aadOf(args: readonly unknown[]): Buffer | undefined {
  return (args[1] as { readonly parameter?: { readonly aad?: Buffer } } | undefined)?.parameter?.aad
}
