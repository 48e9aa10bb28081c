import { createRequire } from 'node:module'
import { join } from 'node:path'
import { FieldsealError } from '../../errors.js'

/** How the messages of one method are written, by the SDK's own protobuf. */
export interface Method {
  /** `/google.cloud.kms.v1.KeyManagementService/Encrypt` */
  readonly path: string
  requestDeserialize(message: Buffer): object
  responseSerialize(answer: object): Buffer
}

/** A key file of a service account, as `credentials` of a client takes it. */
export interface ServiceAccountKey {
  readonly client_email: string
  readonly private_key: string
}

/** What gives the headers of a call, as Google's libraries know it. */
export interface AuthClient {
  /** `Headers`, or an object of SDKs before 6. */
  getRequestHeaders(url: string): Promise<object>
}

interface Gax {
  readonly GrpcClient: new () => { loadProtoJSON(protos: object): object }
  readonly googleAuthLibrary: {
    readonly JWT: new (options: object) => AuthClient & { useJWTAccessWithScope?: boolean }
    readonly OAuth2Client: new () => AuthClient & { setCredentials(token: { readonly access_token: string }): void }
  }
  readonly grpc: {
    readonly credentials: {
      createSsl(root: Buffer): object
      createFromGoogleCredential(client: AuthClient): object
      combineChannelCredentials(channel: object, call: object): object
    }
  }
}

const PACKAGE = '@google-cloud/kms'
const SERVICE = 'google.cloud.kms.v1.KeyManagementService'
const SCOPE = 'https://www.googleapis.com/auth/cloudkms'

/**
 * The SDK that the application has installed: it knows the messages of the API, and has the gRPC whose credentials its
 * client takes, so that emulator and client are never of two minds.
 */
export class Sdk {
  readonly #gax: Gax
  /** By their names, `Encrypt` for instance. */
  readonly methods: ReadonlyMap<string, Method>

  /** @throws FieldsealError `OPTIONS_INVALID` when the SDK is not installed */
  constructor() {
    const require = requireOfSdk()
    this.#gax = require('google-gax') as Gax
    const protos = require(`${PACKAGE}/build/protos/protos.json`) as object
    this.methods = methodsOf(new this.#gax.GrpcClient().loadProtoJSON(protos))
  }

  /** Proves to be this account: its key signs a token for each hour. */
  accountClient({ client_email: email, private_key: key }: ServiceAccountKey): AuthClient {
    const client = new this.#gax.googleAuthLibrary.JWT({ email, key, scopes: [SCOPE] })
    client.useJWTAccessWithScope = true
    return client
  }

  /** Has a token that somebody else has issued, workload identity federation for instance. */
  tokenClient(accessToken: string): AuthClient {
    const client = new this.#gax.googleAuthLibrary.OAuth2Client()
    client.setCredentials({ access_token: accessToken })
    return client
  }

  /** Trusts this certificate, and sends the client's token over it: what the SDK makes by itself for certificates of all. */
  channelCredentials(ca: string, client: AuthClient): object {
    const { credentials } = this.#gax.grpc
    const getRequestHeaders = async (url: string) => plainHeaders(await client.getRequestHeaders(url))
    const call = credentials.createFromGoogleCredential({ getRequestHeaders })
    return credentials.combineChannelCredentials(credentials.createSsl(Buffer.from(ca)), call)
  }
}

function plainHeaders(headers: object): object {
  return headers instanceof Headers ? Object.fromEntries(headers) : headers
}

/** Of this package's place first, then of the application's. */
function requireOfSdk(): NodeJS.Require {
  for (const from of [import.meta.url, join(process.cwd(), 'package.json')]) {
    try {
      return createRequire(createRequire(from).resolve(PACKAGE))
    } catch {
      // Looked for in the next place.
    }
  }
  const message = `startGoogleKmsEmulator speaks with the messages of Google's SDK, which is not installed: npm install --save-dev ${PACKAGE}`
  throw new FieldsealError('OPTIONS_INVALID', message)
}

function methodsOf(loaded: object): ReadonlyMap<string, Method> {
  const names = SERVICE.split('.')
  const found = names.reduce<unknown>((inside, name) => (inside as { [name: string]: unknown })[name], loaded)
  const { service } = found as { readonly service: { readonly [name: string]: Method } }
  return new Map(Object.values(service).map((method) => [method.path.slice(method.path.lastIndexOf('/') + 1), method]))
}
