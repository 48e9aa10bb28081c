import { integer, lengthDelimited } from './protobufWriter.js'

/** The statuses of gRPC and their numbers, https://grpc.github.io/grpc/core/md_doc_statuscodes.html */
export const STATUS = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const

export type GrpcStatus = keyof typeof STATUS

/** `google.rpc.ErrorInfo`: why, in one word, and in which service, https://google.aip.dev/193 */
export interface ErrorInfo {
  readonly reason: string
  readonly domain: string
  readonly metadata?: { readonly [name: string]: string }
}

/** A violation of `google.rpc.PreconditionFailure`. */
export interface Violation {
  readonly type: string
  readonly subject: string
}

export interface ErrorDetails {
  readonly errorInfo?: ErrorInfo
  readonly violation?: Violation
}

/** An error as the API answers it. */
export class GrpcError extends Error {
  override readonly name = 'GrpcError'
  readonly code: GrpcStatus
  readonly details: ErrorDetails

  constructor(code: GrpcStatus, message: string, details: ErrorDetails = {}) {
    super(message)
    this.code = code
    this.details = details
  }
}

/** The trailers that end a call with this error. */
export function trailersOf({ code, message, details }: GrpcError): { readonly [name: string]: string } {
  const status = Buffer.concat([integer(1, STATUS[code]), lengthDelimited(2, message), ...anyOf(details)])
  return {
    'grpc-status': String(STATUS[code]),
    'grpc-message': message.replace(/[^ -$&-~]/gu, encodeURIComponent),
    'grpc-status-details-bin': status.toString('base64'),
  }
}

function anyOf({ errorInfo, violation }: ErrorDetails): Buffer[] {
  const details: Buffer[] = []
  if (errorInfo) details.push(any('google.rpc.ErrorInfo', encodeErrorInfo(errorInfo)))
  if (violation) details.push(any('google.rpc.PreconditionFailure', lengthDelimited(1, encodeViolation(violation))))
  return details.map((detail) => lengthDelimited(3, detail))
}

function any(type: string, message: Buffer): Buffer {
  return Buffer.concat([lengthDelimited(1, `type.googleapis.com/${type}`), lengthDelimited(2, message)])
}

function encodeErrorInfo({ reason, domain, metadata = {} }: ErrorInfo): Buffer {
  const entries = Object.entries(metadata).map(([name, value]) => [lengthDelimited(1, name), lengthDelimited(2, value)])
  const map = entries.map((entry) => lengthDelimited(3, Buffer.concat(entry)))
  return Buffer.concat([lengthDelimited(1, reason), lengthDelimited(2, domain), ...map])
}

function encodeViolation({ type, subject }: Violation): Buffer {
  return Buffer.concat([lengthDelimited(1, type), lengthDelimited(2, subject)])
}
