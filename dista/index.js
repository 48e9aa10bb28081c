import { t as FieldsealError } from "./errors-DjzEY_1A.js";
import { i as withTenant } from "./tenant-BAXs63ID.js";
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
export { FieldsealError, defineConfig, withTenant };
