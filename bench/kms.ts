import { pkcs11 } from './pkcs11.js'

await pkcs11()
