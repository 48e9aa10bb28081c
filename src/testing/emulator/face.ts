import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http'
import type { Calls } from './calls.js'
import type { Faults } from './faults.js'
import type { RateLimits } from './rateLimits.js'

/** What every emulator has, whatever it speaks. */
export interface Emulation {
  readonly calls: Calls
  readonly faults: Faults
  readonly limits: RateLimits
}

/** A request as it came over HTTP. */
export interface HttpRequest {
  readonly method: string
  /** The path with the query. */
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** An error that a fault wants in place of the answer to a valid request. */
export interface InjectedError {
  /** In the service's own form. */
  readonly code: string
  readonly message: string
}

/** What comes with a request. */
export interface Occasion {
  /** For the answer, where the service has request ids. */
  readonly requestId: string
  readonly injected: InjectedError | undefined
}

/** What a service answers, also when that is an error. */
export interface HttpAnswer {
  /** 200 unless given. */
  readonly status?: number
  /** `content-type: application/json` unless given. */
  readonly headers?: OutgoingHttpHeaders
  /** The body; none unless given. */
  readonly json?: unknown
  /** For `calls`: `ok`, or the service's error code. */
  readonly result: string
  readonly keyId?: string | undefined
  readonly encryptionContext?: string | undefined
}

/**
 * What makes an emulator one service's: everything about requests and answers. Connections, faults and counting are the
 * server's.
 */
export interface HttpFace {
  /** The longest body that is kept; of a longer one, no more than shows that it is too long. */
  readonly maxBodyBytes: number
  /** The name by which `calls` and `faults` know what is asked for; it answers for requests that mean nothing, too. */
  action(request: HttpRequest): string
  /**
   * Verifies the signature or token, and answers as the service does. Of a valid request the injected error is the answer.
   * A throw cuts the connection: every error that the service knows must be an answer.
   */
  answer(request: HttpRequest, occasion: Occasion): HttpAnswer | Promise<HttpAnswer>
  /** The keys, for the path `/_emulator/keys`. */
  keys(): readonly object[]
}
