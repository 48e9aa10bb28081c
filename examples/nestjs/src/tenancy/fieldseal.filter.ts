import { type ArgumentsHost, Catch, HttpException, HttpStatus } from '@nestjs/common'
import { BaseExceptionFilter } from '@nestjs/core'
import { type ErrorCode, FieldsealError } from 'fieldseal'

/** What a caller may know; whatever else goes wrong is the server's own affair. Another tenant's row is as one that is not there. */
const STATUS: { readonly [code in ErrorCode]?: HttpStatus } = {
  TENANT_MISSING: HttpStatus.UNAUTHORIZED,
  TENANT_INVALID: HttpStatus.BAD_REQUEST,
  TENANT_MISMATCH: HttpStatus.NOT_FOUND,
  VALUE_INVALID: HttpStatus.BAD_REQUEST,
  KMS_UNAVAILABLE: HttpStatus.SERVICE_UNAVAILABLE,
  KMS_THROTTLED: HttpStatus.SERVICE_UNAVAILABLE,
  KEY_STORE_UNAVAILABLE: HttpStatus.SERVICE_UNAVAILABLE,
}

@Catch()
export class FieldsealFilter extends BaseExceptionFilter {
  override catch(error: unknown, host: ArgumentsHost): void {
    const status = FieldsealError.is(error) && STATUS[error.code]
    super.catch(status ? new HttpException({ statusCode: status, error: error.code }, status) : error, host)
  }
}
