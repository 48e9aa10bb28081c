import { patients } from '../lib/patients'
import { clinicOfRequest } from '../lib/session'
import { admitPatient, signIn } from './actions'

export default async function Page() {
  const clinic = await clinicOfRequest()
  if (clinic === undefined) {
    return (
      <form action={signIn}>
        <input name="clinic" placeholder="Clinic" required />
        <button type="submit">Sign in</button>
      </form>
    )
  }
  return (
    <main>
      <h1>{clinic}</h1>
      <ul>
        {(await patients()).map(({ id, name, email }) => (
          <li key={id}>{`${name}, ${email}`}</li>
        ))}
      </ul>
      <form action={admitPatient}>
        <input name="name" placeholder="Name" required />
        <input name="email" type="email" placeholder="Email" required />
        <button type="submit">Admit</button>
      </form>
    </main>
  )
}
