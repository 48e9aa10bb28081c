//#region src/errors.ts
/** Text from outside, in a message: in quotes and on one line, whatever it holds. */
function quoted(text) {
	return JSON.stringify(String(text));
}
/**
* The one error class of this library. Messages name model, field, tenant or key id and what to do next;
* never a value, a ciphertext or key material.
*
* @example
* ```ts
* import { FieldsealError } from 'fieldseal'
*
* try {
*   await prisma.$forTenant('acme').patient.findMany()
* } catch (error) {
*   if (FieldsealError.is(error, 'TENANT_MISMATCH')) audit(error)
*   throw error
* }
* ```
*/
var FieldsealError = class extends Error {
	name = "FieldsealError";
	code;
	constructor(code, message, options) {
		super(message, options);
		this.code = code;
	}
	/** Tells this library's errors from others, also across its ESM and CommonJS builds. */
	static is(error, code) {
		return error?.name === "FieldsealError" && (code === void 0 || error.code === code);
	}
};
//#endregion
export { quoted as n, FieldsealError as t };
