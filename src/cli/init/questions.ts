import { type CANCEL_SYMBOL, confirm, isCancel, multiselect, select } from '@clack/prompts'
import type { Candidate, Tenancy } from './answers.js'
import { kmsCode } from './kmsCode.js'
import { KMS_NAMES } from './kmsNames.js'
import type { Asked } from './resolveAnswers.js'

/** Ctrl-C at a question: nothing was done. */
export class Interrupted extends Error {}

/** Asks in the terminal, one thing after another. */
export const QUESTIONS: Asked = {
  fields: (candidates, proposal) =>
    answered(
      multiselect({
        message: 'Which fields are to be encrypted?',
        options: personalFirst(candidates).map(optionOf),
        initialValues: [...proposal],
        required: false,
      }),
    ),
  blindIndexes: (candidates, proposal) =>
    answered(
      multiselect({
        message: 'Which of them are searched by equal values? (A blind index shows which rows have the same.)',
        options: candidates.map(optionOf),
        initialValues: [...proposal],
        required: false,
      }),
    ),
  migrating: (proposal) =>
    answered(
      confirm({
        message: 'Are there rows already? (Then their plaintext can be read until it is encrypted.)',
        initialValue: proposal,
      }),
    ),
  tenancy: async (columns, proposal) => {
    const kinds: Tenancy[] = [
      ...columns.filter(({ isLikely }) => isLikely).map(({ name }): Tenancy => ({ kind: 'many', column: name })),
      { kind: 'many', column: undefined },
      { kind: 'single' },
    ]
    const value = await answered(
      select({
        message: 'Whose are the rows? Each tenant has keys of its own.',
        options: kinds.map((kind) => ({ value: tenancyText(kind), label: tenancyText(kind) })),
        initialValue: tenancyText(proposal),
      }),
    )
    return kinds.find((kind) => tenancyText(kind) === value)!
  },
  kms: (proposal) =>
    answered(
      select({
        message: 'Whose KMS wraps the keys?',
        options: KMS_NAMES.map((value) => ({ value, label: kmsCode(value).label })),
        initialValue: proposal,
      }),
    ),
}

/** @throws Interrupted at Ctrl-C */
export async function answered<Value>(answer: Promise<Value | typeof CANCEL_SYMBOL>): Promise<Value> {
  const value = await answer
  if (isCancel(value)) throw new Interrupted()
  return value
}

function personalFirst(candidates: readonly Candidate[]): Candidate[] {
  return [...candidates].sort((one, other) => Number(other.looksPersonal) - Number(one.looksPersonal))
}

function optionOf({ name }: Candidate): { readonly value: string; readonly label: string } {
  return { value: name, label: name }
}

function tenancyText(tenancy: Tenancy): string {
  if (tenancy.kind === 'single') return 'one tenant for all rows'
  return tenancy.column === undefined ? 'many tenants, no column says which' : `many tenants, by ${tenancy.column}`
}
