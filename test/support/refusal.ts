import { type ErrorCode, FieldsealError } from 'fieldseal'

/** What a call is refused with; throws when it is not refused, or not with one of this library's errors. */
export async function refusal(work: () => unknown): Promise<FieldsealError> {
  let answer: unknown
  try {
    answer = await work()
  } catch (error) {
    if (FieldsealError.is(error)) return error
    throw error
  }
  throw new Error(`it was not refused, and answered ${JSON.stringify(answer)}`)
}

/** The code of a refusal. */
export async function refusalCode(work: () => unknown): Promise<ErrorCode> {
  return (await refusal(work)).code
}
