import { makeApp } from './app.js'

const app = makeApp()
await app.listen({ port: Number(process.env.PORT ?? 3000), host: process.env.HOST ?? '127.0.0.1' })

/** Fastify answers what has been asked, and then runs what waits for its end. */
const stop = () => app.close()

process.once('SIGTERM', stop)
process.once('SIGINT', stop)
