import { n as quoted, t as FieldsealError } from "../errors-DjzEY_1A.js";
import { t as encryptionContext } from "../encryptionContext-D10hEg2M.js";
import { t as decodeKey } from "../strictDecode-BJmGKzbc.js";
import { webcrypto } from "node:crypto";
import { ExponentialBackoff, TaskCancelledError, TimeoutStrategy, bulkhead, handleWhen, retry, timeout } from "cockatiel";
//#region src/kms/patience.ts
/** The end of a call that was given up. It holds no error of the attempts, only what they were classified as. */
var GaveUp = class extends Error {
	name = "GaveUp";
	/** The last failure; none when no attempt has ended. */
	failure;
	attempts;
	/** Whether the time was over. */
	late;
	constructor(state) {
		super("The call was given up.");
		this.failure = state.failure;
		this.attempts = state.attempts;
		this.late = state.late;
	}
};
var AttemptFailed = class extends Error {
	failure;
	again;
	constructor(failure, again) {
		super("An attempt failed.");
		this.failure = failure;
		this.again = again;
	}
};
/** Retries with growing, random pauses, within a deadline, with a limit on what is in flight at once. */
var Patience = class {
	#options;
	#deadline;
	#retries;
	#slots;
	#attemptTimeout;
	constructor(options) {
		const aggressive = {
			strategy: TimeoutStrategy.Aggressive,
			abortOnReturn: false
		};
		const backoff = new ExponentialBackoff({
			initialDelay: 100,
			maxDelay: 2e3
		});
		const again = handleWhen((error) => error instanceof AttemptFailed && error.again);
		this.#options = options;
		this.#deadline = timeout(options.timeout, aggressive);
		this.#retries = retry(again, {
			maxAttempts: options.maxRetries,
			backoff
		}).dangerouslyUnref();
		this.#slots = bulkhead(options.concurrency, Number.POSITIVE_INFINITY);
		this.#attemptTimeout = timeout(options.attemptTimeout, aggressive);
	}
	/** @throws GaveUp when the attempts or the time are used up; errors that `classify` passes on, as they are */
	async run(work) {
		const tally = {
			attempts: 0,
			retriedOnce: false,
			last: void 0
		};
		let deadline;
		try {
			return await this.#deadline.execute(({ signal }) => {
				deadline = signal;
				return work((attempt) => this.#attempts(attempt, signal, tally));
			});
		} catch (error) {
			const late = deadline?.aborted ?? false;
			if (late || error instanceof AttemptFailed) throw new GaveUp({
				...tally,
				failure: tally.last,
				late
			});
			throw error;
		}
	}
	/** The queue is not told of the deadline: it would drop an expired call without waking the next one. */
	#attempts(attempt, deadline, tally) {
		return this.#retries.execute(() => this.#slots.execute(() => this.#attempt(attempt, deadline, tally)), deadline);
	}
	async #attempt(attempt, deadline, tally) {
		if (deadline.aborted) throw new TaskCancelledError();
		tally.attempts += 1;
		let own;
		try {
			return await this.#attemptTimeout.execute(({ signal }) => {
				own = signal;
				return attempt(signal);
			}, deadline);
		} catch (error) {
			const failure = own?.aborted ? this.#options.timedOut : this.#options.classify(error);
			if (!failure) throw error;
			throw new AttemptFailed(failure, note(failure, tally, deadline));
		}
	}
};
/** Keeps the failure, unless the deadline itself made it, and says whether to try again. */
function note(failure, tally, deadline) {
	if (deadline.aborted) return false;
	tally.last = failure;
	const again = failure.retry === "always" || failure.retry === "once" && !tally.retriedOnce;
	if (failure.retry === "once") tally.retriedOnce = true;
	return again;
}
//#endregion
//#region src/kms/sealedTransport.ts
const BITS = 2048;
const RSA_OAEP = {
	name: "RSA-OAEP",
	hash: "SHA-256"
};
const EXPONENT = new Uint8Array([
	1,
	0,
	1
]);
let ofThisProcess;
/**
* The key pair of this process, made at the first use. WebCrypto keeps the private key where JavaScript cannot read it,
* and works outside the main thread: decrypting takes about a millisecond.
*/
function sealedTransport() {
	ofThisProcess ??= makeTransport().catch((error) => {
		ofThisProcess = void 0;
		throw error;
	});
	return ofThisProcess;
}
async function makeTransport() {
	const algorithm = {
		...RSA_OAEP,
		modulusLength: BITS,
		publicExponent: EXPONENT
	};
	const { publicKey, privateKey } = await webcrypto.subtle.generateKey(algorithm, false, ["encrypt", "decrypt"]);
	return {
		request: {
			EncryptionPublicKey: pem(Buffer.from(await webcrypto.subtle.exportKey("spki", publicKey))),
			EncryptionAlgorithm: "RSAES_OAEP_SHA_256"
		},
		open: async (text) => {
			const sealed = decodeSealed(text);
			return sealed && decrypt(privateKey, sealed);
		}
	};
}
async function decrypt(key, sealed) {
	return webcrypto.subtle.decrypt(RSA_OAEP, key, sealed).then((bytes) => Buffer.from(bytes), () => null);
}
/** Canonical base64 of exactly one RSA block. */
function decodeSealed(text) {
	if (typeof text !== "string" || text.length !== Math.ceil(BITS / 8 / 3) * 4) return null;
	const sealed = Buffer.from(text, "base64");
	return sealed.length === BITS / 8 && sealed.toString("base64") === text ? sealed : null;
}
function pem(spki) {
	return [
		"-----BEGIN PUBLIC KEY-----",
		...spki.toString("base64").match(/.{1,64}/g) ?? [],
		"-----END PUBLIC KEY-----",
		""
	].join("\n");
}
//#endregion
//#region src/kms/tencentClient.ts
/** Sends one request, once. */
async function send(client, action, request, signal) {
	const answer = await (client.request ? client.request(action, request, { signal }) : callMethod(client, action, request));
	return typeof answer === "object" && answer !== null ? answer : {};
}
function callMethod(client, action, request) {
	const method = client[action];
	if (method) return method.call(client, request);
	throw new FieldsealError("OPTIONS_INVALID", `The option "client" of tencentKms has no method ${action}.`);
}
//#endregion
//#region src/kms/freshCredentials.ts
/** The start of the message of a failed fetch, by which it is known again behind the SDK. */
const CREDENTIALS_FAILED = "the Tencent credentials could not be fetched";
/**
* Wraps a credential provider of the SDK (STS, CVM role, OIDC). Those keep a rejected promise for ever: after one
* failed fetch they never recover. This one makes a new provider after a failure, and after a fetch that takes too long.
*
* @param make makes a provider; called at the first use and after each failure
* @param options.timeout milliseconds for one fetch, 2,500 unless given
* @param options.onError sees the provider's own error, for your log; its message may quote what the credential service
* answered, so this library passes it on nowhere else
* @throws FieldsealError `OPTIONS_INVALID` for options that cannot work; `KMS_DENIED` from `getCredential`
* @example
* ```ts
* import { kms } from 'tencentcloud-sdk-nodejs-kms'
* import { CvmRoleCredential } from 'tencentcloud-sdk-nodejs-common'
* import { freshCredentials } from 'fieldseal/tencent-kms'
*
* const credential = freshCredentials(() => new CvmRoleCredential())
* const client = new kms.v20190118.Client({ credential, region: 'ap-guangzhou' })
* ```
*/
function freshCredentials(make, options = {}) {
	const { timeout: milliseconds = 2500, onError } = options;
	if (typeof make !== "function") throw invalid$1("takes a function that makes a provider, not a provider");
	if (!(milliseconds > 0)) throw invalid$1("needs a \"timeout\" of more than 0 milliseconds");
	const limit = timeout(milliseconds, TimeoutStrategy.Aggressive);
	let current;
	return { async getCredential() {
		let used;
		try {
			used = current ??= make();
			const provider = used;
			return await limit.execute(() => provider.getCredential());
		} catch (error) {
			if (current === used) current = void 0;
			onError?.(error);
			throw new FieldsealError("KMS_DENIED", `freshCredentials: ${CREDENTIALS_FAILED}; onError sees why.`);
		}
	} };
}
function invalid$1(why) {
	return new FieldsealError("OPTIONS_INVALID", `freshCredentials ${why}.`);
}
//#endregion
//#region src/kms/tencentErrors.ts
/** Tencent's error codes, `*` for what follows; the first line that fits counts. */
const RULES = [
	[
		"RequestLimitExceeded*",
		"KMS_THROTTLED",
		"always"
	],
	[
		"InternalError*",
		"KMS_UNAVAILABLE",
		"always"
	],
	[
		"ServiceUnavailable",
		"KMS_UNAVAILABLE",
		"always"
	],
	[
		"UnsupportedOperation.ServiceTemporaryUnavailable",
		"KMS_UNAVAILABLE",
		"always"
	],
	[
		"AuthFailure.TokenFailure",
		"KMS_DENIED",
		"once"
	],
	[
		"AuthFailure.SignatureExpire",
		"KMS_DENIED",
		"once"
	],
	[
		"AuthFailure*",
		"KMS_DENIED",
		"never"
	],
	[
		"UnauthorizedOperation*",
		"KMS_DENIED",
		"never"
	],
	[
		"ResourceUnavailable*",
		"KMS_KEY_UNUSABLE",
		"never"
	],
	[
		"InvalidParameterValue.InvalidKeyId",
		"KMS_KEY_UNUSABLE",
		"never"
	],
	[
		"*",
		"KMS_REFUSED",
		"never"
	]
];
/** Pieces of messages that are known to quote no answer. */
const HARMLESS = [
	"ECONNREFUSED",
	"ECONNRESET",
	"ENOTFOUND",
	"EAI_AGAIN",
	"ETIMEDOUT",
	"EHOSTUNREACH",
	"ENETUNREACH",
	"EPIPE",
	"socket hang up",
	"network timeout",
	"Response timeout",
	"Premature close",
	"self-signed certificate",
	"self signed certificate",
	"unable to verify the first certificate",
	"unable to get local issuer certificate",
	"certificate has expired",
	"does not match certificate"
];
const TIMED_OUT = unavailable("no answer in time");
/** What an error of the SDK means. Errors of this library pass. */
function classify(error) {
	if (FieldsealError.is(error)) return void 0;
	const { code, requestId, httpCode, message } = error ?? {};
	if (typeof code === "string" && isTencentCode(code)) return ofCode(code, requestId);
	if (typeof httpCode === "number") return ofStatus(httpCode);
	return ofMessage(`${typeof code === "string" ? code : ""} ${typeof message === "string" ? message : ""}`);
}
function ofCode(tencentCode, requestId) {
	const [, code, retry] = RULES.find(([pattern]) => pattern.endsWith("*") ? tencentCode.startsWith(pattern.slice(0, -1)) : tencentCode === pattern);
	return {
		code,
		retry,
		reason: tencentCode,
		details: typeof requestId === "string" && /^[\w-]{1,64}$/.test(requestId) ? {
			code: tencentCode,
			requestId
		} : { code: tencentCode }
	};
}
function ofStatus(httpCode) {
	const retry = httpCode >= 500 ? "always" : "never";
	return {
		...unavailable(`HTTP status ${httpCode}`),
		retry,
		details: { httpCode }
	};
}
/** Compares without regular expressions: they would keep the text, and what it quotes, alive. */
function ofMessage(message) {
	if (message.includes("the Tencent credentials could not be fetched")) return {
		...unavailable(CREDENTIALS_FAILED),
		code: "KMS_DENIED"
	};
	return unavailable(HARMLESS.find((piece) => message.includes(piece)) ?? "no answer that can be read");
}
function unavailable(reason) {
	return {
		code: "KMS_UNAVAILABLE",
		retry: "always",
		reason,
		details: {}
	};
}
/** Tencent's are in camel case, unlike the system's. */
function isTencentCode(code) {
	return /^[A-Z][a-z][A-Za-z0-9]*(\.[A-Za-z0-9_]+)*$/.test(code) && code.length <= 128;
}
/** The library's error for a call that was given up. */
function tencentError({ failure, attempts, late }, call) {
	const { code, reason, details } = failure ?? TIMED_OUT;
	const request = details.requestId === void 0 ? "" : ` (request ${details.requestId})`;
	const times = attempts === 1 ? "1 attempt" : `${attempts} attempts`;
	const when = late ? `given up after ${call.timeout} ms and ${times}: ${reason}` : `${reason}${request} after ${times}`;
	return new FieldsealError(code, `${`Tencent KMS, ${call.action} with key ${call.keyId}: ${late ? when + request : when}.`} ${attempts === 0 ? BUSY : advice(code, reason, call.action)}`, { cause: details });
}
const BUSY = "No request was sent: the keyId function took too long, or other calls held all places. Raise \"concurrency\" or \"timeout\", or warm fewer tenants at a time.";
function advice(code, reason, action) {
	switch (code) {
		case "KMS_THROTTLED": return "The rate limit of the account is reached: warm fewer tenants at a time, lower \"concurrency\", or raise the quota.";
		case "KMS_UNAVAILABLE": return "Check the network and any proxy between this host and Tencent (the SDK obeys http_proxy), and Tencent's status page.";
		case "KMS_DENIED": return reason === "AuthFailure.SignatureExpire" ? "Set this host's clock: it is more than five minutes off." : `Check the credentials, and that their CAM policy allows kms:${action} on this key.`;
		case "KMS_KEY_UNUSABLE": return "Look the key up in the KMS console of this region: enable it, cancel its deletion or archiving, or correct keyId.";
		case "KMS_REFUSED": return action === "Decrypt" || action === "ReEncrypt" ? "The wrapped DEK does not belong to this tenant, purpose and key id: compare its row of the keys table with a backup." : "Check keyId, region and the account's KMS quotas.";
	}
}
//#endregion
//#region src/kms/tencentOptions.ts
const MAX_MILLISECONDS = 2 ** 31 - 1;
const NAMES = [
	"client",
	"keyId",
	"timeout",
	"attemptTimeout",
	"maxRetries",
	"concurrency",
	"sealed"
];
/** @throws FieldsealError `OPTIONS_INVALID`, naming the option */
function checkedOptions(options) {
	const { client, keyId, timeout = 1e4, maxRetries = 5, concurrency = 20, sealed = false } = options;
	const { attemptTimeout = Math.min(3e3, timeout) } = options;
	const unknown = Object.keys(options).find((name) => !NAMES.includes(name));
	if (unknown !== void 0) throw invalid(unknown, `does not exist; there are ${NAMES.join(", ")}`);
	checkClient(client);
	if (typeof keyId !== "function" && !isKeyId(keyId)) throw invalid("keyId", "must be the id of a key in Tencent KMS, or a function of the tenant that gives one");
	checkInteger({ timeout }, 1, MAX_MILLISECONDS);
	checkInteger({ attemptTimeout }, 1, MAX_MILLISECONDS);
	checkInteger({ maxRetries }, 0, 100);
	checkInteger({ concurrency }, 1, 1e4);
	if (attemptTimeout > timeout) throw invalid("attemptTimeout", `(${attemptTimeout}) is longer than timeout (${timeout})`);
	if (typeof sealed !== "boolean") throw invalid("sealed", "must be true or false");
	return {
		client,
		keyId,
		timeout,
		attemptTimeout,
		maxRetries,
		concurrency,
		sealed
	};
}
/** Whether a value can be a key id: text without blanks. */
function isKeyId(value) {
	return typeof value === "string" && /^\S{1,256}$/.test(value);
}
function checkClient(client) {
	if (typeof client?.GenerateDataKey === "function" && typeof client.Decrypt === "function") return;
	throw invalid("client", "must be a kms.v20190118.Client of tencentcloud-sdk-nodejs-kms");
}
function checkInteger(option, min, max) {
	for (const [name, value] of Object.entries(option)) if (!(Number.isInteger(value) && value >= min && value <= max)) throw invalid(name, `must be a whole number from ${min} to ${max}`);
}
function invalid(option, why) {
	return new FieldsealError("OPTIONS_INVALID", `The option "${option}" of tencentKms ${why}.`);
}
//#endregion
//#region src/kms/tencent.ts
/**
* DEKs wrapped by Tencent Cloud KMS (API 2019-01-18), through the SDK client that you make. Each DEK is bound to its
* id, purpose and tenant by the encryption context. Temporary failures are retried with growing, random pauses from
* about 100 ms.
*
* @throws FieldsealError `OPTIONS_INVALID` for options that cannot work. Its methods throw `KMS_UNAVAILABLE`,
* `KMS_THROTTLED`, `KMS_DENIED`, `KMS_KEY_UNUSABLE`, `KMS_REFUSED` and `TENANT_INVALID`; the `cause` holds Tencent's
* `code`, `requestId` and `httpCode`, as far as there are any.
* @example
* ```ts
* import { kms } from 'tencentcloud-sdk-nodejs-kms'
* import { tencentKms } from 'fieldseal/tencent-kms'
*
* const { TENCENTCLOUD_SECRET_ID: secretId = '', TENCENTCLOUD_SECRET_KEY: secretKey = '' } = process.env
* const client = new kms.v20190118.Client({ credential: { secretId, secretKey }, region: 'ap-guangzhou' })
* const keys = tencentKms({ client, keyId: '7b1bd7cb-5d5e-11ef-9d2e-5254005cbf2d' })
* ```
*/
function tencentKms(options) {
	const { client, keyId, timeout, sealed, ...limits } = checkedOptions(options);
	const transport = () => sealed ? sealedTransport() : PLAIN;
	const patience = new Patience({
		timeout,
		...limits,
		classify,
		timedOut: TIMED_OUT
	});
	const call = async (target, work) => patience.run(work).catch((error) => {
		throw error instanceof GaveUp ? tencentError(error, {
			...target,
			timeout
		}) : error;
	});
	return {
		name: "tencent",
		generate: async (identity) => {
			const EncryptionContext = encryptionContext(identity);
			const target = {
				action: "GenerateDataKey",
				keyId: `of tenant ${quoted(identity.tenant)}`
			};
			return call(target, async (attempts) => {
				target.keyId = await resolveKeyId(keyId, identity.tenant);
				const { request: sealing, open } = await transport();
				const request = {
					KeyId: target.keyId,
					KeySpec: "AES_256",
					EncryptionContext,
					...sealing
				};
				return attempts(async (signal) => readGenerated(await send(client, "GenerateDataKey", request, signal), target, open));
			});
		},
		unwrap: async ({ wrapped, kekId }, identity) => {
			const EncryptionContext = encryptionContext(identity);
			const target = {
				action: "Decrypt",
				keyId: kekId
			};
			return call(target, async (attempts) => {
				const { request: sealing, open } = await transport();
				const request = {
					CiphertextBlob: wrapped,
					EncryptionContext,
					...sealing
				};
				return attempts(async (signal) => readUnwrapped(await send(client, "Decrypt", request, signal), target, open));
			});
		},
		wrap: async (dek, identity) => {
			if (sealed) throw unsealed();
			const request = {
				Plaintext: dek.toString("base64"),
				EncryptionContext: encryptionContext(identity)
			};
			const target = {
				action: "Encrypt",
				keyId: `of tenant ${quoted(identity.tenant)}`
			};
			return call(target, async (attempts) => {
				target.keyId = await resolveKeyId(keyId, identity.tenant);
				const wanted = {
					KeyId: target.keyId,
					...request
				};
				return attempts(async (signal) => readWrapped(await send(client, "Encrypt", wanted, signal), target));
			});
		},
		rewrap: async ({ wrapped, kekId }, identity) => {
			const context = encryptionContext(identity);
			const contexts = {
				SourceEncryptionContext: context,
				DestinationEncryptionContext: context
			};
			const target = {
				action: "ReEncrypt",
				keyId: kekId
			};
			return call(target, async (attempts) => {
				const request = {
					CiphertextBlob: wrapped,
					DestinationKeyId: await resolveKeyId(keyId, identity.tenant),
					...contexts
				};
				return attempts(async (signal) => readRewrapped(await send(client, "ReEncrypt", request, signal), target));
			});
		}
	};
}
/** Plaintexts as they come. */
const PLAIN = {
	request: {},
	open: async (text) => decodeKey(text, "base64")
};
async function resolveKeyId(keyId, tenant) {
	if (typeof keyId === "string") return keyId;
	const unusable = (why, options) => new FieldsealError("KMS_KEY_UNUSABLE", `The keyId function of tencentKms ${why} for tenant ${quoted(tenant)}.`, options);
	const answer = await Promise.resolve(tenant).then(keyId).catch((cause) => {
		throw unusable("failed", { cause });
	});
	if (!isKeyId(answer)) throw unusable("gave no key id");
	return answer;
}
async function readGenerated(answer, target, open) {
	const wrapped = readWrapped(answer, target);
	return {
		dek: await readDek(answer, target, open),
		...wrapped
	};
}
function readWrapped({ KeyId: kekId, CiphertextBlob: wrapped }, target) {
	if (isKeyId(kekId) && typeof wrapped === "string" && wrapped !== "") return {
		wrapped,
		kekId
	};
	throw refused(target, "lacks KeyId or CiphertextBlob");
}
/** ReEncrypt takes no source key id, so a blob of another key would be taken over as well. */
function readRewrapped(answer, target) {
	if (answer.SourceKeyId === target.keyId) return readWrapped(answer, target);
	throw refused(target, `${isKeyId(answer.SourceKeyId) ? `names the source key ${answer.SourceKeyId}` : "names no source key"}: the wrapped DEK and the key id of its row do not belong together`);
}
/** Decrypt takes no key id, so a blob of another key would open as well. */
async function readUnwrapped(answer, target, open) {
	if (answer.KeyId === target.keyId) return readDek(answer, target, open);
	throw refused(target, `${isKeyId(answer.KeyId) ? `names the key ${answer.KeyId}` : "names no key"}: the wrapped DEK and the key id of its row do not belong together`);
}
/** An answer that ignores the wish to have it sealed is refused as any other that is not as it must be. */
async function readDek({ Plaintext }, target, open) {
	const dek = await open(Plaintext);
	if (dek?.length === 32) return dek;
	dek?.fill(0);
	throw refused(target, `does not hold a DEK of 32 bytes${open === PLAIN.open ? "" : ", sealed to the key of this process (the option \"sealed\")"}`);
}
function unsealed() {
	return new FieldsealError("OPTIONS_INVALID", "tencentKms with sealed: true takes no DEK over from another KMS: Encrypt takes it in the clear. Rewrap with a tencentKms without that option, in a process of its own.");
}
function refused({ action, keyId }, why) {
	return new FieldsealError("KMS_REFUSED", `Tencent KMS, ${action} with key ${keyId}: the answer ${why}. Compare the row of the keys table with a backup, and check that nothing stands between this host and Tencent.`);
}
//#endregion
export { freshCredentials, tencentKms };
