Object.defineProperty(exports, Symbol.toStringTag, { value: "Module" });
const require_errors = require("./errors-BaUhUZ7f.cjs");
const require_tenant = require("./tenant-D49FRunb.cjs");
//#region src/cli/config.ts
/**
* Types the configuration of the command `fieldseal`.
*
* @example
* ```ts
* // fieldseal.config.ts
* import { defineConfig } from 'fieldseal'
* import { prisma } from './src/prisma'
*
* export default defineConfig({ client: prisma, tenants: { Contact: 'patient.clinicId' } })
* ```
*/
function defineConfig(config) {
	return config;
}
//#endregion
exports.FieldsealError = require_errors.FieldsealError;
exports.defineConfig = defineConfig;
exports.withTenant = require_tenant.withTenant;
