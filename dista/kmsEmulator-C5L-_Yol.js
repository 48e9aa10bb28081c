import { t as FieldsealError } from "./errors-DjzEY_1A.js";
import { constants, createCipheriv, createDecipheriv, createHash, createHmac, createPublicKey, hkdfSync, publicEncrypt, randomBytes, randomUUID, timingSafeEqual } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { Agent, createServer } from "node:http";
//#region src/testing/apiError.ts
/** An error as the API answers it: HTTP 200 with a code and a message. */
var ApiError = class extends Error {
	name = "ApiError";
	code;
	constructor(code, message) {
		super(message);
		this.code = code;
	}
};
//#endregion
//#region src/testing/calls.ts
const REMEMBERED = 1e4;
/** Counts requests; remembers the last 10,000. */
var Calls = class {
	#counts = /* @__PURE__ */ new Map();
	#log = [];
	#inFlight = 0;
	#maxInFlight = 0;
	#connections = 0;
	#waiters = [];
	/** Requests since the start or the last `reset()`, of one action or of all. */
	count(action) {
		if (action !== void 0) return this.#counts.get(action) ?? 0;
		return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
	}
	get byAction() {
		return Object.fromEntries(this.#counts);
	}
	/** Oldest first. */
	get log() {
		return this.#log;
	}
	/** Requests that are being answered now. */
	get inFlight() {
		return this.#inFlight;
	}
	get maxInFlight() {
		return this.#maxInFlight;
	}
	/** TCP connections accepted. */
	get connections() {
		return this.#connections;
	}
	/** Resolves once `condition` holds; it is looked at whenever a request comes or goes. */
	until(condition) {
		return new Promise((resolve) => {
			this.#waiters.push({
				condition: () => condition(this),
				resolve
			});
			this.#wake();
		});
	}
	reset() {
		this.#counts = /* @__PURE__ */ new Map();
		this.#log = [];
		this.#maxInFlight = this.#inFlight;
		this.#connections = 0;
	}
	/** For the server: a request has come. */
	begin(action, requestId) {
		const call = {
			action,
			requestId,
			result: "pending"
		};
		this.#counts.set(action, this.count(action) + 1);
		this.#log.push(call);
		if (this.#log.length > REMEMBERED) this.#log.shift();
		this.#inFlight += 1;
		this.#maxInFlight = Math.max(this.#maxInFlight, this.#inFlight);
		this.#wake();
		return {
			note: (change) => Object.assign(call, change),
			end: () => this.#end()
		};
	}
	/** For the server: a connection was accepted. */
	connected() {
		this.#connections += 1;
	}
	#end() {
		this.#inFlight -= 1;
		this.#wake();
	}
	#wake() {
		const ready = this.#waiters.filter((waiter) => waiter.condition());
		this.#waiters = this.#waiters.filter((waiter) => !ready.includes(waiter));
		for (const waiter of ready) waiter.resolve();
	}
};
//#endregion
//#region src/testing/cmk.ts
function newCmk(options) {
	const { alias, keyId = randomUUID(), description = "", now } = options;
	return {
		keyId,
		alias,
		description,
		state: "Enabled",
		rotation: false,
		versions: [randomBytes(32)],
		createTime: Math.floor(now / 1e3),
		lastRotateTime: 0,
		deletionDate: 0
	};
}
/** Seals under the newest version, in the outer form of Tencent's blobs: base64, `-k-`, base64, `-k-`, base64. */
function seal(cmk, plaintext, context) {
	const version = cmk.versions.length - 1;
	const salt = randomBytes(32);
	const cipher = createCipheriv("aes-256-gcm", blobKey(cmk, version, salt), NONCE).setAAD(Buffer.from(context));
	const sealed = Buffer.concat([
		cipher.update(plaintext),
		cipher.final(),
		cipher.getAuthTag()
	]);
	return [
		Buffer.from(`${cmk.keyId}#${version}`),
		salt,
		sealed
	].map((part) => part.toString("base64")).join("-k-");
}
/** Opens a blob of this CMK; the context must be the same text. */
function unseal(cmk, blob, context) {
	const [, salt, sealed] = parts(blob);
	try {
		const decipher = createDecipheriv("aes-256-gcm", blobKey(cmk, blobKeyOf(blob).version, salt), NONCE).setAAD(Buffer.from(context));
		decipher.setAuthTag(sealed.subarray(-TAG));
		return Buffer.concat([decipher.update(sealed.subarray(0, -TAG)), decipher.final()]);
	} catch {
		throw invalidCiphertext();
	}
}
function blobKeyOf(blob) {
	const [head] = parts(blob);
	const [, keyId = "", version = ""] = /^([\w-]+)#(\d{1,6})$/.exec(head.toString()) ?? [];
	if (!keyId) throw invalidCiphertext();
	return {
		keyId,
		version: Number(version)
	};
}
const TAG = 16;
/** Each blob has a key of its own, so the nonce may be constant. */
const NONCE = Buffer.alloc(12);
function blobKey(cmk, version, salt) {
	const material = cmk.versions[version];
	if (!material) throw invalidCiphertext();
	return Buffer.from(hkdfSync("sha256", material, salt, "kms-emulator blob", 32));
}
function parts(blob) {
	const [head, salt, sealed, ...more] = blob.split("-k-").map((part) => Buffer.from(part, "base64"));
	if (!head || !salt || !sealed || more.length > 0 || sealed.length <= TAG) throw invalidCiphertext();
	return [
		head,
		salt,
		sealed
	];
}
function invalidCiphertext() {
	return new ApiError("InvalidParameterValue.InvalidCiphertext", "The ciphertext or its encryption context is not valid.");
}
//#endregion
//#region src/testing/cmks.ts
const ALIAS = /^[A-Za-z0-9][A-Za-z0-9_-]{0,59}$/;
/** How a state changes, from which states it may, and what the API answers otherwise. */
const TRANSITIONS = {
	enable: {
		from: ["Disabled", "Enabled"],
		to: "Enabled",
		refusal: "CmkStateNotSupport"
	},
	disable: {
		from: ["Enabled", "Disabled"],
		to: "Disabled",
		refusal: "CmkStateNotSupport"
	},
	archive: {
		from: ["Enabled"],
		to: "Archived",
		refusal: "CmkStateNotSupport"
	},
	cancelArchive: {
		from: ["Archived"],
		to: "Enabled",
		refusal: "CmkNotArchived"
	},
	scheduleDeletion: {
		from: ["Disabled"],
		to: "PendingDelete",
		refusal: "CmkShouldBeDisabled"
	},
	cancelDeletion: {
		from: ["PendingDelete"],
		to: "Disabled",
		refusal: "CmkNotPendingDelete"
	}
};
/** The CMKs of the emulator. */
var Cmks = class {
	#cmks = /* @__PURE__ */ new Map();
	#now;
	#changed;
	/** `changed` is called after each change, with all CMKs. */
	constructor(options) {
		this.#now = options.now;
		this.#changed = options.changed ?? (() => void 0);
		for (const cmk of options.initial ?? []) this.#cmks.set(cmk.keyId, cmk);
	}
	/** Oldest first. */
	get list() {
		this.#deleteDue();
		return [...this.#cmks.values()];
	}
	create(options) {
		this.#checkAlias(options.alias);
		const cmk = newCmk({
			...options,
			now: this.#now()
		});
		this.#cmks.set(cmk.keyId, cmk);
		this.#save();
		return cmk;
	}
	find(keyId) {
		this.#deleteDue();
		const cmk = this.#cmks.get(keyId);
		if (!cmk) throw new ApiError("ResourceUnavailable.CmkNotFound", "The CMK does not exist.");
		return cmk;
	}
	/** A CMK that may encrypt. */
	forEncryption(keyId) {
		const cmk = this.#forDecryption(keyId);
		if (cmk.state === "Archived") throw new ApiError("ResourceUnavailable.CmkArchived", "The CMK is archived.");
		return cmk;
	}
	open(blob, context) {
		const { keyId, version } = blobKeyOf(blob);
		const cmk = this.#forDecryption(keyId);
		return {
			cmk,
			version,
			plaintext: unseal(cmk, blob, context)
		};
	}
	/** @throws ApiError `ResourceUnavailable.*` when the CMK is in a state that does not allow it */
	change(keyId, transition) {
		const cmk = this.find(keyId);
		const { from, to, refusal } = TRANSITIONS[transition];
		if (!from.includes(cmk.state)) throw new ApiError(`ResourceUnavailable.${refusal}`, `The CMK is ${cmk.state}.`);
		return this.update(keyId, { state: to });
	}
	/** Adds a version: new ciphertexts are made with it, older ones stay readable. */
	rotate(keyId) {
		this.forEncryption(keyId).versions.push(randomBytes(32));
		return this.update(keyId, { lastRotateTime: Math.floor(this.#now() / 1e3) });
	}
	update(keyId, change) {
		const cmk = this.find(keyId);
		if (change.alias !== void 0 && change.alias !== cmk.alias) this.#checkAlias(change.alias);
		Object.assign(cmk, change);
		this.#save();
		return cmk;
	}
	#forDecryption(keyId) {
		const cmk = this.find(keyId);
		switch (cmk.state) {
			case "Enabled":
			case "Archived": return cmk;
			case "Disabled": throw new ApiError("ResourceUnavailable.CmkDisabled", "The CMK is disabled.");
			case "PendingDelete": throw new ApiError("ResourceUnavailable.KeyPendingDelete", "The CMK is pending deletion.");
			case "PendingImport": throw new ApiError("ResourceUnavailable.CmkStateNotSupport", "The CMK has no key material yet.");
		}
	}
	#checkAlias(alias) {
		if (!ALIAS.test(alias)) throw new ApiError("InvalidParameterValue.InvalidAlias", "The alias is not valid.");
		if (this.list.some((cmk) => cmk.alias === alias)) throw new ApiError("InvalidParameterValue.AliasAlreadyExists", "Another CMK has this alias.");
	}
	#deleteDue() {
		const due = [...this.#cmks.values()].filter((cmk) => cmk.state === "PendingDelete" && cmk.deletionDate > 0 && cmk.deletionDate * 1e3 <= this.#now());
		for (const cmk of due) this.#cmks.delete(cmk.keyId);
		if (due.length > 0) this.#save();
	}
	#save() {
		this.#changed([...this.#cmks.values()]);
	}
};
//#endregion
//#region src/testing/faults.ts
/** The faults to come, first in, first out. A request meets at most one. */
var Faults = class {
	#planned = [];
	#cleared = new AbortController();
	get list() {
		return this.#planned.map(({ fault, left }) => ({
			...fault,
			times: Number.isFinite(left) ? left : "always"
		}));
	}
	/** Returns a function that takes this fault back. */
	add(fault) {
		const planned = {
			fault,
			left: fault.times === "always" ? Number.POSITIVE_INFINITY : fault.times ?? 1
		};
		this.#planned.push(planned);
		return () => {
			this.#planned = this.#planned.filter((other) => other !== planned);
		};
	}
	/** Takes all faults back and lets held requests go on. */
	clear() {
		this.#planned = [];
		this.#cleared.abort();
		this.#cleared = new AbortController();
	}
	/** The fault that a request of this action meets now, if any. */
	take(action) {
		const next = this.#planned.find(({ fault }) => (fault.action ?? action) === action);
		if (!next) return void 0;
		next.left -= 1;
		if (next.left <= 0) this.#planned = this.#planned.filter((other) => other !== next);
		return next.fault;
	}
	/** Aborted by the next `clear()`. */
	get cleared() {
		return this.#cleared.signal;
	}
};
//#endregion
//#region src/testing/rateLimits.ts
const SECOND = 1e3;
/** Counts the requests of the last second per action, and refuses what is above the limit. */
var RateLimits = class {
	#limits;
	#now;
	#recent = /* @__PURE__ */ new Map();
	constructor(limits, now) {
		this.#limits = limits;
		this.#now = now;
	}
	/** @throws ApiError `RequestLimitExceeded` */
	take(action) {
		const limit = this.#limits[action];
		if (limit === void 0) return;
		const now = this.#now();
		const recent = (this.#recent.get(action) ?? []).filter((time) => time > now - SECOND);
		this.#recent.set(action, recent);
		if (recent.length >= limit) throw new ApiError("RequestLimitExceeded", `${action} exceeds its limit of ${limit} requests per second.`);
		recent.push(now);
	}
};
//#endregion
//#region src/testing/admin.ts
const routes = {
	"GET /_emulator/health": () => ({ ok: true }),
	"GET /_emulator/keys": ({ cmks }) => cmks.list.map(({ keyId, alias, state }) => ({
		keyId,
		alias,
		state
	})),
	"GET /_emulator/calls": ({ calls }) => ({
		total: calls.count(),
		byAction: calls.byAction,
		inFlight: calls.inFlight,
		maxInFlight: calls.maxInFlight,
		log: calls.log
	}),
	"DELETE /_emulator/calls": ({ calls }) => calls.reset(),
	"GET /_emulator/faults": ({ faults }) => faults.list,
	"POST /_emulator/faults": ({ faults }, body) => void faults.add(parseFault(body)),
	"DELETE /_emulator/faults": ({ faults }) => faults.clear()
};
/**
* Lets another process look at the emulator and break it. These paths are no part of Tencent's API and ask for no
* signature.
*/
function administer(emulation, request, response) {
	const name = `${request.method} ${request.url.split("?")[0]}`;
	const route = Object.hasOwn(routes, name) ? routes[name] : void 0;
	const [status, body] = route ? attempt(() => route(emulation, request.body.toString("utf8"))) : [404, {
		error: `There is no ${name}.`,
		routes: Object.keys(routes)
	}];
	response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
function attempt(run) {
	try {
		return [200, run() ?? { ok: true }];
	} catch (error) {
		return [400, { error: error instanceof Error ? error.message : "The request cannot be understood." }];
	}
}
const text = (value) => typeof value === "string" && value !== "";
const count = (value) => typeof value === "number" && Number.isInteger(value) && value >= 0;
const optional = (check) => (value) => value === void 0 || check(value);
const fields = {
	error: {
		code: text,
		message: optional(text)
	},
	status: { status: (value) => count(value) && Number(value) >= 200 && Number(value) <= 599 },
	delay: { ms: count },
	hold: {},
	hangUp: { when: (value) => value === "before" || value === "body" },
	truncate: {},
	stall: {},
	body: { body: (value) => typeof value === "string" }
};
const common = {
	action: optional(text),
	times: optional((value) => value === "always" || count(value) && value !== 0)
};
/** Checks a fault that came as JSON. */
function parseFault(body) {
	const fault = JSON.parse(body);
	const kind = String(fault?.kind);
	if (!fault || !Object.hasOwn(fields, kind)) throw new TypeError(`kind must be one of ${Object.keys(fields).join(", ")}.`);
	const checks = {
		...common,
		...fields[kind]
	};
	const given = { ...fault };
	const wrong = Object.keys(checks).find((field) => !checks[field]?.(given[field]));
	if (wrong) throw new TypeError(`A fault of kind "${kind}" has no valid "${wrong}".`);
	const unknown = Object.keys(given).find((field) => field !== "kind" && !(field in checks));
	if (unknown) throw new TypeError(`A fault of kind "${kind}" has no "${unknown}".`);
	return fault;
}
//#endregion
//#region src/testing/parameters.ts
const MAX_CONTEXT_BYTES = 1024;
function parseParameters(body) {
	const parameters = body.length === 0 ? {} : parseJson(body);
	if (typeof parameters !== "object" || parameters === null || Array.isArray(parameters)) throw new ApiError("InvalidParameter", "The body must be a JSON object.");
	return parameters;
}
function parseJson(body) {
	try {
		return JSON.parse(body.toString("utf8"));
	} catch {
		throw new ApiError("InvalidParameter", "The body is not JSON.");
	}
}
function checkNames(parameters, known) {
	const unknown = Object.keys(parameters).find((name) => !known.includes(name));
	if (unknown) throw new ApiError("UnknownParameter", `The parameter ${unknown} is not recognized.`);
}
function requiredText(parameters, name) {
	const value = optionalText(parameters, name);
	if (!value) throw new ApiError("MissingParameter", `The parameter ${name} is missing.`);
	return value;
}
function optionalText(parameters, name) {
	const value = parameters[name];
	if (value !== void 0 && typeof value !== "string") throw wrongType(name, "a string");
	return value;
}
function integer(parameters, name, range) {
	const value = parameters[name];
	if (value === void 0) return void 0;
	if (typeof value !== "number" || !Number.isInteger(value)) throw wrongType(name, "an integer");
	if (value < range.min || value > range.max) throw new ApiError("InvalidParameter", `${name} must be between ${range.min} and ${range.max}.`);
	return value;
}
function texts(parameters, name) {
	const value = parameters[name];
	if (!Array.isArray(value) || value.length === 0 || !value.every((item) => typeof item === "string")) throw wrongType(name, "a list of strings");
	return value;
}
/** The encryption context as the text it came as; `''` when there is none. */
function encryptionContext(parameters, name = "EncryptionContext") {
	const text = optionalText(parameters, name) ?? "";
	if (Buffer.byteLength(text) > MAX_CONTEXT_BYTES) throw new ApiError("InvalidParameter", `${name} is too long.`);
	if (text !== "" && !isJsonObject(text)) throw new ApiError("InvalidParameter", `${name} is not a JSON object.`);
	return text;
}
function isJsonObject(text) {
	try {
		const value = JSON.parse(text);
		return typeof value === "object" && value !== null && !Array.isArray(value);
	} catch {
		return false;
	}
}
function wrongType(name, wanted) {
	return new ApiError("InvalidParameter", `${name} must be ${wanted}.`);
}
//#endregion
//#region src/testing/sealedAnswer.ts
/** The parameters that ask for an answer which only the caller's private key opens. */
const SEALING = ["EncryptionPublicKey", "EncryptionAlgorithm"];
const BITS = 2048;
/** Tencent's names. SM2, its default, is not among them: OpenSSL encrypts with SM2 keys in no form that Tencent takes. */
const PADDINGS = {
	RSAES_PKCS1_V1_5: { padding: constants.RSA_PKCS1_PADDING },
	RSAES_OAEP_SHA_1: {
		padding: constants.RSA_PKCS1_OAEP_PADDING,
		oaepHash: "sha1"
	},
	RSAES_OAEP_SHA_256: {
		padding: constants.RSA_PKCS1_OAEP_PADDING,
		oaepHash: "sha256"
	}
};
/** How a plaintext is answered: as base64, or as base64 of what was encrypted to the caller's key. It zeroes the bytes. */
function answerer(parameters) {
	const pem = optionalText(parameters, "EncryptionPublicKey");
	if (!pem) return spend;
	const padding = PADDINGS[optionalText(parameters, "EncryptionAlgorithm") || "SM2"];
	if (!padding) throw invalid$1("EncryptionAlgorithm must be one of RSAES_…; the emulator has no SM2, the default.");
	const key = publicKey(pem);
	return (plaintext) => {
		const sealed = encrypted({
			key,
			...padding
		}, plaintext);
		plaintext.fill(0);
		return sealed.toString("base64");
	};
}
function encrypted(how, plaintext) {
	try {
		return publicEncrypt(how, plaintext);
	} catch {
		throw invalid$1("The plaintext is too long to be encrypted to EncryptionPublicKey.");
	}
}
/** Encodes bytes for the answer and zeroes them: the emulator keeps no plaintext. */
function spend(bytes) {
	const text = bytes.toString("base64");
	bytes.fill(0);
	return text;
}
function publicKey(pem) {
	const key = parsed(pem);
	if (!(key?.asymmetricKeyType === "rsa" && key.asymmetricKeyDetails?.modulusLength === BITS)) throw invalid$1(`EncryptionPublicKey must be the PEM of an RSA public key of ${BITS} bits.`);
	return key;
}
function parsed(pem) {
	try {
		return pem.includes("-----BEGIN PUBLIC KEY-----") ? createPublicKey(pem) : void 0;
	} catch {
		return;
	}
}
function invalid$1(message) {
	return new ApiError("InvalidParameter", message);
}
//#endregion
//#region src/testing/cryptoActions.ts
const MAX_PLAINTEXT_BYTES = 4096;
const SPEC_BYTES = {
	AES_128: 16,
	AES_256: 32
};
/** The actions that use key material. */
const cryptoActions = {
	GenerateDataKey: {
		takes: [
			"KeyId",
			"KeySpec",
			"NumberOfBytes",
			"EncryptionContext",
			...SEALING
		],
		run: (parameters, { cmks }) => {
			const cmk = cmks.forEncryption(requiredText(parameters, "KeyId"));
			const answer = answerer(parameters);
			const plaintext = randomBytes(dataKeyBytes(parameters));
			const CiphertextBlob = seal(cmk, plaintext, encryptionContext(parameters));
			return {
				KeyId: cmk.keyId,
				Plaintext: answer(plaintext),
				CiphertextBlob,
				DataKeyId: "",
				TagCode: 0,
				TagMsg: ""
			};
		}
	},
	Encrypt: {
		takes: [
			"KeyId",
			"Plaintext",
			"EncryptionContext"
		],
		run: (parameters, { cmks }) => {
			const cmk = cmks.forEncryption(requiredText(parameters, "KeyId"));
			const plaintext = decodePlaintext(requiredText(parameters, "Plaintext"));
			const CiphertextBlob = seal(cmk, plaintext, encryptionContext(parameters));
			plaintext.fill(0);
			return {
				CiphertextBlob,
				KeyId: cmk.keyId
			};
		}
	},
	Decrypt: {
		takes: [
			"CiphertextBlob",
			"EncryptionContext",
			...SEALING
		],
		run: (parameters, { cmks }) => {
			const answer = answerer(parameters);
			const { cmk, plaintext } = cmks.open(requiredText(parameters, "CiphertextBlob"), encryptionContext(parameters));
			return {
				KeyId: cmk.keyId,
				Plaintext: answer(plaintext)
			};
		}
	},
	ReEncrypt: {
		takes: [
			"CiphertextBlob",
			"DestinationKeyId",
			"SourceEncryptionContext",
			"DestinationEncryptionContext"
		],
		run: reEncrypt
	},
	GenerateRandom: {
		takes: ["NumberOfBytes"],
		run: (parameters) => {
			const bytes = integer(parameters, "NumberOfBytes", {
				min: 1,
				max: 1024
			});
			if (bytes === void 0) throw new ApiError("MissingParameter", "The parameter NumberOfBytes is missing.");
			return { Plaintext: spend(randomBytes(bytes)) };
		}
	}
};
function reEncrypt(parameters, { cmks }) {
	const blob = requiredText(parameters, "CiphertextBlob");
	const from = encryptionContext(parameters, "SourceEncryptionContext");
	const to = encryptionContext(parameters, "DestinationEncryptionContext");
	const { cmk, version, plaintext } = cmks.open(blob, from);
	const destination = cmks.forEncryption(optionalText(parameters, "DestinationKeyId") || cmk.keyId);
	const same = destination === cmk && version === cmk.versions.length - 1 && from === to;
	const CiphertextBlob = same ? blob : seal(destination, plaintext, to);
	plaintext.fill(0);
	return {
		CiphertextBlob,
		KeyId: destination.keyId,
		SourceKeyId: cmk.keyId,
		ReEncrypted: !same
	};
}
/** As with the real service, `NumberOfBytes` wins over `KeySpec`. */
function dataKeyBytes(parameters) {
	const bytes = integer(parameters, "NumberOfBytes", {
		min: 1,
		max: 1024
	});
	if (bytes !== void 0) return bytes;
	const spec = optionalText(parameters, "KeySpec");
	if (spec === "AES_128" || spec === "AES_256") return SPEC_BYTES[spec];
	throw new ApiError("InvalidParameter", "KeySpec must be AES_128 or AES_256, or NumberOfBytes be given.");
}
function decodePlaintext(text) {
	const bytes = Buffer.from(text, "base64");
	if (bytes.toString("base64") === text && bytes.length > 0 && bytes.length <= MAX_PLAINTEXT_BYTES) return bytes;
	throw new ApiError("InvalidParameterValue.InvalidPlaintext", `Plaintext must be base64 of 1 to ${MAX_PLAINTEXT_BYTES} bytes.`);
}
//#endregion
//#region src/testing/managementActions.ts
const DAY = 86400;
/** The numbers that ListKeyDetail takes for a state. */
const STATE_NUMBERS = {
	1: "Enabled",
	2: "Disabled",
	3: "PendingDelete",
	4: "PendingImport",
	5: "Archived"
};
/** The actions with which operators keep CMKs. */
const managementActions = {
	CreateKey: {
		takes: [
			"Alias",
			"Description",
			"KeyUsage",
			"Type",
			"Tags",
			"HsmClusterId"
		],
		run: createKey
	},
	DescribeKey: onKey((cmk) => ({ KeyMetadata: metadata(cmk) })),
	DescribeKeys: {
		takes: ["KeyIds"],
		run: (parameters, { cmks }) => ({ KeyMetadatas: texts(parameters, "KeyIds").map((keyId) => metadata(cmks.find(keyId))) })
	},
	ListKeys: {
		takes: [
			"Offset",
			"Limit",
			"Role",
			"HsmClusterId"
		],
		run: (parameters, { cmks }) => ({
			Keys: page(cmks.list, parameters).map((cmk) => ({ KeyId: cmk.keyId })),
			TotalCount: cmks.list.length
		})
	},
	ListKeyDetail: {
		takes: [
			"Offset",
			"Limit",
			"Role",
			"OrderType",
			"KeyState",
			"SearchKeyAlias",
			"Origin",
			"KeyUsage",
			"HsmClusterId"
		],
		run: listKeyDetail
	},
	UpdateAlias: {
		takes: ["KeyId", "Alias"],
		run: (parameters, { cmks }) => {
			cmks.update(requiredText(parameters, "KeyId"), { alias: requiredText(parameters, "Alias") });
			return {};
		}
	},
	UpdateKeyDescription: {
		takes: ["KeyId", "Description"],
		run: (parameters, { cmks }) => {
			cmks.update(requiredText(parameters, "KeyId"), { description: optionalText(parameters, "Description") ?? "" });
			return {};
		}
	},
	EnableKey: transition("enable"),
	DisableKey: transition("disable"),
	EnableKeys: transitions("enable"),
	DisableKeys: transitions("disable"),
	ArchiveKey: transition("archive"),
	CancelKeyArchive: transition("cancelArchive"),
	ScheduleKeyDeletion: {
		takes: ["KeyId", "PendingWindowInDays"],
		run: scheduleKeyDeletion
	},
	CancelKeyDeletion: onKey((cmk, { cmks }) => {
		cmks.change(cmk.keyId, "cancelDeletion");
		cmks.update(cmk.keyId, { deletionDate: 0 });
		return { KeyId: cmk.keyId };
	}),
	RotateKey: onKey((cmk, { cmks }) => {
		cmks.rotate(cmk.keyId);
		return { TaskId: randomUUID() };
	}),
	EnableKeyRotation: {
		...rotation(true),
		takes: ["KeyId", "RotateDays"]
	},
	DisableKeyRotation: rotation(false),
	GetKeyRotationStatus: onKey((cmk) => ({ KeyRotationEnabled: cmk.rotation })),
	GetServiceStatus: {
		takes: [],
		run: () => ({
			ServiceEnabled: true,
			InvalidType: 0,
			UserLevel: 0
		})
	},
	GetRegions: {
		takes: [],
		run: () => ({ Regions: [
			"ap-guangzhou",
			"ap-shanghai",
			"ap-beijing",
			"ap-singapore"
		] })
	}
};
function onKey(run) {
	return {
		takes: ["KeyId"],
		run: (parameters, world) => run(world.cmks.find(requiredText(parameters, "KeyId")), world)
	};
}
function transition(name) {
	return onKey((cmk, { cmks }) => {
		cmks.change(cmk.keyId, name);
		return {};
	});
}
function transitions(name) {
	return {
		takes: ["KeyIds"],
		run: (parameters, { cmks }) => {
			for (const cmk of texts(parameters, "KeyIds").map((keyId) => cmks.find(keyId))) cmks.change(cmk.keyId, name);
			return {};
		}
	};
}
function rotation(enabled) {
	return onKey((cmk, { cmks }) => {
		cmks.update(cmk.keyId, { rotation: enabled });
		return {};
	});
}
function createKey(parameters, { cmks }) {
	if ((optionalText(parameters, "KeyUsage") ?? "ENCRYPT_DECRYPT") !== "ENCRYPT_DECRYPT") throw new ApiError("InvalidParameterValue.InvalidKeyUsage", "The emulator has symmetric keys only.");
	const description = optionalText(parameters, "Description") ?? "";
	const { KeyId, Alias, CreateTime, KeyState, KeyUsage } = metadata(cmks.create({
		alias: requiredText(parameters, "Alias"),
		description
	}));
	return {
		KeyId,
		Alias,
		CreateTime,
		KeyState,
		KeyUsage,
		Description: description,
		TagCode: 0,
		TagMsg: "",
		HsmClusterId: ""
	};
}
function listKeyDetail(parameters, { cmks }) {
	const state = STATE_NUMBERS[integer(parameters, "KeyState", {
		min: 0,
		max: 5
	}) ?? 0];
	const search = optionalText(parameters, "SearchKeyAlias") ?? "";
	const found = cmks.list.filter((cmk) => (state === void 0 || cmk.state === state) && `${cmk.keyId} ${cmk.alias}`.includes(search));
	return {
		TotalCount: found.length,
		KeyMetadatas: page(found, parameters).map(metadata)
	};
}
function scheduleKeyDeletion(parameters, { cmks, now }) {
	const days = integer(parameters, "PendingWindowInDays", {
		min: 7,
		max: 30
	});
	if (days === void 0) throw new ApiError("MissingParameter", "The parameter PendingWindowInDays is missing.");
	const { keyId } = cmks.change(requiredText(parameters, "KeyId"), "scheduleDeletion");
	const { deletionDate } = cmks.update(keyId, { deletionDate: Math.floor(now() / 1e3) + days * DAY });
	return {
		KeyId: keyId,
		DeletionDate: deletionDate
	};
}
function page(cmks, parameters) {
	const offset = integer(parameters, "Offset", {
		min: 0,
		max: Number.MAX_SAFE_INTEGER
	}) ?? 0;
	const limit = integer(parameters, "Limit", {
		min: 0,
		max: 200
	}) ?? 10;
	return cmks.slice(offset, offset + limit);
}
function metadata(cmk) {
	return {
		KeyId: cmk.keyId,
		Alias: cmk.alias,
		CreateTime: cmk.createTime,
		Description: cmk.description,
		KeyState: cmk.state,
		KeyUsage: "ENCRYPT_DECRYPT",
		Type: 2,
		CreatorUin: 100000000001,
		KeyRotationEnabled: cmk.rotation,
		Owner: "user",
		NextRotateTime: 0,
		DeletionDate: cmk.deletionDate,
		Origin: "TENCENT_KMS",
		ValidTo: 0,
		ResourceId: `creatorUin/100000000001/${cmk.keyId}`,
		LastRotateTime: cmk.lastRotateTime
	};
}
//#endregion
//#region src/testing/signature.ts
const AUTHORIZATION = /^TC3-HMAC-SHA256 Credential=([^/]+)\/(\d{4}-\d{2}-\d{2})\/([^/]+)\/tc3_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$/;
/**
* Verifies a TC3-HMAC-SHA256 signature (Tencent Cloud API, "Signature v3").
*
* @throws ApiError `AuthFailure.*`, `MissingParameter`
*/
function verifySignature(request, rules) {
	const authorization = parseAuthorization(request.headers.authorization);
	const timestamp = freshTimestamp(request, authorization, rules);
	const credential = credentialOf(request, authorization, rules);
	checkScope(request, authorization);
	if (!canonicalForms(request, authorization).some((canonical) => timingSafeEqual(sign(canonical, timestamp, authorization, credential), authorization.signature))) throw new ApiError("AuthFailure.SignatureFailure", "The signature does not match the request.");
}
function parseAuthorization(header) {
	const parts = AUTHORIZATION.exec(header ?? "");
	if (!parts) throw new ApiError("AuthFailure.InvalidAuthorization", "The Authorization header is not valid.");
	const [, secretId = "", date = "", service = "", signedHeaders = "", signature = ""] = parts;
	return {
		secretId,
		date,
		service,
		signedHeaders,
		signature: Buffer.from(signature, "hex")
	};
}
function freshTimestamp({ headers }, { date }, { now, skew }) {
	const timestamp = String(headers["x-tc-timestamp"] ?? "");
	if (!/^\d{1,12}$/.test(timestamp)) throw new ApiError("MissingParameter", "X-TC-Timestamp is missing.");
	if (Math.abs(now() / 1e3 - Number(timestamp)) > skew) throw new ApiError("AuthFailure.SignatureExpire", "The signature has expired: check the clock.");
	if ((/* @__PURE__ */ new Date(Number(timestamp) * 1e3)).toISOString().slice(0, 10) !== date) throw new ApiError("AuthFailure.SignatureFailure", "The date of the credential scope is not that of X-TC-Timestamp.");
	return timestamp;
}
function credentialOf({ headers }, { secretId }, { credentials }) {
	const known = credentials.filter((candidate) => candidate.secretId === secretId);
	if (known.length === 0) throw new ApiError("AuthFailure.SecretIdNotFound", "The SecretId is not found.");
	const credential = known.find((candidate) => candidate.token === headers["x-tc-token"]);
	if (!credential) throw new ApiError("AuthFailure.TokenFailure", "The token is wrong or has expired.");
	return credential;
}
/** The SDK takes the service from the first label of the endpoint, so an endpoint 127.0.0.1:8100 signs for "127". */
function checkScope({ headers }, { service, signedHeaders }) {
	if (service !== "kms" && service !== (headers.host ?? "").split(".")[0]) throw new ApiError("AuthFailure.SignatureFailure", "The credential scope names another service.");
	const names = signedHeaders.split(";");
	if (!names.includes("host") || !names.includes("content-type")) throw new ApiError("AuthFailure.SignatureFailure", "host and content-type must be signed.");
}
/** The Node SDK signs the host without its port and values as sent; other SDKs sign the port and lower-case values. */
function canonicalForms(request, { signedHeaders }) {
	const { pathname, search, hostname, host } = new URL(request.url, `http://${request.headers.host}`);
	return [hostname, host].flatMap((signedHost) => {
		const value = (name) => String(name === "host" ? signedHost : request.headers[name] ?? "").trim();
		const names = signedHeaders.split(";");
		return [value, (name) => value(name).toLowerCase()].map((form) => {
			const headers = names.map((name) => `${name}:${form(name)}\n`).join("");
			return [
				request.method,
				pathname,
				search.slice(1),
				headers,
				signedHeaders,
				sha256(request.body)
			].join("\n");
		});
	});
}
function sign(canonical, timestamp, { date, service }, { secretKey }) {
	const text = [
		"TC3-HMAC-SHA256",
		timestamp,
		`${date}/${service}/tc3_request`,
		sha256(canonical)
	].join("\n");
	return hmac(hmac(hmac(hmac(`TC3${secretKey}`, date), service), "tc3_request"), text);
}
function hmac(key, text) {
	return createHmac("sha256", key).update(text).digest();
}
function sha256(data) {
	return createHash("sha256").update(data).digest("hex");
}
const VERSION = "2019-01-18";
const actions = {
	...cryptoActions,
	...managementActions
};
/** Answers as the service does: an error is an answer too. `error` is what a fault makes of a valid request. */
function answer(api, request, error) {
	let parameters = {};
	try {
		checkProtocol(request);
		verifySignature(request, api.signature);
		parameters = parseParameters(request.body);
		if (error) throw error;
		return {
			code: "ok",
			response: run(api, request, parameters),
			parameters
		};
	} catch (thrown) {
		const { code, message } = thrown instanceof ApiError ? thrown : new ApiError("InternalError", "The emulator failed.");
		return {
			code,
			response: { Error: {
				Code: code,
				Message: message
			} },
			parameters
		};
	}
}
function checkProtocol({ method, body }) {
	if (method !== "POST") throw new ApiError("UnsupportedProtocol", "The emulator takes POST only.");
	if (body.length > 10485760) throw new ApiError("RequestSizeLimitExceeded", "The request is too large.");
}
function run(api, { headers }, parameters) {
	const name = String(headers["x-tc-action"] ?? "");
	if (headers["x-tc-version"] !== VERSION) throw new ApiError("NoSuchVersion", `The version must be ${VERSION}.`);
	const action = Object.hasOwn(actions, name) ? actions[name] : void 0;
	if (!action) throw new ApiError("InvalidAction", "The action does not exist, or the emulator does not know it.");
	if (!headers["x-tc-region"]) throw new ApiError("MissingParameter", "The parameter Region is missing.");
	api.limits.take(name);
	checkNames(parameters, action.takes);
	return action.run(parameters, api);
}
//#endregion
//#region src/testing/server.ts
/** The HTTP side of the emulator: connections, broken ones included. */
function emulatorServer(emulation) {
	const server = createServer((request, response) => {
		handle(emulation, request, response).catch(() => request.socket.destroy());
	});
	server.on("connection", () => emulation.calls.connected());
	return server;
}
async function handle(emulation, incoming, response) {
	const { method = "", url = "/", headers } = incoming;
	const request = {
		method,
		url,
		headers,
		body: await bodyOf(incoming)
	};
	if (emulation.admin && url.startsWith("/_emulator/")) return administer(emulation, request, response);
	const action = String(headers["x-tc-action"] ?? "none");
	const requestId = randomUUID();
	const call = emulation.calls.begin(action, requestId);
	response.once("close", () => call.end());
	const fault = emulation.faults.take(action);
	if (fault) call.note({ result: fault.kind });
	if (fault && await breaksBeforeAnswer(fault, emulation, response)) return;
	const { code, response: payload, parameters } = answer(emulation, request, errorOf(fault));
	const { KeyId: keyId, EncryptionContext: encryptionContext } = parameters;
	if (typeof keyId === "string") call.note({ keyId });
	if (typeof encryptionContext === "string") call.note({ encryptionContext });
	if (!fault || code !== "ok") call.note({ result: code });
	send(response, JSON.stringify({ Response: {
		...payload,
		RequestId: requestId
	} }), fault);
}
/** Plays the faults that come before any answer; `true` when there will be none. */
async function breaksBeforeAnswer(fault, { faults }, response) {
	if (fault.kind === "delay") await pause(response, (signal) => setTimeout(fault.ms, void 0, { signal }));
	if (fault.kind === "hold") await pause(response, (signal) => aborted(AbortSignal.any([signal, faults.cleared])));
	if (fault.kind === "hangUp" && fault.when === "before") response.destroy();
	if (fault.kind === "status") response.writeHead(fault.status, { "content-type": "text/plain" }).end("injected");
	return response.destroyed || response.writableEnded;
}
/** Waits no longer than the client does. */
async function pause(response, wait) {
	const gone = new AbortController();
	const abort = () => gone.abort();
	response.once("close", abort);
	await wait(gone.signal).catch(() => void 0);
	response.off("close", abort);
}
function aborted(signal) {
	if (signal.aborted) return Promise.resolve();
	return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
function errorOf(fault) {
	return fault?.kind === "error" ? new ApiError(fault.code, fault.message ?? "This error was injected.") : void 0;
}
function send(response, text, fault) {
	const body = Buffer.from(bodyFor(text, fault));
	response.writeHead(200, {
		"content-type": "application/json",
		"content-length": body.length
	});
	const half = body.subarray(0, body.length / 2);
	if (fault?.kind === "stall") response.write(half);
	else if (fault?.kind === "hangUp") response.write(half, () => response.destroy());
	else response.end(body);
}
/** The last characters are cut off, so that what stays still holds the whole plaintext of a DEK. */
function bodyFor(text, fault) {
	if (fault?.kind === "truncate") return text.slice(0, -12);
	if (fault?.kind !== "body") return text;
	return typeof fault.body === "string" ? fault.body : fault.body(text);
}
/** Keeps no more than shows that the body is too long. */
async function bodyOf(incoming) {
	const chunks = [];
	let length = 0;
	for await (const chunk of incoming) {
		if (length <= 10485760) chunks.push(chunk);
		length += chunk.length;
	}
	return Buffer.concat(chunks);
}
//#endregion
//#region src/testing/stateFile.ts
/** The CMKs that an earlier run left in the file; none when there is no file. */
function readState(file) {
	if (!existsSync(file)) return [];
	return parse(file).cmks.map((cmk) => ({
		...cmk,
		versions: cmk.versions.map((text) => Buffer.from(text, "base64"))
	}));
}
/** Replaces the file in one step, so a crash leaves the old one or the new one. Only its owner may read it. */
function writeState(file, cmks) {
	const state = {
		format: 1,
		cmks: cmks.map((cmk) => ({
			...cmk,
			versions: cmk.versions.map((bytes) => bytes.toString("base64"))
		}))
	};
	const draft = `${file}.${process.pid}.tmp`;
	writeFileSync(draft, `${JSON.stringify(state, null, 2)}\n`, { mode: 384 });
	renameSync(draft, file);
}
function parse(file) {
	try {
		const state = JSON.parse(readFileSync(file, "utf8"));
		if (state.format === 1 && Array.isArray(state.cmks)) return state;
	} catch (cause) {
		if (cause.code) throw unreadable(file, cause.code);
	}
	throw unreadable(file, "it holds something else");
}
function unreadable(file, why) {
	return new FieldsealError("OPTIONS_INVALID", `The emulator's state file ${file} cannot be read (${why}). Name another file, or delete it to start with new keys.`);
}
//#endregion
//#region src/testing/kmsEmulator.ts
const CREDENTIAL = {
	secretId: "AKIDemulator",
	secretKey: "emulator-secret-key"
};
const KEYS = [{ alias: "fieldseal" }];
/**
* Starts an HTTP server that behaves like Tencent Cloud KMS, API 2019-01-18: for tests and development, with the
* official SDK on the other side. Its keys are real, its safety is not: never give it data that matters.
*
* @throws FieldsealError `OPTIONS_INVALID` for options that cannot work; the system's error when the port is taken
* @example
* ```ts
* import { kms } from 'tencentcloud-sdk-nodejs-kms'
* import { tencentKms } from 'fieldseal/tencent-kms'
* import { startKmsEmulator } from 'fieldseal/testing'
*
* const emulator = await startKmsEmulator()
* const client = new kms.v20190118.Client(emulator.clientConfig())
* const keys = tencentKms({ client, keyId: emulator.keyId })
* emulator.faults.add({ kind: 'error', code: 'RequestLimitExceeded', times: 2 })
* await emulator.close()
* ```
*/
async function startKmsEmulator(options = {}) {
	const { host = "127.0.0.1", credentials = [CREDENTIAL], now = Date.now, admin = false } = options;
	const [credential] = credentials;
	if (!credential) throw invalid("credentials", "needs at least one");
	const [calls, faults] = [new Calls(), new Faults()];
	const cmks = cmksOf(options, now);
	const server = emulatorServer({
		cmks,
		now,
		faults,
		limits: new RateLimits(checkedLimits(options.limits ?? {}), now),
		signature: {
			credentials,
			now,
			skew: options.skew ?? 300
		},
		calls,
		admin
	});
	const port = await listen(server, options.port ?? 0, host);
	const endpoint = `${reachable(host)}:${port}`;
	const agent = new Agent({ keepAlive: true });
	return {
		url: `http://${endpoint}`,
		endpoint,
		port,
		credential,
		credentials,
		keyId: firstKeyId(options, cmks),
		keys: cmks,
		calls,
		faults,
		clientConfig: (config = {}) => ({
			credential: config.credential ?? credential,
			region: "ap-guangzhou",
			profile: { httpProfile: {
				protocol: "http://",
				endpoint,
				reqTimeout: config.reqTimeout ?? 60,
				agent
			} }
		}),
		close: () => {
			agent.destroy();
			return stop(server);
		}
	};
}
/** The CMKs of the state file, and those of the options that it lacks. */
function cmksOf({ keys = KEYS, stateFile }, now) {
	const initial = stateFile === void 0 ? [] : readState(stateFile);
	const cmks = new Cmks({
		now,
		initial,
		...stateFile === void 0 ? {} : { changed: writeState.bind(null, stateFile) }
	});
	const aliases = new Set(initial.map((cmk) => cmk.alias));
	try {
		for (const key of keys) if (!aliases.has(key.alias)) cmks.create(key);
	} catch (error) {
		throw error instanceof ApiError ? invalid("keys", `is not valid: ${error.message}`) : error;
	}
	if (cmks.list.length === 0) throw invalid("keys", "needs at least one");
	return cmks;
}
function firstKeyId({ keys = KEYS }, { list }) {
	return (list.find((cmk) => cmk.alias === keys[0]?.alias) ?? list[0]).keyId;
}
function checkedLimits(limits) {
	const wrong = Object.keys(limits).find((action) => !Number.isInteger(limits[action]) || limits[action] < 0);
	if (wrong !== void 0) throw invalid(`limits.${wrong}`, "must be a whole number of requests per second");
	return limits;
}
function listen(server, port, host) {
	return new Promise((resolve, reject) => {
		server.once("error", reject);
		server.listen(port, host, () => resolve(server.address().port));
	});
}
function stop(server) {
	const closed = new Promise((resolve) => server.close(() => resolve()));
	server.closeAllConnections();
	return closed;
}
/** A host that a client can connect to. */
function reachable(host) {
	if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
	return host.includes(":") ? `[${host}]` : host;
}
function invalid(option, why) {
	return new FieldsealError("OPTIONS_INVALID", `The option "${option}" of startKmsEmulator ${why}.`);
}
//#endregion
export { startKmsEmulator as t };
