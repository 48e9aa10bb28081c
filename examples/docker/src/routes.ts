import { database } from './database.js'

/** What is asked of the API. */
export interface Asked {
  /** Of the header `x-tenant`. It stands for whatever your login says: take it from a verified token. */
  readonly clinic: string
  readonly search: URLSearchParams
  readonly body: unknown
}

type Route = (asked: Asked) => Promise<unknown>

export const ROUTES: { readonly [route: string]: Route } = {
  async 'GET /health'() {
    await database.$queryRaw`SELECT 1`
    return { engine: database.$encryption.stats().engine }
  },

  'GET /patients': ({ clinic, search }) =>
    database.$forTenant(clinic).patient.findMany({ where: { clinic, email: search.get('email') ?? '' } }),

  'POST /patients'({ clinic, body }) {
    const { name, email } = body as { name: string; email: string }
    return database.$forTenant(clinic).patient.create({ data: { clinic, name, email } })
  },
}
