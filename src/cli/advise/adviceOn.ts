import { skewOf } from '../../leakage/groups.js'
import { randomFrom } from '../../leakage/random.js'
import type { Advice, IndexFigures } from './advice.js'
import type { AdvisedField } from './advisedField.js'
import type { Notation } from './annotations.js'
import { type Measured, measureNumbers } from './numberFigures.js'
import { recommendations } from './recommendations.js'
import type { Sample } from './sample.js'
import { measureChoices, measureTexts } from './textFigures.js'

/** The same rows give the same figures. */
const SEED = 14

/** @param onIndex told of each index, once it has been attacked */
export function adviceOn(
  field: AdvisedField,
  sample: Sample,
  notation: Notation,
  onIndex: (figures: IndexFigures) => void,
): Advice {
  const { near, attacked, figures } = measure(field, sample)
  const values = skewOf(attacked)
  const indexes: IndexFigures[] = []
  for (const one of figures) {
    indexes.push(one)
    onIndex(one)
  }
  const { counts, tenant, known, everyones, unreadable } = sample
  return {
    ...{ field: field.name, type: field.type },
    rows: { all: counts.rows, null: counts.null, plaintext: counts.plaintext, unreadable: counts.lost + unreadable },
    tenant: { id: tenant.tenant, rows: tenant.rows },
    tenants: counts.tenants.length,
    sample: { known: known.length, attacked: attacked.length, everyones: everyones?.length ?? null },
    ...{ values, near, indexes, recommendations: recommendations({ field, values, indexes }, notation) },
  }
}

function measure(field: AdvisedField, sample: Sample): Measured {
  const random = randomFrom(SEED)
  switch (field.kind) {
    case 'text':
      return measureTexts(field, sample, random)
    case 'choice':
      return measureChoices(sample, random)
    case 'number':
    case 'time':
      return measureNumbers(field, sample, random)
  }
}
