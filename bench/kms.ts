import { vault } from './kmsVault.js'

await vault()
