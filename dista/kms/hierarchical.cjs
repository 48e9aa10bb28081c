Object.defineProperty(exports, Symbol.toStringTag, { value: "Module" });
const require_duration = require("../duration-C3QRX9XE.cjs");
const require_errors = require("../errors-BaUhUZ7f.cjs");
const require_bytes = require("../bytes-UyNi12Qz.cjs");
const require_encryptionContext = require("../encryptionContext-CMJbxhXX.cjs");
const require_keyWrap = require("../keyWrap-CXIHM0IB.cjs");
let node_crypto = require("node:crypto");
//#region src/kms/hierarchicalOptions.ts
const NAMES = [
	"kms",
	"shards",
	"group",
	"rotateAfter",
	"ttl",
	"staleFor",
	"max"
];
const SHARDS = 8;
const MOST_SHARDS = 1e4;
const LONGEST_TTL = 2 ** 31 - 1;
/** UTF-16 units; so that its encryption context stays below 1,024 bytes whatever it is made of. */
const LONGEST_GROUP = 128;
/** @throws FieldsealError `OPTIONS_INVALID`, naming the option */
function checkedOptions(options) {
	const { kms, shards, group, rotateAfter = "90d", ttl = "5m", staleFor = "1h", max = 1e3 } = options;
	const unknown = Object.keys(options).find((name) => !NAMES.includes(name));
	if (unknown !== void 0) throw invalid(unknown, `does not exist; there are ${NAMES.join(", ")}`);
	if (typeof kms?.generate !== "function" || typeof kms.unwrap !== "function") throw invalid("kms", "must be the Kms that wraps the intermediate keys, such as tencentKms({ client, keyId })");
	if (group !== void 0 && typeof group !== "function") throw invalid("group", "must be a function of the tenant");
	if (group && shards !== void 0) throw invalid("shards", "means nothing beside \"group\": give one of them");
	checkInteger("shards", shards ?? SHARDS, MOST_SHARDS);
	checkInteger("max", max, Number.MAX_SAFE_INTEGER);
	return {
		kms,
		groupOf: group ? checked(group) : (tenant) => shardOf(tenant, shards ?? SHARDS),
		rotateAfter: duration("rotateAfter", rotateAfter, [1, Number.MAX_SAFE_INTEGER]),
		ttl: duration("ttl", ttl, [1, LONGEST_TTL]),
		staleFor: duration("staleFor", staleFor, [0, LONGEST_TTL]),
		max
	};
}
/** A DEK names its intermediate key, so another number of shards, or another hash, would do no harm to those there are. */
function shardOf(tenant, shards) {
	return `shard-${(0, node_crypto.createHash)("sha256").update(tenant).digest().readUInt32BE() % shards}`;
}
function checked(group) {
	return (tenant) => {
		const name = nameOf(group, tenant);
		if (name === null || isGroup(name)) return name;
		throw unusable(tenant, `gave ${`neither null nor a text of 1 to ${LONGEST_GROUP} characters without NUL`}`);
	};
}
function nameOf(group, tenant) {
	try {
		return group(tenant);
	} catch (cause) {
		throw unusable(tenant, "failed", { cause });
	}
}
function isGroup(name) {
	if (typeof name !== "string" || name === "" || name.length > LONGEST_GROUP) return false;
	return name.isWellFormed() && !name.includes("\0");
}
function unusable(tenant, why, options) {
	return new require_errors.FieldsealError("KMS_KEY_UNUSABLE", `The option "group" of hierarchicalKms ${why} for tenant ${require_errors.quoted(tenant)}.`, options);
}
function duration(name, given, [shortest, longest]) {
	const value = require_duration.milliseconds(given);
	if (value !== void 0 && value >= shortest && value <= longest) return value;
	throw invalid(name, `must be a time like '5m' or milliseconds, from ${shortest} to ${longest}`);
}
function checkInteger(name, value, most) {
	if (!(Number.isSafeInteger(value) && value >= 1 && value <= most)) throw invalid(name, `must be a whole number from 1 to ${most}`);
}
function invalid(option, why) {
	return new require_errors.FieldsealError("OPTIONS_INVALID", `The option "${option}" of hierarchicalKms ${why}.`);
}
//#endregion
//#region src/kms/intermediateKeys.ts
const PREFIX = "fsw1.";
const LABEL = require_bytes.lengthPrefixed("fieldseal/1 dek-wrap");
/** Of this and later versions of the format: none of them means anything to a KMS. */
const ANY_PREFIX = /^fsw\d+\./;
/** Whether a wrapped DEK is under an intermediate key. */
function isUnderIntermediate({ wrapped }) {
	return ANY_PREFIX.test(wrapped);
}
/**
* DEKs wrapped by keys of groups of tenants. Those keys are DEKs of the purpose `wrap` themselves: rows of the keys table
* with the group's name in place of a tenant's, wrapped by the KMS, counted, succeeded and held in memory as others are.
*/
var IntermediateKeys = class {
	#ring;
	constructor(settings, store, observation) {
		const { kms, ttl, staleFor, max, rotateAfter } = settings;
		const cache = new require_duration.DekCache({
			ttl,
			max,
			staleFor
		});
		const watched = observation && { observation };
		this.#ring = new require_duration.KeyRing({
			kms,
			store,
			cache,
			counted: "wrap",
			rotation: { rotateAfter },
			...watched
		});
	}
	async generate(group, identity) {
		const key = await this.#spend(group, identity);
		const dek = (0, node_crypto.randomBytes)(32);
		return {
			dek,
			...wrapUnder(key, dek, identity)
		};
	}
	async wrap(group, dek, identity) {
		return wrapUnder(await this.#spend(group, identity), dek, identity);
	}
	async unwrap({ wrapped, kekId }, identity) {
		const aad = aadOf(kekId, identity);
		if (!require_duration.isDekId(kekId)) throw refused(kekId);
		const [key] = await asKms(this.#ring.load([kekId], require_duration.ANY_TENANT));
		const dek = require_keyWrap.unwrapDek({
			prefix: PREFIX,
			key: key.key,
			aad
		}, wrapped);
		if (!dek) throw refused(kekId);
		return dek;
	}
	/** Whether a wrapped DEK is under the newest key of its group. */
	async isNewest(group, { kekId }) {
		return (await asKms(this.#ring.active(group, "wrap"))).id === kekId;
	}
	/** A key that may wrap one more DEK. The context is checked before anything is asked for. */
	async #spend(group, identity) {
		require_encryptionContext.encryptionContext(identity);
		return (this.#ring.take(group, 1) ?? await asKms(this.#ring.allot(group, 1)))[0].dek;
	}
};
function wrapUnder({ id, key }, dek, identity) {
	return {
		wrapped: require_keyWrap.wrapDek({
			prefix: PREFIX,
			key,
			aad: aadOf(id, identity)
		}, dek),
		kekId: id
	};
}
function aadOf(kekId, identity) {
	return Buffer.concat([
		LABEL,
		require_bytes.lengthPrefixed(kekId),
		require_bytes.lengthPrefixed(require_encryptionContext.encryptionContext(identity))
	]);
}
/** An intermediate key is the KEK of others: what is wrong with it is wrong with the KMS, in their eyes. */
async function asKms(answer) {
	return answer.catch((cause) => {
		if (!require_errors.FieldsealError.is(cause) || !OF_THE_KEY.has(cause.code)) throw cause;
		throw new require_errors.FieldsealError("KMS_KEY_UNUSABLE", `An intermediate key cannot be used: ${cause.message}. Compare the rows with the purpose "wrap" of the keys table with a backup; without them no DEK under them opens.`, { cause });
	});
}
const OF_THE_KEY = new Set([
	"KEY_NOT_FOUND",
	"KEY_DESTROYED",
	"KEY_INVALID"
]);
function refused(kekId) {
	return new require_errors.FieldsealError("KMS_REFUSED", `The wrapped DEK does not open under the intermediate key ${require_errors.quoted(kekId)}: it was changed, or it belongs to another DEK id, purpose or tenant. Compare its row of the keys table with a backup.`);
}
//#endregion
//#region src/kms/hierarchical.ts
/** In the `kms` column of DEKs under intermediate keys, whatever KMS wraps those. */
const NAME = "hierarchy";
/**
* For many tenants: their DEKs are wrapped in this process by a handful of intermediate keys, which are kept in the keys
* table, wrapped by another KMS. That is asked for the intermediate keys only, so its log no longer shows each tenant;
* docs/scale.md weighs that. DEKs which that KMS wrapped itself are read as before, and `$encryption.rewrap` moves them.
*
* @returns what the `kms` option of `fieldEncryption` takes
* @throws FieldsealError `OPTIONS_INVALID` for options that cannot work. The methods of its `Kms` throw what the other
* KMS throws; `KMS_KEY_UNUSABLE` for an intermediate key that is lost or was changed, `KMS_REFUSED` for a DEK that was
* changed, `KEY_STORE_UNAVAILABLE`, `TENANT_INVALID`.
* @example
* ```ts
* import { hierarchicalKms } from 'fieldseal/hierarchical-kms'
* import { tencentKms } from 'fieldseal/tencent-kms'
*
* fieldEncryption({ schema: encryptionSchema, kms: hierarchicalKms({ kms: tencentKms({ client, keyId }) }) })
* ```
*/
function hierarchicalKms(options) {
	const settings = checkedOptions(options);
	return (store, observation) => over(settings, new IntermediateKeys(settings, store, observation));
}
function over({ kms, groupOf }, keys) {
	const unwrap = (wrapped, identity) => isUnderIntermediate(wrapped) ? keys.unwrap(wrapped, identity) : kms.unwrap(wrapped, identity);
	const wrap = async (dek, identity) => {
		const group = parentOf(groupOf, identity);
		return group === null ? wrapFlat(kms, dek, identity) : keys.wrap(group, dek, identity);
	};
	return {
		name: NAME,
		reads: [kms.name, ...kms.reads ?? []],
		generate: async (identity) => {
			const group = parentOf(groupOf, identity);
			return group === null ? named(kms, await kms.generate(identity)) : keys.generate(group, identity);
		},
		unwrap,
		wrap,
		rewrap: async (wrapped, identity) => {
			const group = parentOf(groupOf, identity);
			const flat = !isUnderIntermediate(wrapped);
			if (group === null && flat && kms.rewrap) return named(kms, await kms.rewrap(wrapped, identity));
			if (group !== null && !flat && await keys.isNewest(group, wrapped)) return wrapped;
			return move(await unwrap(wrapped, identity), (dek) => wrap(dek, identity));
		}
	};
}
/** The group whose intermediate key wraps a DEK; `null` when the KMS does, as it does with intermediate keys. */
function parentOf(groupOf, { purpose, tenant }) {
	return purpose === "wrap" ? null : groupOf(tenant);
}
async function wrapFlat(kms, dek, identity) {
	if (kms.wrap) return named(kms, await kms.wrap(dek, identity));
	throw new require_errors.FieldsealError("OPTIONS_INVALID", `The KMS ${require_errors.quoted(kms.name)} of hierarchicalKms cannot take over DEKs that it did not make: it has no wrap().`);
}
async function move(dek, wrap) {
	try {
		return await wrap(dek);
	} finally {
		dek.fill(0);
	}
}
function named(kms, wrapped) {
	return {
		...wrapped,
		kms: wrapped.kms ?? kms.name
	};
}
//#endregion
exports.hierarchicalKms = hierarchicalKms;
