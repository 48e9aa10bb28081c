import { setTimeout as sleep } from 'node:timers/promises'
import type { Kms } from '../../../src/keys/kms.js'
import type { ClinicUnderTest } from '../../support/clinic.js'
import { until } from '../../support/until.js'

const TENANTS = ['acme', 'globex'] as const
/** In milliseconds: so short that DEKs are unwrapped again and again. */
const TTL = 150
const KEYS = { ttl: TTL, staleFor: 0 }
const PROCESSES = 2

type Client = ClinicUnderTest['prisma']
type Tenant = (typeof TENANTS)[number]

interface Row {
  readonly clinicId: Tenant
  readonly number: number
}

/** The processes of one deployment, as far as they differ from those of another: by their clients. */
interface Process {
  readonly client: Client
  readonly stop: () => Promise<void>
  written: number
  read: number
}

/** An app whose processes write and read as long as they run, and remember what failed. */
export class RunningApp {
  /** Rows whose writing was acknowledged. */
  readonly rows: Row[] = []
  readonly failures: string[] = []
  readonly #clinic: ClinicUnderTest
  #processes: Process[] = []
  #last = 0

  constructor(clinic: ClinicUnderTest) {
    this.#clinic = clinic
  }

  /**
   * Replaces the processes one by one, as a deployment does: those of before and after run side by side for a while, and
   * each reads what the other has written.
   *
   * @param kmsOf the KMS as a process has it: memory of its own, and none of another's
   * @param whileBoth what happens while there are processes of both
   */
  async deploy(kmsOf: () => Kms, whileBoth?: () => Promise<unknown>): Promise<void> {
    const before = this.#processes
    this.#processes = [...before, ...Array.from({ length: PROCESSES }, () => this.#start(kmsOf()))]
    await this.goOn()
    if (whileBoth) {
      await whileBoth()
      await this.goOn()
    }
    this.#processes = this.#processes.slice(before.length)
    await Promise.all(before.map((process) => process.stop()))
    await this.goOn()
  }

  /** Lets each process write and read some more, for longer than it may hold a DEK. */
  async goOn(): Promise<void> {
    const begun = this.#processes.map((process) => ({ process, written: process.written, read: process.read }))
    await sleep(2 * TTL)
    await until('each process has written and read again', () =>
      begun.every(({ process, written, read }) => process.written > written + 3 && process.read > read + 3),
    )
  }

  async stop(): Promise<void> {
    await Promise.all(this.#processes.splice(0).map((process) => process.stop()))
  }

  /** What a process that starts now cannot read and find of all that was acknowledged, or reads wrong. */
  async missing(kms: Kms): Promise<readonly Row[]> {
    const client = this.#clinic.another({ kms, keys: KEYS, pool: 2 })
    const rows = [...this.rows]
    const found = new Set<string>()
    for (const clinicId of TENANTS) {
      const ofTenant = await client.$forTenant(clinicId).patient.findMany({ where: { clinicId } })
      for (const { number, name } of ofTenant) found.add(`${clinicId} ${number} ${name}`)
    }
    await client.$disconnect()
    return rows.filter((row) => !found.has(`${row.clinicId} ${row.number} ${nameOf(row)}`))
  }

  #start(kms: Kms): Process {
    const client = this.#clinic.another({ kms, keys: KEYS, pool: 3 })
    let going = true
    const loop = async (step: () => Promise<unknown>) => {
      for (; going; await sleep(5)) await step().catch((error) => this.failures.push(String(error)))
    }
    const work: Promise<void>[] = []
    const stop = async () => {
      going = false
      await Promise.all(work)
      await client.$disconnect()
    }
    const process: Process = { client, stop, written: 0, read: 0 }
    work.push(
      loop(() => this.#write(process)),
      loop(() => this.#read(process)),
    )
    return process
  }

  async #write(process: Process): Promise<void> {
    this.#last += 1
    const row = { clinicId: TENANTS[this.#last % TENANTS.length]!, number: this.#last }
    const data = { ...row, name: nameOf(row), email: emailOf(row) }
    await process.client.$forTenant(row.clinicId).patient.create({ data, select: { id: true } })
    this.rows.push(row)
    process.written += 1
  }

  async #read(process: Process): Promise<void> {
    const row = this.rows[Math.floor(Math.random() * this.rows.length)]
    if (!row) return
    const patients = process.client.$forTenant(row.clinicId).patient
    const { clinicId, number } = row
    const read = await patients.findUnique({ where: { clinicId_number: { clinicId, number } } })
    if (read?.name !== nameOf(row)) this.failures.push(`${clinicId} ${number} was read as ${read?.name}`)
    const found = await patients.findFirst({ where: { clinicId, email: emailOf(row) }, select: { number: true } })
    if (found?.number !== number) this.failures.push(`${clinicId} ${number} was not found by its e-mail address`)
    process.read += 1
  }
}

function nameOf({ clinicId, number }: Row): string {
  return `${clinicId} has patient ${number}`
}

function emailOf({ clinicId, number }: Row): string {
  return `${number}@${clinicId}.example`
}
