import {
  type Change,
  change,
  copy,
  type Effect,
  exchange,
  FOREIGN,
  FOREIGN_INDEX,
  INDEX,
  NEW,
  OLD,
  remove,
  update,
} from './change.js'

const UUID = `'0f8fad5b-d9cb-469f-a165-70867728950e'`
/** By whatever the KMS finds wrong with it. */
const OF_KMS = 'KEY_INVALID|KMS_KEY_UNUSABLE'
const [INVALID, MISSING, DESTROYED] = ['KEY_INVALID', 'KEY_NOT_FOUND', 'KEY_DESTROYED']
/** Of a tenant without a key whose values are stored. */
const NO_FIRST = 'KEY_MISSING'
/** An error of all that needs the retired key, the active one, or the one for indexes. */
const old = (code: string): Effect => ({ reads: [code, 'Bob'] })
const current = (code: string, write = code): Effect => ({ reads: ['Ada', code], search: code, write })
const both = (code: string): Effect => ({ reads: [code, code], search: code, write: code })
const index = (code: string): Effect => ({ search: code, write: code })

const RETIRED = 'an active key for values is retired, or made old or full'
const HIDDEN = 'the newest key for values is deleted or hidden'
const YOUNG = 'a key for values is made young, or its count is set back'
const MARKED = 'a key is marked as destroyed'

