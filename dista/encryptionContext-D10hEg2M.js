import { n as quoted, t as FieldsealError } from "./errors-DjzEY_1A.js";
import { createSecretKey, hkdfSync } from "node:crypto";
const INFO = {
	encrypt: "fieldseal/1 aes-256-gcm",
	index: "fieldseal/1 blind-index",
	wrap: "fieldseal/1 dek-wrap"
};
/** As `deriveKey`; `make` may read the key's bytes until it returns, when they are zeroed. */
function deriveWith(dek, use, make) {
	const bytes = hkdfSha256({
		key: dek,
		salt: new Uint8Array(0),
		info: Buffer.from(INFO[use]),
		length: 32
	});
	try {
		const key = createSecretKey(bytes);
		return {
			key,
			made: make(key, bytes)
		};
	} finally {
		bytes.fill(0);
	}
}
/** HKDF-SHA-256 (RFC 5869), extract and expand. */
function hkdfSha256({ key, salt, info, length }) {
	return Buffer.from(hkdfSync("sha256", key, salt, info, length));
}
//#endregion
//#region src/keys/encryptionContext.ts
/** Tencent Cloud KMS takes no longer context. UTF-8 bytes of the whole JSON text. */
const MAX_BYTES = 1024;
/**
* The encryption context of a DEK: canonical JSON (sorted keys, no blanks), because a KMS compares it as text.
* A character outside ASCII counts two to four bytes, a quote or a control character two to six.
*
* @returns at most 1,024 UTF-8 bytes
* @throws `TENANT_INVALID` when the tenant id is too long for it
* @example
* ```ts
* encryptionContext({ key: '0f8fad5b-d9cb-469f-a165-70867728950e', purpose: 'encrypt', tenant: 'acme' })
* // '{"key":"0f8fad5b-d9cb-469f-a165-70867728950e","purpose":"encrypt","tenant":"acme"}'
* ```
*/
function encryptionContext({ key, purpose, tenant }) {
	const context = JSON.stringify({
		key,
		purpose,
		tenant
	});
	const bytes = Buffer.byteLength(context, "utf8");
	if (bytes > MAX_BYTES) throw tooLong(tenant, bytes);
	return context;
}
function tooLong(tenant, bytes) {
	return new FieldsealError("TENANT_INVALID", `The tenant id ${quoted(`${tenant.slice(0, 32)}…`)} is too long: its encryption context takes ${bytes} bytes and a KMS accepts ${MAX_BYTES}. Shorten the id by ${bytes - MAX_BYTES} bytes, or use a digest of it as the tenant id.`);
}
//#endregion
export { deriveWith as n, encryptionContext as t };
