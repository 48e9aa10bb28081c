import { type ErrorCode, FieldsealError } from 'fieldseal'

/** What a caller may know; whatever else goes wrong is the server's own affair. */
const STATUS: { readonly [code in ErrorCode]?: number } = {
  TENANT_MISSING: 401,
  TENANT_INVALID: 400,
  TENANT_MISMATCH: 404,
  VALUE_INVALID: 400,
  KMS_UNAVAILABLE: 503,
  KMS_THROTTLED: 503,
  KEY_STORE_UNAVAILABLE: 503,
}

/** What a route answers with, or why it does not. */
export async function answer(work: () => Promise<unknown>): Promise<Response> {
  try {
    return Response.json(await work())
  } catch (error) {
    const status = FieldsealError.is(error) && STATUS[error.code]
    if (!status) throw error
    return Response.json({ error: error.code }, { status })
  }
}
