import { callRefusedOf, type KmsService } from '../call/kmsCall.js'

/** What messages call it. */
export const TENCENT_KMS: KmsService = { service: 'Tencent KMS', vendor: 'Tencent' }

/** An answer that is not as it must be. */
export const callRefused = callRefusedOf(TENCENT_KMS)
