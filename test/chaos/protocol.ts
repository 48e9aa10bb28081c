/** What an app of the chaos run is told. */
export interface AppSetup {
  readonly url: string
  readonly endpoint: string
  readonly credential: { readonly secretId: string; readonly secretKey: string }
  readonly keyId: string
  readonly tenants: readonly string[]
  /** The first of the numbers that its rows get. */
  readonly from: number
  readonly keys: object
}

/** What it tells: rows whose write was acknowledged, rows that it has read and found right, and errors by their code. */
export interface AppNews {
  readonly written: readonly (readonly [tenant: string, number: number])[]
  readonly read: number
  readonly wrong: readonly string[]
  readonly errors: { readonly [code: string]: number }
}

/** What a row of this number holds. */
export const nameOf = (tenant: string, number: number) => `${tenant} has patient ${number}`
