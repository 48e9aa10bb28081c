export { type ErrorCode, FieldsealError } from './errors.js'
