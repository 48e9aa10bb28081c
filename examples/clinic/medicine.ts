import type { Random } from './random.js'

/** Not secret by themselves: a list that all clinics share. */
export const DIAGNOSES = [
  { code: 'E11', title: 'Type 2 diabetes mellitus' },
  { code: 'F41', title: 'Anxiety disorder' },
  { code: 'I10', title: 'Essential hypertension' },
  { code: 'J45', title: 'Asthma' },
  { code: 'M54', title: 'Back pain' },
  { code: 'Z34', title: 'Supervision of normal pregnancy' },
] as const

const ALLERGIES = ['penicillin', 'latex', 'peanuts', 'Hausstaub', '花粉']
const MEDICATION = ['metformin 500 mg', 'ramipril 5 mg', 'salbutamol', 'ibuprofen 400 mg', 'levothyroxine 75 µg']
const BLOOD = ['0+', '0−', 'A+', 'A−', 'B+', 'B−', 'AB+', 'AB−']
const REASONS = [
  'blood pressure check',
  'shortness of breath at night',
  'Rückenschmerzen seit drei Wochen',
  '复诊：血糖偏高',
  'vaccination',
  'cannot sleep; asks for a referral 🌙',
]

export function inventHistory(random: Random) {
  return {
    bloodGroup: random.pick(BLOOD),
    allergies: random.some(ALLERGIES, random.below(3)),
    medication: random.some(MEDICATION, random.below(3)).map((name) => ({ name, since: random.between(2009, 2025) })),
    smoker: random.chance(20),
  }
}

export function inventVisit(random: Random) {
  const day = String(random.between(1, 28)).padStart(2, '0')
  return {
    at: new Date(`2025-0${random.between(1, 9)}-${day}T0${random.between(8, 9)}:30:00Z`),
    reason: random.pick(REASONS),
    ...(random.chance(80) && {
      notes: { pressure: `${random.between(105, 160)}/${random.between(60, 95)}`, followUp: random.chance(30) },
    }),
    diagnoses: { connect: random.some(DIAGNOSES, random.below(3)).map(({ code }) => ({ code })) },
  }
}
