'use server'

import { revalidatePath } from 'next/cache'
import { cookies } from 'next/headers'
import { admit } from '../lib/patients'

const text = (form: FormData, name: string) => String(form.get(name) ?? '')

export async function admitPatient(form: FormData) {
  await admit({ name: text(form, 'name'), email: text(form, 'email') })
  revalidatePath('/')
}

export async function signIn(form: FormData) {
  const jar = await cookies()
  jar.set('clinic', text(form, 'clinic'), { httpOnly: true, sameSite: 'strict' })
}
