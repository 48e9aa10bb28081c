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

interface AuthClient {
  scopes?: unknown
  useJWTAccessWithScope?: boolean
  getRequestHeaders(url: string): Promise<Iterable<readonly [string, string]>>
}

interface Gax {
  readonly GrpcClient: new () => { loadProtoJSON(protos: object): object }
  readonly GoogleAuth: new (options: object) => { fromJSON(key: ServiceAccountKey & { type: string }): AuthClient }
  readonly googleAuthLibrary: { readonly OAuth2Client: new () => object & { setCredentials(token: object): void } }
  readonly grpc: {
    readonly credentials: {
      createSsl(root: Buffer): object
      createFromGoogleCredential(client: { getRequestHeaders(url: string): Promise<object> }): object
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

  /** What connects to a server with this certificate and proves to be this account: its key signs a token for each hour. */
  accountCredentials(ca: string, key: ServiceAccountKey): object {
    const client = new this.#gax.GoogleAuth({}).fromJSON({ type: 'service_account', ...key })
    client.scopes = [SCOPE]
    client.useJWTAccessWithScope = true
    return this.#credentials(ca, async (url) => Object.fromEntries(await client.getRequestHeaders(url)))
  }

  /** The same with a token that somebody else has got, such as workload identity federation. */
  tokenCredentials(ca: string, accessToken: string): { readonly sslCreds: object; readonly authClient: object } {
    const authClient = new this.#gax.googleAuthLibrary.OAuth2Client()
    authClient.setCredentials({ access_token: accessToken })
    return { authClient, sslCreds: this.#credentials(ca, async () => ({ authorization: `Bearer ${accessToken}` })) }
  }

  #credentials(ca: string, getRequestHeaders: (url: string) => Promise<object>): object {
    const { credentials } = this.#gax.grpc
    const call = credentials.createFromGoogleCredential({ getRequestHeaders })
    return credentials.combineChannelCredentials(credentials.createSsl(Buffer.from(ca)), call)
  }
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
