import type { AddressInfo } from 'node:net'
import { app } from './app.js'
import { prisma } from './prisma.js'

const server = app.listen(Number(process.env.PORT ?? 3000), (error) => {
  if (error) throw error
  console.log(`listening on ${(server.address() as AddressInfo).port}`)
})

/** Answers what has been asked, then lets go of the database. A connection that is in use would be kept for ever. */
function stop(): void {
  server.prependListener('request', (_request, response) => response.setHeader('connection', 'close'))
  server.close(() => prisma.$disconnect())
}

process.once('SIGTERM', stop)
process.once('SIGINT', stop)
