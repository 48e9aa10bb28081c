import { z } from 'zod'
import { haveKeys } from './keys.js'
import { prisma } from './prisma.js'

const Placed = z.strictObject({
  id: z.uuid(),
  email: z.email(),
  address: z.record(z.string(), z.string()),
  cents: z.int().positive(),
})
const Search = z.strictObject({ email: z.string() })

/** Its id is the caller's, so that whoever asks again after an error has ordered once. */
export async function placeOrder(shop: string, body: unknown): Promise<{ readonly id: string }> {
  const { id, email, address, cents } = Placed.parse(body)
  await haveKeys()
  return prisma.$transaction(async (tx) => {
    const known = await tx.customer.findFirst({ where: { shop, email } })
    const { id: customerId } = known ?? (await tx.customer.create({ data: { shop, email } }))
    const create = { id, shop, customerId, address, cents }
    return tx.order.upsert({ where: { id, shop }, create, update: {}, select: { id: true } })
  })
}

export function findOrders(shop: string, body: unknown) {
  const { email } = Search.parse(body)
  const select = { id: true, address: true, cents: true }
  return prisma.order.findMany({ where: { shop, customer: { shop, email } }, select })
}
