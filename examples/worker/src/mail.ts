/** Of the mail service, without what was sent to it. */
export class MailError extends Error {
  readonly code = 'MAIL_UNAVAILABLE'
}

/** Where MAIL_URL names no service, it says only that there would be a mail. */
export async function sendMail(to: string, text: string): Promise<void> {
  if (process.env.MAIL_URL === undefined) return console.log('a mail would be sent')
  const body = JSON.stringify({ to, text })
  const signal = AbortSignal.timeout(30_000)
  const response = await fetch(process.env.MAIL_URL, { method: 'POST', body, signal }).catch(() => undefined)
  if (!response?.ok) throw new MailError(`the mail service answered ${response?.status ?? 'nothing'}`)
}