/** What can be done to rows of tenants' keys, whatever KMS has wrapped them. */
export const CHANGES: readonly Change[] = [
  change('id', 'another id', update(`id = ${UUID}`, NEW), { ...current(MISSING), write: INVALID }),
  change('id', 'another id of the index key', update(`id = ${UUID}`, INDEX), index(INVALID)),
  change('id', 'the ids of two versions exchanged', exchange('id', OLD, NEW, UUID), both(INVALID)),
  change('id', 'the ids of two tenants exchanged', exchange('id', NEW, FOREIGN, UUID), {
    ...current('TENANT_MISMATCH'),
    write: INVALID,
  }),

  change(
    'tenant',
    'the active key given to another tenant',
    update(`tenant = 'globex', version = 9`, NEW),
    current('TENANT_MISMATCH', 'v2'),
    HIDDEN,
  ),
  change('tenant', 'another tenant’s key for values taken', update(`tenant = 'acme', version = 9`, FOREIGN), {
    write: INVALID,
  }),
  change('tenant', 'the index key given to another tenant', update(`tenant = 'nobody'`, INDEX), index(NO_FIRST)),
  change(
    'tenant',
    'another tenant’s index key taken',
    update(`tenant = 'acme', version = 9`, FOREIGN_INDEX),
    index(INVALID),
  ),

  change(
    'purpose',
    'the active key made one for indexes',
    update(`purpose = 'index', version = 9`, NEW),
    current(INVALID),
  ),
  change('purpose', 'the index key made one for values', update(`purpose = 'encrypt', version = 9`, INDEX), {
    search: NO_FIRST,
    write: INVALID,
  }),
  change(
    'purpose',
    'the index key made one that wraps',
    update(`purpose = 'wrap', version = 9`, INDEX),
    index(NO_FIRST),
  ),
  change('purpose', 'a purpose that is none', update(`purpose = 'other'`, NEW), current(INVALID, 'v2'), HIDDEN),

  change('version', 'the active key’s version raised', update('version = 12', NEW), current(INVALID)),
  change('version', 'the active key’s version lowered', update('version = 0', NEW), current(INVALID, 'v2'), HIDDEN),
  change(
    'version',
    'the retired key made the newest and active',
    update(`version = 12, state = 'active', messages = 0, created_at = now()`, OLD),
    { ...old(INVALID), write: INVALID },
  ),
  change('version', 'the retired key made the newest', update('version = 12', OLD), { write: 'v13' }, RETIRED),
  change('version', 'the retired key made the last there can be', update('version = 2147483647', OLD), {
    write: INVALID,
  }),
  change(
    'version',
    'the versions and states of two keys exchanged',
    update('version = 99', OLD) +
      update(`version = 1, state = 'retired'`, NEW) +
      update(`version = 2, state = 'active'`, `tenant = 'acme' AND version = 99`),
    both(INVALID),
  ),
  change('version', 'the index key’s version raised', update('version = 2', INDEX), index(INVALID)),

  change('state', 'the active key retired', update(`state = 'retired'`, NEW), { write: 'v3' }, RETIRED),
  change('state', 'the retired key made active beside the active one', update(`state = 'active'`, OLD)),
  change(
    'state',
    'the retired key made active in place of the active one',
    update(`state = 'retired'`, NEW) + update(`state = 'active'`, OLD),
    { write: 'v3' },
    RETIRED,
  ),
  change('state', 'the active key marked as destroyed', update(`state = 'destroyed'`, NEW), current(DESTROYED), MARKED),
  change('state', 'the retired key marked as destroyed', update(`state = 'destroyed'`, OLD), old(DESTROYED), MARKED),
  change('state', 'the index key marked as destroyed', update(`state = 'destroyed'`, INDEX), index(DESTROYED), MARKED),
  change('state', 'the index key retired', update(`state = 'retired'`, INDEX), index(INVALID)),
  change('state', 'the index key marked as retiring', update(`state = 'retiring'`, INDEX), index(INVALID)),
  change('state', 'the active key marked as retiring', update(`state = 'retiring'`, NEW), current(INVALID)),
  change('state', 'the retired key marked as retiring', update(`state = 'retiring'`, OLD), old(INVALID)),
  change('state', 'a state that is none', update(`state = 'Active'`, NEW), current(INVALID)),

  change('wrapped', 'no text', update('wrapped = NULL', NEW), current(INVALID)),
  change('wrapped', 'an empty text', update(`wrapped = ''`, NEW), current(OF_KMS)),
  change('wrapped', 'a text cut short', update('wrapped = left(wrapped, -2)', NEW), current(INVALID)),
  change('wrapped', 'the texts of two versions exchanged', exchange('wrapped', OLD, NEW, UUID), both(INVALID)),
  change('wrapped', 'the texts of two purposes exchanged', exchange('wrapped', INDEX, NEW, UUID), {
    ...current(INVALID),
    search: INVALID,
  }),
  change(
    'wrapped',
    'the texts of two tenants exchanged',
    exchange('wrapped', INDEX, FOREIGN_INDEX, UUID),
    index(INVALID),
  ),

  change('kms', 'the name of a KMS that is another', update(`kms = 'aws'`, NEW), current(INVALID)),
  change('kms', 'no name', update(`kms = ''`, INDEX), index(INVALID)),

  change('kek_id', 'the id of another KEK', update(`kek_id = ${UUID}`, NEW), current(OF_KMS)),
  change('kek_id', 'no id', update(`kek_id = ''`, INDEX), index(OF_KMS)),

  change('messages', 'a count set back', update('messages = 0', NEW), {}, YOUNG),
  change('messages', 'a count below 0', update('messages = -9223372036854775808', NEW), {}, YOUNG),
  change('messages', 'a count at its limit', update('messages = 4294967296', NEW), { write: 'v3' }, RETIRED),
  change('messages', 'a count beyond any', update('messages = 9223372036854775807', NEW), { write: 'v3' }, RETIRED),
  change('messages', 'a count of the index key', update('messages = 9223372036854775807', INDEX)),

  change('created_at', 'a time to come', update(`created_at = '2999-01-01'`, NEW), {}, YOUNG),
  change('created_at', 'no time that there is', update(`created_at = 'infinity'`, NEW), {}, YOUNG),
  change('created_at', 'a time long ago', update(`created_at = '1970-01-01'`, NEW), { write: 'v3' }, RETIRED),
  change('created_at', 'a time long ago of the index key', update(`created_at = '1970-01-01'`, INDEX)),

  change('retired_at', 'a time of the active key', update('retired_at = now()', NEW)),
  change('retired_at', 'no time of the retired key', update('retired_at = NULL', OLD)),

  change('destroyed_at', 'a time of the active key', update('destroyed_at = now()', NEW), current(DESTROYED), MARKED),
  change('destroyed_at', 'a time of the retired key', update('destroyed_at = now()', OLD), old(DESTROYED), MARKED),
  change('destroyed_at', 'a time of the index key', update('destroyed_at = now()', INDEX), index(DESTROYED), MARKED),

  change('a row', 'the newest key deleted', remove(NEW), current(MISSING, 'v2'), HIDDEN),
  change(
    'a row',
    'the newest key deleted, and the one before made active',
    remove(NEW) + update(`state = 'active'`, OLD),
    current(MISSING, 'v1'),
    'the newest key for values is deleted, and the one before made active',
  ),
  change('a row', 'the retired key deleted', remove(OLD), old(MISSING)),
  change('a row', 'the index key deleted', remove(INDEX), index(NO_FIRST)),
  change('a row', 'all keys of the tenant deleted', remove(`tenant = 'acme'`), {
    ...both(MISSING),
    ...index(NO_FIRST),
  }),
  change('a row', 'a copy of the active key as the newest', copy({ version: '3' }, NEW), { write: INVALID }),
  change('a row', 'a copy of the retired key as the newest', copy({ version: '3', state: `'active'` }, OLD), {
    write: INVALID,
  }),
  change('a row', 'a copy of another tenant’s key as the newest', copy({ tenant: `'acme'`, version: '3' }, FOREIGN), {
    write: INVALID,
  }),
  change(
    'a row',
    'a copy of another tenant’s index key as the newest',
    copy({ tenant: `'acme'`, version: '3' }, FOREIGN_INDEX),
    index(INVALID),
  ),
  change(
    'a row',
    'a retired index key as the newest',
    copy({ version: '3', state: `'retired'` }, INDEX),
    index(INVALID),
  ),
  change(
    'a row',
    'a destroyed key as the newest',
    copy({ version: '3', state: `'destroyed'`, wrapped: 'NULL' }, NEW),
    { write: DESTROYED },
    MARKED,
  ),
]

