import { FieldsealError } from '../../errors.js'

/** What AWS binds a ciphertext to: not JSON text, but its fields. */
export type EncryptionContextMap = Record<string, string>

/** @param context canonical JSON of strings only */
export function contextMap(context: string): EncryptionContextMap {
  return JSON.parse(context) as EncryptionContextMap
}

/** A request for a new data key. */
export interface GenerateDataKeyInput {
  KeyId: string
  KeySpec: 'AES_256'
  EncryptionContext: EncryptionContextMap
}

/** A request to open a ciphertext blob. */
export interface DecryptInput {
  KeyId: string
  CiphertextBlob: Uint8Array
  EncryptionContext: EncryptionContextMap
}

/** A request to put a ciphertext blob under another key, or the newest material of the same. */
export interface ReEncryptInput {
  CiphertextBlob: Uint8Array
  SourceKeyId: string
  SourceEncryptionContext: EncryptionContextMap
  DestinationKeyId: string
  DestinationEncryptionContext: EncryptionContextMap
}

/** A request to encrypt up to 4,096 bytes. */
export interface EncryptInput {
  KeyId: string
  Plaintext: Uint8Array
  EncryptionContext: EncryptionContextMap
}

/** What the SDK takes beside a request. */
export interface SendOptions {
  abortSignal: AbortSignal
}

interface AwsInputs {
  readonly GenerateDataKey: GenerateDataKeyInput
  readonly Decrypt: DecryptInput
  readonly ReEncrypt: ReEncryptInput
  readonly Encrypt: EncryptInput
}

/** The actions of AWS KMS that an `awsKms` calls. */
export type AwsAction = keyof AwsInputs

/** What `awsKms` needs of the SDK's `KMS`. */
export interface AwsKmsMethods {
  generateDataKey(input: GenerateDataKeyInput, options: SendOptions): Promise<object>
  decrypt(input: DecryptInput, options: SendOptions): Promise<object>
  /** For rewrapping only. */
  reEncrypt?(input: ReEncryptInput, options: SendOptions): Promise<object>
  /** For taking over DEKs of another KMS, and for values of fields with `mode: kms`. */
  encrypt?(input: EncryptInput, options: SendOptions): Promise<object>
}

/** What `awsKms` needs of the SDK's `KMSClient`; it needs the option `commands` too. */
export interface AwsKmsSender {
  send(command: never, options: SendOptions): Promise<object>
}

/** The SDK's own client: a `KMS`, or a `KMSClient` with the option `commands`. */
export type AwsKmsClient = AwsKmsMethods | AwsKmsSender

/** The SDK's command classes, for a `KMSClient`. The whole module will do: `import * as commands from '@aws-sdk/client-kms'`. */
export interface AwsKmsCommands {
  readonly GenerateDataKeyCommand: new (input: GenerateDataKeyInput) => object
  readonly DecryptCommand: new (input: DecryptInput) => object
  /** For rewrapping only. */
  readonly ReEncryptCommand?: new (
    input: ReEncryptInput,
  ) => object
  /** For taking over DEKs of another KMS, and for values of fields with `mode: kms`. */
  readonly EncryptCommand?: new (
    input: EncryptInput,
  ) => object
}

/** What an answer may hold; nothing of it is sure. */
export interface AwsAnswer {
  readonly KeyId?: unknown
  readonly Plaintext?: unknown
  readonly CiphertextBlob?: unknown
  readonly SourceKeyId?: unknown
  readonly SourceKeyMaterialId?: unknown
  readonly DestinationKeyMaterialId?: unknown
}

/** Sends one request, as often as the SDK itself does. */
export type Send = <A extends AwsAction>(action: A, input: AwsInputs[A], signal: AbortSignal) => Promise<AwsAnswer>

type Sender = (input: never, options: SendOptions) => Promise<object>

/** How requests are sent through what the options give: by the methods of a `KMS`, or by the commands for a `KMSClient`. */
export function senderOf(client: AwsKmsClient, commands: AwsKmsCommands | undefined): Send {
  return async (action, input, abortSignal) => {
    const send = hasMethods(client) ? methodOf(client, action) : commandOf(client, commands, action)
    const answer = await send(input as never, { abortSignal })
    return typeof answer === 'object' && answer !== null ? (answer as AwsAnswer) : {}
  }
}

export function hasMethods(client: AwsKmsClient): client is AwsKmsMethods {
  return 'generateDataKey' in client && typeof client.generateDataKey === 'function'
}

const METHODS = {
  GenerateDataKey: 'generateDataKey',
  Decrypt: 'decrypt',
  ReEncrypt: 'reEncrypt',
  Encrypt: 'encrypt',
} as const satisfies { readonly [Action in AwsAction]: keyof AwsKmsMethods }

function methodOf(client: AwsKmsMethods, action: AwsAction): Sender {
  const method = client[METHODS[action]] as Sender | undefined
  if (method) return (input, options) => method.call(client, input, options)
  throw new FieldsealError('OPTIONS_INVALID', `The option "client" of awsKms has no method ${METHODS[action]}.`)
}

function commandOf(client: AwsKmsSender, commands: AwsKmsCommands | undefined, action: AwsAction): Sender {
  const Command = commands?.[`${action}Command`] as (new (input: never) => object) | undefined
  if (Command) return (input, options) => client.send(new Command(input) as never, options)
  throw new FieldsealError('OPTIONS_INVALID', `The option "commands" of awsKms has no ${action}Command.`)
}
