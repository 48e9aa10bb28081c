import { prisma } from './prisma.js'

/** Keys that are not asked for before an invocation needs them, if the KMS is down at the start. */
export async function warmUp(tenants: readonly string[]): Promise<void> {
  try {
    await prisma.$encryption.warm(tenants, { purposes: ['encrypt', 'index'] })
  } catch (error) {
    console.error('not warmed up:', error instanceof Error ? error.message : error)
  }
}

/**
 * Has the keys of the tenant in memory, new ones if it has none. In an interactive transaction they would need a second
 * connection, and there is none.
 */
export async function haveKeys(): Promise<void> {
  await prisma.$encryption.encrypt('Customer.email', '')
  await prisma.$encryption.blindIndex('Customer.emailIndex', '')
}
