import { LRUCache } from 'lru-cache'
import { FieldsealError, quoted } from '../errors.js'
import { splitFieldName } from '../fieldName.js'
import { andThen, didYouMean } from '../schema/suggestion.js'
import type { Plans } from './plan.js'

type Allow = ReadonlySet<string>

/** Lists of fields that clients are limited to; a process has few. */
const KEPT = 100

/** The plans of clients that may read some fields only, compiled once for each list of them. */
export class LimitedPlans {
  readonly #all: Plans
  readonly #compile: (allow: Allow) => Plans
  readonly #limited = new LRUCache<string, Plans>({ max: KEPT })

  /** @param all of clients that may read everything */
  constructor(all: Plans, compile: (allow: Allow) => Plans) {
    this.#all = all
    this.#compile = compile
  }

  /** @throws FieldsealError `OPTIONS_INVALID` for what is no encrypted field */
  of(allow: Allow | undefined): Plans {
    if (allow === undefined) return this.#all
    const name = [...allow].sort().join()
    const known = this.#limited.get(name)
    if (known) return known
    for (const field of allow) this.#check(field)
    const plans = this.#compile(allow)
    this.#limited.set(name, plans)
    return plans
  }

  #check(name: string): void {
    const fields = [...this.#all.values()].flatMap(({ encrypted }) => encrypted.map((field) => field.name))
    if (fields.includes(name)) return
    const [model, field] = splitFieldName(name)
    const isPlain = Object.hasOwn(this.#all.get(model)?.columns ?? {}, field)
    const what = isPlain
      ? 'which is not encrypted: everybody may read it, so leave it out'
      : `which is no encrypted field; ${andThen(didYouMean(name, fields))}write "Model.field"`
    throw new FieldsealError('OPTIONS_INVALID', `"allow" names ${quoted(name)}, ${what}`)
  }
}
