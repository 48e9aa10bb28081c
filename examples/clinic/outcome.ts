import { FieldsealError } from 'fieldseal'
import { errorCode } from './terminal.js'

/** What came of an attempt: the error's code and message, or what `succeeded` says of the result. */
export async function outcome<T>(attempt: () => Promise<T>, succeeded: (result: T) => string): Promise<string> {
  try {
    return succeeded(await attempt())
  } catch (error) {
    if (!FieldsealError.is(error)) throw error
    return `${errorCode(error.code)}  ${error.message}`
  }
}
