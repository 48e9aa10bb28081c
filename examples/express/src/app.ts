import express from 'express'
import { errors } from './errors.js'
import { patients } from './patients.js'
import { tenant } from './tenant.js'

export const app = express()

app.disable('x-powered-by')
// Before the tenant: what reads a request goes on when the socket has something, and not every reader keeps the tenant.
app.use(express.json())
app.use('/patients', tenant, patients)
app.use(errors)
