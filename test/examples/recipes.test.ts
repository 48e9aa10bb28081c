import { rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { afterAll, beforeAll } from '@jest/globals'
import { installApps, type Workspace } from '../package/packed.js'
import { describeHttpApi } from './recipes/httpApi.js'
import { describeServerless } from './recipes/serverless.js'
import { describeWorker } from './recipes/worker.js'

const MINUTES = 60_000
const APPS = ['express', 'fastify', 'serverless', 'worker']

let workspace: Workspace

/** All of them in one test file, as they share what is installed. */
beforeAll(async () => {
  workspace = await installApps(APPS)
  process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= resolve('scripts/schema-engine.mjs')
  process.env.CHECKPOINT_DISABLE = '1'
  for (const app of APPS) await workspace.command(app, {}, 'npm', 'run', 'build')
}, 10 * MINUTES)
afterAll(async () => {
  if (workspace) await rm(workspace.folder, { recursive: true })
}, MINUTES)

const given = () => workspace

describeHttpApi(
  {
    name: 'express',
    path: '/patients',
    table: 'patients',
    tenant: 'clinic',
    somebody: { name: 'Ada Lovelace', email: 'Ada@example.com', phone: '+44 20 7946', allergies: ['Hazelnuts'] },
  },
  given,
)
describeHttpApi(
  {
    name: 'fastify',
    path: '/employees',
    table: 'employees',
    tenant: 'company',
    somebody: { name: 'Grace Hopper', email: 'Grace@example.com', salary: 87_654_321 },
  },
  given,
)
describeServerless(given)
describeWorker(given)
