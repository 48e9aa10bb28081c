import type { Patient } from './patient.entity.js'

/** What is said of a patient who comes. */
export type Admission = Pick<Patient, 'name' | 'email'> & Partial<Pick<Patient, 'phone' | 'allergies'>>
