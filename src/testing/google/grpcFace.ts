import type { IncomingHttpHeaders } from 'node:http'
import type { Call } from '../emulator/calls.js'
import type { InjectedError } from '../emulator/face.js'
import type { GrpcError } from './grpcError.js'

/** A unary call as it came. */
export interface GrpcRequest {
  /** The method's name, `Encrypt` for instance. */
  readonly action: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  /** The message, as protobuf. */
  readonly message: Buffer
}

/** What a service answers, also when that is an error. */
export interface GrpcAnswer {
  /** What `calls` keep of the request. */
  readonly noted?: Pick<Call, 'keyId' | 'encryptionContext'>
  /** The answer, or why there is none. */
  readonly outcome: object | GrpcError
}

/** What makes a gRPC server one service's. */
export interface GrpcFace {
  /** Verifies the token, and answers as the service does. Of a valid request the injected error is the answer. */
  answer(request: GrpcRequest, injected: InjectedError | undefined): GrpcAnswer
  /** An answer as protobuf; bytes in it may be base64 text. */
  encode(action: string, answer: object): Buffer
}
