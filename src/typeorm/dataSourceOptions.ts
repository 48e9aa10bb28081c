import { checkOptionsBeforeSchema, type OptionsBeforeSchema } from '../client/options.js'
import { invalidOptions } from '../invalidOptions.js'

const invalid = invalidOptions('fieldEncryption')

/** What `fieldEncryption` takes beside a data source. */
export interface DataSourceEncryptionOptions extends OptionsBeforeSchema {
  /**
   * Gives every encrypted column a CHECK constraint, so that no tool can write plaintext into it: `migration:generate` and
   * `synchronize` see it as they see `@Check`. A column that is `migrating` or `ejecting` has none. Default false.
   */
  readonly guards?: boolean
}

/** @throws FieldsealError `OPTIONS_INVALID` or `TENANT_INVALID`, naming the option */
export function checkDataSourceOptions(options: DataSourceEncryptionOptions): void {
  checkOptionsBeforeSchema(options, ['guards'])
  const { guards } = options
  if (guards !== undefined && typeof guards !== 'boolean') throw invalid('"guards" must be true or false')
}