const GROUP = `purpose = 'wrap'`
const LOST = both('KMS_KEY_UNUSABLE')

/** What can be done to the intermediate key that has wrapped them, and to what it has wrapped. */
export const CHANGES_OF_INTERMEDIATE_KEYS: readonly Change[] = [
  change('id', 'another id', update(`id = ${UUID}`, GROUP), LOST),
  change('tenant', 'another group', update(`tenant = 'other'`, GROUP), LOST),
  change('purpose', 'another purpose', update(`purpose = 'encrypt'`, GROUP), LOST),
  change('version', 'another version', update('version = 2', GROUP), LOST),
  change('state', 'retired', update(`state = 'retired'`, GROUP)),
  change('state', 'destroyed', update(`state = 'destroyed'`, GROUP), LOST, MARKED),
  change('state', 'none that there is', update(`state = 'Active'`, GROUP), LOST),
  change('wrapped', 'no text', update('wrapped = NULL', GROUP), LOST),
  change('wrapped', 'a text cut short', update('wrapped = left(wrapped, -2)', GROUP), LOST),
  change('kms', 'another KMS', update(`kms = 'aws'`, GROUP), LOST),
  change('kms', 'the KMS of intermediate keys, of a DEK', update(`kms = 'local'`, NEW)),
  change('kek_id', 'another KEK', update(`kek_id = ${UUID}`, GROUP), LOST),
  change('messages', 'a count set back', update('messages = 0', GROUP), {}, YOUNG),
  change('created_at', 'a time to come', update(`created_at = '2999-01-01'`, GROUP), {}, YOUNG),
  change('retired_at', 'a time', update('retired_at = now()', GROUP)),
  change('destroyed_at', 'a time', update('destroyed_at = now()', GROUP), LOST, MARKED),
  change('a row', 'deleted', remove(GROUP), LOST),
]
