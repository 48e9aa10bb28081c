Object.defineProperty(exports, Symbol.toStringTag, { value: "Module" });
require("../duration-C3QRX9XE.cjs");
const require_errors = require("../errors-BaUhUZ7f.cjs");
const require_bytes = require("../bytes-UyNi12Qz.cjs");
const require_encryptionContext = require("../encryptionContext-CMJbxhXX.cjs");
const require_strictDecode = require("../strictDecode-DuTogaTi.cjs");
const require_keyWrap = require("../keyWrap-CXIHM0IB.cjs");
let node_crypto = require("node:crypto");
let node_fs = require("node:fs");
//#region src/kms/kek.ts
const KEK_BYTES = 32;
/** Reads the KEK and zeroes every copy of its bytes but the `KeyObject`'s. */
function loadKek(source) {
	const bytes = kekBytes(source);
	try {
		return (0, node_crypto.createSecretKey)(bytes);
	} finally {
		bytes.fill(0);
	}
}
function kekBytes({ key, keyFile, env }) {
	if ([
		key,
		keyFile,
		env
	].filter((given) => given !== void 0).length !== 1) throw invalid("localKms needs exactly one of the options \"key\", \"keyFile\" and \"env\"");
	if (key !== void 0) return fromText(key, "The option \"key\" of localKms");
	if (keyFile !== void 0) return fromFile(keyFile);
	const text = process.env[String(env)];
	if (!text) throw invalid(`The environment variable ${env}, named by the option "env" of localKms, is not set`);
	return fromText(text, `The environment variable ${env}`);
}
function fromFile(file) {
	const bytes = readKeyFile(file);
	if (bytes.length === KEK_BYTES) return bytes;
	try {
		return fromText(bytes.toString("latin1"), `The file ${file}, named by the option "keyFile" of localKms,`);
	} finally {
		bytes.fill(0);
	}
}
function readKeyFile(file) {
	try {
		return (0, node_fs.readFileSync)(file);
	} catch (cause) {
		throw invalid(`The file ${file}, named by the option "keyFile" of localKms, cannot be read`, { cause });
	}
}
function fromText(given, what) {
	const text = typeof given === "string" ? given.trim() : "";
	const bytes = require_strictDecode.decodeKey(text, "base64") ?? require_strictDecode.decodeKey(text, "hex");
	if (!bytes) throw invalid(`${what} must hold ${KEK_BYTES} bytes as base64 (44 characters) or hex (64 characters)`);
	return bytes;
}
function invalid(what, options) {
	return new require_errors.FieldsealError("OPTIONS_INVALID", `${what}. Make a key with: openssl rand -base64 32`, options);
}
//#endregion
//#region src/kms/local.ts
const PREFIX = "fslk1.";
const LABEL = require_bytes.lengthPrefixed("fieldseal/1 local-kms");
const NAMES = [
	"key",
	"keyFile",
	"env",
	"allowInProduction"
];
/**
* DEKs wrapped by one KEK that your process holds itself: for development and tests. Who takes over the process or
* reads its files has the KEK and with it all data; a KMS would keep it. A wrapped DEK is
* `fslk1.` ‖ base64url(nonce(12) ‖ AES-256-GCM(DEK) ‖ tag(16)), AAD = LP("fieldseal/1 local-kms") ‖ LP(encryption context).
*
* @throws FieldsealError `OPTIONS_INVALID` for a KEK that is missing or not 32 bytes, and in production unless allowed.
* Its methods throw `KMS_KEY_UNUSABLE` for a DEK under another KEK, `KMS_REFUSED` for a changed one, `TENANT_INVALID`.
* @example
* ```ts
* import { localKms } from 'fieldseal/local-kms'
*
* const kms = localKms({ env: 'FIELDSEAL_KEK' }) // FIELDSEAL_KEK=$(openssl rand -base64 32)
* ```
*/
function localKms(options) {
	checkOptions(options);
	const kek = loadKek(options);
	const kekId = idOf(kek);
	return {
		name: "local",
		generate: async (identity) => {
			const aad = aadOf(identity);
			const dek = (0, node_crypto.randomBytes)(32);
			return {
				dek,
				wrapped: require_keyWrap.wrapDek({
					prefix: PREFIX,
					key: kek,
					aad
				}, dek),
				kekId
			};
		},
		unwrap: async (wrapped, identity) => {
			if (wrapped.kekId !== kekId) throw otherKek(wrapped, kekId);
			return unwrap(kek, wrapped, aadOf(identity));
		},
		wrap: async (dek, identity) => {
			return {
				wrapped: require_keyWrap.wrapDek({
					prefix: PREFIX,
					key: kek,
					aad: aadOf(identity)
				}, dek),
				kekId
			};
		},
		rewrap: async (wrapped) => {
			if (wrapped.kekId !== kekId) throw otherKek(wrapped, kekId);
			return wrapped;
		}
	};
}
function checkOptions(options) {
	const unknown = Object.keys(options).find((name) => !NAMES.includes(name));
	if (unknown !== void 0) throw new require_errors.FieldsealError("OPTIONS_INVALID", `The option "${unknown}" of localKms does not exist; there are ${NAMES.join(", ")}.`);
	if (process.env.NODE_ENV !== "production" || options.allowInProduction === true) return;
	throw new require_errors.FieldsealError("OPTIONS_INVALID", "localKms keeps the KEK beside the data it protects, so it does not start with NODE_ENV=production. Use a KMS, such as tencentKms, or accept that with allowInProduction: true.");
}
/** Names the KEK without telling anything about it: a derived check value. */
function idOf(kek) {
	return `local:${Buffer.from((0, node_crypto.hkdfSync)("sha256", kek, Buffer.alloc(0), "fieldseal/1 local-kms check value", 8)).toString("hex")}`;
}
function aadOf(identity) {
	return Buffer.concat([LABEL, require_bytes.lengthPrefixed(require_encryptionContext.encryptionContext(identity))]);
}
function unwrap(kek, { wrapped, kekId }, aad) {
	const dek = require_keyWrap.unwrapDek({
		prefix: PREFIX,
		key: kek,
		aad
	}, wrapped);
	if (!dek) throw refused(kekId);
	return dek;
}
function otherKek(wrapped, kekId) {
	return new require_errors.FieldsealError("KMS_KEY_UNUSABLE", `The DEK is wrapped by the KEK ${wrapped.kekId}, and localKms was given the KEK ${kekId}. Give it the KEK of then.`);
}
function refused(kekId) {
	return new require_errors.FieldsealError("KMS_REFUSED", `The wrapped DEK does not open under the KEK ${kekId}: it was changed, or it belongs to another DEK id, purpose or tenant. Compare its row of the keys table with a backup.`);
}
//#endregion
exports.localKms = localKms;
