import type { AwsClientConfig } from 'fieldseal/testing'

/** What an app of the chaos run is told. */
export interface AppSetup {
  readonly url: string
  /** One, or several of which any one is enough. */
  readonly kms: readonly KmsSetup[]
  readonly tenants: readonly string[]
  /** The first of the numbers that its rows get. */
  readonly from: number
  readonly keys: object
}

/** How a KMS is reached. */
export type KmsSetup = { readonly keyId: string } & (
  | {
      readonly vendor: 'tencent'
      readonly endpoint: string
      readonly credential: { readonly secretId: string; readonly secretKey: string }
    }
  | { readonly vendor: 'aws'; readonly client: AwsClientConfig }
  | { readonly vendor: 'vault'; readonly address: string; readonly token: string }
)

/** What it tells: rows whose write was acknowledged, rows that it has read and found right, and errors by their code, those
 * of the KMS in their own words too. */
export interface AppNews {
  readonly written: readonly (readonly [tenant: string, number: number])[]
  readonly read: number
  readonly wrong: readonly string[]
  readonly errors: { readonly [code: string]: number }
  readonly ofKms: readonly string[]
}

/** What a row of this number holds. */
export const nameOf = (tenant: string, number: number) => `${tenant} has patient ${number}`
