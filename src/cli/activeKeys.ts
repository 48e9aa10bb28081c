import type { KeySurvey } from '../maintenance/postgres/survey.js'

const DAY = 86_400_000

/** Active keys by their age in days, the oldest first; of the same day those that encrypted most, then by tenant. */
export function oldestFirst(keys: readonly KeySurvey[], at: string): KeySurvey[] {
  const active = keys.filter(({ state }) => state === 'active')
  return active.sort(
    (one, other) =>
      Math.floor(ageInDays(other, at)) - Math.floor(ageInDays(one, at)) ||
      other.messages - one.messages ||
      (one.tenant < other.tenant ? -1 : one.tenant > other.tenant ? 1 : 0),
  )
}

export function ageInDays({ createdAt }: KeySurvey, at: string): number {
  return (Date.parse(at) - Date.parse(createdAt)) / DAY
}

/** The KEK of a key, with its KMS unless its id names that: `tencent c57f…`, `local:3f2a…`. */
export function kekName({ kms, kekId }: Pick<KeySurvey, 'kms' | 'kekId'>): string {
  return kekId.startsWith(`${kms}:`) ? kekId : `${kms} ${kekId}`
}
