require("./duration-C3QRX9XE.cjs");
const require_bytes = require("./bytes-UyNi12Qz.cjs");
let node_crypto = require("node:crypto");
//#region src/kms/keyWrap.ts
const NONCE = 12;
const TAG = 16;
/** prefix ‖ base64url(nonce(12) ‖ AES-256-GCM(DEK) ‖ tag(16)). Leaves `dek` as it is. */
function wrapDek({ prefix, key, aad }, dek) {
	const nonce = (0, node_crypto.randomBytes)(NONCE);
	const cipher = (0, node_crypto.createCipheriv)("aes-256-gcm", key, nonce).setAAD(aad);
	return prefix + Buffer.concat([
		nonce,
		cipher.update(dek),
		cipher.final(),
		cipher.getAuthTag()
	]).toString("base64url");
}
/** The DEK in memory of its own, to be zeroed by the caller; `null` for a text that was not made with this key and AAD. */
function unwrapDek({ prefix, key, aad }, text) {
	const body = text.startsWith(prefix) ? require_bytes.decodeBase64url(text.slice(prefix.length)) : null;
	if (body?.length !== NONCE + 32 + TAG) return null;
	const decipher = (0, node_crypto.createDecipheriv)("aes-256-gcm", key, body.subarray(0, NONCE)).setAAD(aad);
	decipher.setAuthTag(body.subarray(-TAG));
	const dek = decipher.update(body.subarray(NONCE, -TAG));
	try {
		decipher.final();
		return dek;
	} catch {
		dek.fill(0);
		return null;
	}
}
//#endregion
Object.defineProperty(exports, "unwrapDek", {
	enumerable: true,
	get: function() {
		return unwrapDek;
	}
});
Object.defineProperty(exports, "wrapDek", {
	enumerable: true,
	get: function() {
		return wrapDek;
	}
});
