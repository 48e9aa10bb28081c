import { maskEmail } from './email.js'
import { HIDDEN, maskHidden } from './hidden.js'
import { maskInitials } from './initials.js'
import { maskLast4 } from './last4.js'
import { maskPhone } from './phone.js'

/** The name in `@encrypted(mask: …)`. */
export type MaskName = 'email' | 'phone' | 'last4' | 'initials' | 'hidden'

/** What is shown of a text to who may not read it. It takes any text. */
export type Mask = (text: string) => string

export const MASKS: { readonly [name in MaskName]: Mask } = {
  email: maskEmail,
  phone: maskPhone,
  last4: maskLast4,
  initials: maskInitials,
  hidden: maskHidden,
}

export const MASK_NAMES = Object.keys(MASKS) as MaskName[]

/** Whether a mask shows nothing of the text, so that the text need not be known. */
export function showsNothing(name: MaskName): boolean {
  return name === 'hidden'
}

/** Whether a text is what masks give, and so not the value that it stands for. */
export function looksMasked(text: string): boolean {
  return text.includes(HIDDEN)
}
