//#region \0rolldown/runtime.js
var __create = Object.create;
var __defProp = Object.defineProperty;
var __getOwnPropDesc = Object.getOwnPropertyDescriptor;
var __getOwnPropNames = Object.getOwnPropertyNames;
var __getProtoOf = Object.getPrototypeOf;
var __hasOwnProp = Object.prototype.hasOwnProperty;
var __copyProps = (to, from, except, desc) => {
	if (from && typeof from === "object" || typeof from === "function") for (var keys = __getOwnPropNames(from), i = 0, n = keys.length, key; i < n; i++) {
		key = keys[i];
		if (!__hasOwnProp.call(to, key) && key !== except) __defProp(to, key, {
			get: ((k) => from[k]).bind(null, key),
			enumerable: !(desc = __getOwnPropDesc(from, key)) || desc.enumerable
		});
	}
	return to;
};
var __toESM = (mod, isNodeMode, target) => (target = mod != null ? __create(__getProtoOf(mod)) : {}, __copyProps(isNodeMode || !mod || !mod.__esModule ? __defProp(target, "default", {
	value: mod,
	enumerable: true
}) : target, mod));
//#endregion
const require_errors = require("./errors-BaUhUZ7f.cjs");
const require_bytes = require("./bytes-UyNi12Qz.cjs");
const require_encryptionContext = require("./encryptionContext-CMJbxhXX.cjs");
const require_breaker = require("./breaker-C7GjUcql.cjs");
let lru_cache = require("lru-cache");
let node_crypto = require("node:crypto");
let node_module = require("node:module");
let node_path = require("node:path");
let node_util = require("node:util");
let node_buffer = require("node:buffer");
let ms = require("ms");
ms = __toESM(ms, 1);
//#region src/keys/freshness.ts
/** When something held in memory is asked for again, and when it must not be used any more. In milliseconds. */
var Freshness = class {
	#since;
	#ttl;
	#ceiling;
	#freshUntil;
	#renewAt;
	constructor({ now, ttl, staleFor }) {
		this.#since = now;
		this.#ttl = ttl;
		this.#ceiling = ttl + staleFor;
		this.#freshUntil = now + ttl;
		this.#renewAt = this.#freshUntil - ttl * ahead();
	}
	/** Whether it may be used without asking anyone. */
	isFresh(now) {
		return now <= this.#freshUntil;
	}
	/** Whether it is time to ask for it again, behind its users. `true` once; then it is being asked for. */
	isDue(now) {
		if (now < this.#renewAt) return false;
		this.#renewAt = Number.POSITIVE_INFINITY;
		return true;
	}
	/** Has it asked for again at its next use. */
	renewSoon() {
		this.#renewAt = Number.NEGATIVE_INFINITY;
	}
	/**
	* Lets it serve on for a while, because it could not be asked for. Never beyond its ceiling.
	*
	* @returns whether it may be used
	*/
	extend(now) {
		const end = this.#since + this.#ceiling;
		this.#freshUntil = Math.max(this.#freshUntil, Math.min(end, now + this.#ttl * EXTENSION));
		this.#renewAt = now + this.#ttl * EXTENSION * ahead() * 2;
		return this.isFresh(now);
	}
};
/** The part of its time for which something serves on before it is asked for again. */
const EXTENSION = .2;
/** The last part of its time, in which something used is asked for again: not the same for all that came at once. */
function ahead() {
	return .12 + Math.random() * .12;
}
//#endregion
//#region src/keys/dekCache.ts
const PURPOSES = [
	"encrypt",
	"index",
	"wrap"
];
/** Tenants whose last eviction is remembered, for the time that a row takes to become a DEK. */
const EVICTIONS = 1e4;
const LONGEST_TIMER = 2 ** 31 - 1;
/**
* Unwrapped DEKs in memory, by id and by what is active for a tenant: bounded in number and in time. A DEK is not used
* once its time is over, and is dropped at most one `ttl` later even if nobody asks for it again.
*
* @throws FieldsealError `OPTIONS_INVALID`
*/
var DekCache = class {
	/** How often a DEK was looked for and found, and not found. */
	hits = 0;
	misses = 0;
	#byId;
	#active;
	#ttl;
	#staleFor;
	#clock;
	#sweep;
	#evictions = 0;
	#evicted;
	constructor({ ttl, max, staleFor = 0, clock }) {
		checkRange("ttl", ttl, 1, LONGEST_TIMER);
		checkRange("max", max, 1, Number.MAX_SAFE_INTEGER);
		checkRange("staleFor", staleFor, 0, Number.MAX_SAFE_INTEGER - LONGEST_TIMER);
		const options = {
			ttl: ttl + staleFor,
			max,
			...clock && {
				perf: clock,
				ttlResolution: 0
			}
		};
		this.#byId = new lru_cache.LRUCache(options);
		this.#active = new lru_cache.LRUCache(options);
		this.#evicted = new lru_cache.LRUCache({ max: EVICTIONS });
		this.#ttl = ttl;
		this.#staleFor = staleFor;
		this.#clock = clock ?? performance;
	}
	/** How many DEKs are held at most. */
	get max() {
		return this.#byId.max;
	}
	get size() {
		return this.#byId.size;
	}
	/** All that are held. */
	get deks() {
		return [...this.#byId.values()].map(({ dek }) => dek);
	}
	byId(id) {
		const held = this.#byId.get(id);
		const dek = held?.freshness.isFresh(this.#clock.now()) ? held.dek : void 0;
		if (dek) this.hits += 1;
		else this.misses += 1;
		return dek;
	}
	/** `onDue` is told, once, when it is time to ask again whether the active DEK is this one still. */
	active(tenant, purpose, onDue) {
		const now = this.#clock.now();
		const active = this.#active.get(slot(tenant, purpose));
		const held = active?.freshness.isFresh(now) ? this.#byId.get(active.id) : void 0;
		if (!held?.freshness.isFresh(now)) {
			this.misses += 1;
			return;
		}
		this.hits += 1;
		if (onDue && active.freshness.isDue(now)) onDue();
		return held.dek;
	}
	/** Whether it is time to fetch a DEK again while it can still be used. `true` once. */
	isDue(id) {
		return this.#byId.get(id)?.freshness.isDue(this.#clock.now()) ?? false;
	}
	/** A DEK that cannot be fetched again now, if it may serve on nevertheless. */
	extend(id) {
		const held = this.#byId.get(id);
		return held?.freshness.extend(this.#clock.now()) ? held.dek : void 0;
	}
	/** As `extend`, for the active DEK of a tenant. */
	extendActive(tenant, purpose) {
		const held = this.#active.get(slot(tenant, purpose));
		return held?.freshness.extend(this.#clock.now()) ? this.extend(held.id) : void 0;
	}
	/** A mark for `add`, taken before the keys table is read. */
	now() {
		return this.#evictions;
	}
	/** Not if the tenant's DEKs were evicted `since`: then the row that it was made of may have been destroyed. */
	add(dek, since = this.#evictions) {
		if ((this.#evicted.get(dek.tenant) ?? 0) > since) return;
		this.#byId.set(dek.id, {
			dek,
			freshness: this.#freshness()
		});
		this.#sweep ??= setTimeout(() => this.#dropExpired(), this.#ttl).unref();
	}
	addActive(dek, since) {
		this.add(dek, since);
		if (!this.#byId.has(dek.id)) return;
		this.#active.set(slot(dek.tenant, dek.purpose), {
			id: dek.id,
			freshness: this.#freshness()
		});
	}
	#freshness() {
		return new Freshness({
			now: this.#clock.now(),
			ttl: this.#ttl,
			staleFor: this.#staleFor
		});
	}
	/** Drops all DEKs of a tenant, and those of rows that are being read. `false` when there were none. */
	evict(tenant) {
		const before = this.size;
		this.retire(tenant);
		for (const [id, { dek }] of this.#byId.entries()) if (dek.tenant === tenant) this.#byId.delete(id);
		return this.size < before;
	}
	/** Has the active DEKs of a tenant asked for before they are used again. */
	retire(tenant) {
		this.#evictions += 1;
		this.#evicted.set(tenant, this.#evictions);
		for (const purpose of PURPOSES) this.#active.delete(slot(tenant, purpose));
	}
	/** Has the active DEKs of a tenant asked for at their next use, and behind it. */
	renewSoon(tenant) {
		for (const purpose of PURPOSES) this.#active.peek(slot(tenant, purpose))?.freshness.renewSoon();
	}
	clear() {
		clearTimeout(this.#sweep);
		this.#sweep = void 0;
		this.#byId.clear();
		this.#active.clear();
	}
	/** Runs only while there is something to drop, so that an unused cache can be collected. */
	#dropExpired() {
		this.#byId.purgeStale();
		this.#active.purgeStale();
		this.#sweep = this.size > 0 ? setTimeout(() => this.#dropExpired(), this.#ttl).unref() : void 0;
	}
};
function slot(tenant, purpose) {
	return `${purpose} ${tenant}`;
}
function checkRange(name, value, lowest, highest) {
	if (Number.isInteger(value) && value >= lowest && value <= highest) return;
	throw new require_errors.FieldsealError("OPTIONS_INVALID", `the key cache's ${name} must be a whole number from ${lowest} to ${highest}`);
}
//#endregion
//#region src/crypto/aad.ts
const FORMAT = require_bytes.lengthPrefixed("fieldseal/1");
/**
* The additional authenticated data of a ciphertext, without bound values:
* LP("fieldseal/1") ‖ header ‖ LP(tenant) ‖ LP(context). The same for all values of one DEK in one field.
*/
function aadOf(header, tenant, context) {
	return Buffer.concat([
		FORMAT,
		header,
		require_bytes.lengthPrefixed(tenant),
		require_bytes.lengthPrefixed(context)
	]);
}
/** Adds LP(each bound value): a ciphertext copied to another row then fails to decrypt. */
function withBound(aad, bound) {
	return bound.length === 0 ? aad : Buffer.concat([aad, ...bound.map(require_bytes.lengthPrefixed)]);
}
//#endregion
//#region src/crypto/addon.ts
/** Counts up with every change of the addon's functions. */
const REVISION = 2;
/**
* The addon that was built ahead for this platform.
*
* @throws whatever the loader does where there is none, or where Node.js carries no OpenSSL that it could use
*/
function loadAddon() {
	const root = (0, node_path.dirname)((0, node_module.createRequire)(require("url").pathToFileURL(__filename).href).resolve("fieldseal/package.json"));
	const module = { exports: {} };
	process.dlopen(module, (0, node_path.join)(root, "prebuilds", target(), "fieldseal.node"));
	if (module.exports.revision !== REVISION) throw new Error("the addon is of another version of fieldseal");
	return module.exports;
}
/** On a Linux with another C library the loader finds out, and refuses. */
function target() {
	const libc = process.platform === "linux" ? "-glibc" : "";
	return `${process.platform}-${process.arch}${libc}`;
}
const ALGORITHM = "aes-256-gcm";
const OPTIONS = { authTagLength: 16 };
/**
* AES-256-GCM (NIST SP 800-38D) with a 96-bit nonce.
*
* @param plaintext a string is taken as UTF-8
* @param nonce 12 bytes from `randomNonces`, never used before under this key
* @returns nonce(12) ‖ ciphertext ‖ tag(16)
*/
function encrypt(key, aad, plaintext, nonce) {
	if (nonce.length !== 12) throw new TypeError(`a nonce must be 12 bytes`);
	const cipher = (0, node_crypto.createCipheriv)(ALGORITHM, key, nonce, OPTIONS);
	cipher.setAAD(aad);
	const body = typeof plaintext === "string" ? cipher.update(plaintext, "utf8") : cipher.update(plaintext);
	cipher.final();
	const out = Buffer.allocUnsafe(12 + body.length + 16);
	out.set(nonce, 0);
	out.set(body, 12);
	out.set(cipher.getAuthTag(), 12 + body.length);
	return out;
}
/**
* Opens what `encrypt` made.
*
* @returns the plaintext, or `null` when authentication fails (wrong key, AAD, nonce, ciphertext or tag: one answer)
*/
function decrypt(key, aad, sealed) {
	const end = sealed.length - 16;
	if (end < 12) return null;
	const decipher = (0, node_crypto.createDecipheriv)(ALGORITHM, key, sealed.subarray(0, 12), OPTIONS);
	decipher.setAAD(aad);
	decipher.setAuthTag(sealed.subarray(end));
	const plaintext = decipher.update(sealed.subarray(12, end));
	try {
		decipher.final();
	} catch {
		plaintext.fill(0);
		return null;
	}
	return plaintext;
}
/** Random nonces (SP 800-38D §8.2.2), drawn from the system at once: 12 bytes for each of `count` values. */
function randomNonces(count) {
	return (0, node_crypto.randomFillSync)(Buffer.allocUnsafeSlow(count * 12));
}
//#endregion
//#region src/crypto/unencodable.ts
/** A reason why a value cannot be encoded, in words that fit after "the value". */
var UnencodableValue = class extends Error {};
/** The text itself, if UTF-8 can hold it. */
function wellFormed(value) {
	if (!value.isWellFormed()) throw new UnencodableValue("has a lone surrogate, which UTF-8 cannot hold");
	return value;
}
/** In words, and from the prototype only: an own `constructor` property is data. */
function typeName(value) {
	if (value === null) return "null";
	if (typeof value === "number") return Number.isFinite(value) ? "a number" : "a number that is not finite";
	if (typeof value !== "object") return `a value of type ${typeof value}`;
	if (Array.isArray(value)) return "an array";
	return `an object of class ${Object.getPrototypeOf(value)?.constructor?.name ?? "none"}`;
}
//#endregion
//#region src/crypto/dateTime.ts
const DATE = String.raw`(\d{4})-(\d\d)-(\d\d)`;
const TIME = String.raw`(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?`;
/** ISO 8601 as Prisma takes it for a DateTime: to the second at least, and with its offset. */
const WRITTEN = new RegExp(String.raw`^${DATE}[Tt ]${TIME}(?:[Zz]|([+-]\d\d):(\d\d))$`);
/** As PostgreSQL shows a date, a timestamp or a timestamptz; without an offset it is UTC. */
const SHOWN = new RegExp(String.raw`^${DATE}(?:[T ]${TIME}(?:Z|([+-]\d\d)(?::?(\d\d))?)?)?$`);
/** The years that Prisma and PostgreSQL hold alike. */
const FIRST = -621355968e5;
const LAST = Date.UTC(1e4, 0) - 1;
/** Milliseconds since 1970 of a Date, or of a complete ISO 8601 text. */
function dateTime(value) {
	const time = value instanceof Date ? value.getTime() : writtenTime(value);
	if (Number.isNaN(time)) throw new UnencodableValue("is an invalid Date");
	if (time < FIRST || time > LAST) throw new UnencodableValue("must be a date of the years 1 to 9999");
	return time;
}
function writtenTime(value) {
	if (typeof value !== "string") throw new UnencodableValue(`must be a Date or an ISO 8601 text, not ${typeName(value)}`);
	const time = timeOf(WRITTEN, value);
	if (time !== void 0) return time;
	throw new UnencodableValue("is a text, and not a complete date and time in ISO 8601, as 2026-01-31T08:30:00Z");
}
/** The Date that a text form says; `undefined` when it is none. What is finer than a millisecond is cut off. */
function parseDateTime(text) {
	return dateOf(timeOf(SHOWN, text));
}
/** The Date of milliseconds since 1970, if `dateTime` may have made them. */
function dateOf(time) {
	return time !== void 0 && time >= FIRST && time <= LAST ? new Date(time) : void 0;
}
function timeOf(pattern, text) {
	const parts = pattern.exec(text);
	if (!parts) return void 0;
	const [year, month, day, hour = 0, minute = 0, second = 0] = parts.slice(1, 7).map((part) => part && Number(part));
	const millisecond = (parts[7] ?? "").padEnd(3, "0").slice(0, 3);
	const date = utc([
		year,
		month,
		day,
		hour,
		minute,
		second
	], Number(millisecond));
	return date && date.getTime() - offset(parts[8], parts[9]);
}
/** A date that exists: JavaScript makes the 2nd of March out of the 30th of February. */
function utc([year, month, day, hour, minute, second], millisecond) {
	const date = /* @__PURE__ */ new Date(0);
	date.setUTCFullYear(year, month - 1, day);
	date.setUTCHours(hour, minute, second, millisecond);
	return [
		date.getUTCFullYear(),
		date.getUTCMonth() + 1,
		date.getUTCDate(),
		date.getUTCHours()
	].every((part, i) => part === [
		year,
		month,
		day,
		hour
	][i]) && minute < 60 && second < 60 ? date : void 0;
}
function offset(hours = "+00", minutes = "00") {
	const size = Math.abs(Number(hours)) * 60 + Number(minutes);
	return (hours.startsWith("-") ? -size : size) * 6e4;
}
//#endregion
//#region src/crypto/decimal.ts
const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,6}))?$/;
/** What PostgreSQL's `numeric` holds at most, before and after the point. */
const MOST_WHOLE = 131072;
const MOST_FRACTION = 16383;
/**
* A decimal number as its one canonical text: no exponent, no `+`, no zeros that say nothing, and no `-0`.
*
* @param value a Decimal of any copy of decimal.js, a number, or a numeric text
*/
function decimal(value) {
	const canonical = canonicalDecimal(typeof value === "number" ? String(value) : decimalText(value));
	if (canonical === void 0) throw new UnencodableValue("must be a finite decimal number that PostgreSQL can hold");
	return canonical;
}
/** The canonical text of a numeric text; `undefined` when it is none. */
function canonicalDecimal(text) {
	const [, sign, whole = "", fraction = "", exponent = "0"] = DECIMAL.exec(text) ?? [];
	if (sign === void 0 || whole + fraction === "") return void 0;
	const point = whole.length + Number(exponent);
	if (point > MOST_WHOLE || point < -MOST_FRACTION) return isZero(whole + fraction) ? "0" : void 0;
	return plain(sign, whole + fraction, point);
}
function plain(sign, digits, point) {
	const padded = point <= 0 ? "0".repeat(1 - point) + digits : digits.padEnd(point, "0");
	const at = Math.max(point, 1);
	const whole = padded.slice(0, at).replace(/^0+(?=\d)/, "");
	const fraction = padded.slice(at).replace(/0+$/, "");
	if (fraction.length > MOST_FRACTION) return void 0;
	const text = fraction === "" ? whole : `${whole}.${fraction}`;
	return text !== "0" && sign === "-" ? `-${text}` : text;
}
function isZero(digits) {
	return /^0*$/.test(digits);
}
/** Decimals come from several copies of decimal.js, so they are told by their looks, as Prisma does. */
function decimalText(value) {
	if (typeof value === "string") return value;
	if (isDecimal(value)) return value.toFixed();
	throw new UnencodableValue(`must be a Decimal, a number or a numeric text, not ${typeName(value)}`);
}
function isDecimal(value) {
	if (typeof value !== "object" || value === null) return false;
	const { d, e, s, toFixed } = value;
	return typeof toFixed === "function" && (d === null || Array.isArray(d)) && typeof e === "number" && typeof s === "number";
}
//#endregion
//#region src/crypto/json.ts
/** @throws {UnencodableValue} for what JSON cannot hold without loss */
function jsonText(value) {
	try {
		return JSON.stringify(json(value, /* @__PURE__ */ new Set()));
	} catch (error) {
		if (error instanceof RangeError) throw new UnencodableValue("is nested too deeply for JSON, or too large");
		throw error;
	}
}
/**
* JSON as Prisma takes it: `toJSON` is called and a property that is undefined is left out. What JSON.stringify would
* silently drop or change beyond that is refused.
*
* @param inside the objects that hold `value`, to find a circle
*/
function json(value, inside) {
	const plain = revealed(value);
	if (plain === null || typeof plain === "boolean") return plain;
	if (typeof plain === "string") return wellFormed(plain);
	if (typeof plain === "number" && Number.isFinite(plain)) return plain;
	if (typeof plain !== "object" || !(Array.isArray(plain) || isPlain(plain))) throw new UnencodableValue(`holds ${typeName(plain)}, which JSON cannot`);
	if (inside.has(plain)) throw new UnencodableValue("holds itself, which JSON cannot");
	inside.add(plain);
	const copy = Array.isArray(plain) ? Array.from(plain, (item) => json(item, inside)) : jsonObject(plain, inside);
	inside.delete(plain);
	return copy;
}
function jsonObject(value, inside) {
	const entries = Object.entries(value).filter(([, element]) => element !== void 0);
	return Object.fromEntries(entries.map(([key, element]) => [wellFormed(key), json(element, inside)]));
}
/** What `toJSON` answers, where there is one. A Buffer has one too, whose answer is not what was meant. */
function revealed(value) {
	if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
	if (value instanceof Date && Number.isNaN(value.getTime())) throw new UnencodableValue("holds an invalid Date");
	return "toJSON" in value && typeof value.toJSON === "function" ? value.toJSON() : value;
}
/** An object literal, of any realm, or one without a prototype. */
function isPlain(value) {
	if (ArrayBuffer.isView(value)) return false;
	const prototype = Object.getPrototypeOf(value);
	return prototype === null || Object.getPrototypeOf(prototype) === null;
}
/** What a JSON text says; `undefined` when it is none: a parser's message would quote it. */
function parsedJson(json) {
	try {
		return JSON.parse(json);
	} catch {
		return;
	}
}
//#endregion
//#region src/crypto/numbers.ts
const INT_MIN = -(2 ** 31);
const INT_MAX = 2 ** 31 - 1;
const BIGINT_MIN = -(2n ** 63n);
const BIGINT_MAX = 2n ** 63n - 1n;
const INTEGER = /^-?(?:0|[1-9]\d*)$/;
const NUMBER = /^-?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
/** An integer of 32 bits; -0 is 0. */
function int(value) {
	if (typeof value !== "number") throw new UnencodableValue(`must be a number, not ${typeName(value)}`);
	if (!Number.isInteger(value)) throw new UnencodableValue("must be a whole number");
	if (value < INT_MIN || value > INT_MAX) throw new UnencodableValue("does not fit into 32 bits; use the type BigInt");
	return value + 0;
}
/** An integer of 64 bits, from a bigint, a whole number or the text of one. */
function bigint(value) {
	const big = toBigint(value);
	if (big < BIGINT_MIN || big > BIGINT_MAX) throw new UnencodableValue("does not fit into 64 bits; use the type Decimal");
	return big;
}
function toBigint(value) {
	if (typeof value === "bigint") return value;
	if (typeof value === "string") {
		if (INTEGER.test(value)) return BigInt(value);
		throw new UnencodableValue("is a text, and not that of a whole number");
	}
	if (typeof value !== "number") throw new UnencodableValue(`must be a bigint or a number, not ${typeName(value)}`);
	if (!Number.isInteger(value)) throw new UnencodableValue("must be a whole number");
	return BigInt(value);
}
/** A finite number; -0 is 0, which it equals. */
function float(value) {
	if (typeof value !== "number") throw new UnencodableValue(`must be a number, not ${typeName(value)}`);
	if (!Number.isFinite(value)) throw new UnencodableValue("must be a finite number");
	return value + 0;
}
function writeInt(value) {
	const bytes = Buffer.alloc(4);
	bytes.writeInt32BE(value);
	return bytes;
}
function writeBigint(value) {
	const bytes = Buffer.alloc(8);
	bytes.writeBigInt64BE(value);
	return bytes;
}
function writeFloat(value) {
	const bytes = Buffer.alloc(8);
	bytes.writeDoubleBE(value);
	return bytes;
}
/** The number again; `undefined` for bytes that `writeFloat` never makes of a float. */
function readFloat(bytes) {
	const value = bytes.readDoubleBE();
	return Number.isFinite(value) && !Object.is(value, -0) ? value : void 0;
}
/** What a text form says, and `undefined` for anything that is none. */
function parseInt32(text) {
	const value = INTEGER.test(text) ? Number(text) : NaN;
	return value >= INT_MIN && value <= INT_MAX ? value + 0 : void 0;
}
function parseInt64(text) {
	if (!INTEGER.test(text)) return void 0;
	const value = BigInt(text);
	return value >= BIGINT_MIN && value <= BIGINT_MAX ? value : void 0;
}
function parseFloat64(text) {
	const value = NUMBER.test(text) ? Number(text) : NaN;
	return Number.isFinite(value) ? value + 0 : void 0;
}
//#endregion
//#region src/crypto/codec.ts
/** The first byte of every plaintext says what follows. Frozen: a number is never given a second meaning. */
const CODEC = {
	string: 0,
	bytes: 1,
	json: 2,
	int: 3,
	bigint: 4,
	float: 5,
	decimal: 6,
	boolean: 7,
	dateTime: 8,
	list: 9
};
/**
* A value as plaintext: codec(1) ‖ value. Text comes back as a string whose UTF-8 is the plaintext: every codec is
* below 0x80, so its character is its byte.
*
* @throws {UnencodableValue} when the value is not one that the kind can hold without loss
*/
function encode(kind, value) {
	switch (kind) {
		case "String":
		case "Enum": return String.fromCharCode(CODEC.string) + text(value);
		case "Json": return String.fromCharCode(CODEC.json) + jsonText(value);
		case "Decimal": return String.fromCharCode(CODEC.decimal) + decimal(value);
		default: return encodeBytes(kind, value);
	}
}
function encodeBytes(kind, value) {
	switch (kind) {
		case "Bytes": return Buffer.concat([Buffer.of(CODEC.bytes), bytes(value)]);
		case "Int": return Buffer.concat([Buffer.of(CODEC.int), writeInt(int(value))]);
		case "BigInt": return Buffer.concat([Buffer.of(CODEC.bigint), writeBigint(bigint(value))]);
		case "Float": return Buffer.concat([Buffer.of(CODEC.float), writeFloat(float(value))]);
		case "Boolean": return Buffer.of(CODEC.boolean, boolean(value) ? 1 : 0);
		case "DateTime": return Buffer.concat([Buffer.of(CODEC.dateTime), writeBigint(BigInt(dateTime(value)))]);
	}
}
/** The codecs of the kinds whose plaintext is text: these can be decoded from it. */
const TEXT_CODEC = {
	String: CODEC.string,
	Enum: CODEC.string,
	Json: CODEC.json,
	Decimal: CODEC.decimal
};
/** As `decode`, of a plaintext that is text, already without its codec. */
function decodeText(kind, content) {
	if (kind === "Json") return parsedJson(content);
	return kind === "Decimal" && canonicalDecimal(content) !== content ? void 0 : content;
}
/**
* The value again, a decimal as its text; `undefined` when the plaintext is not one that `encode` makes for this kind. It
* never throws, because a parser's message would quote the plaintext.
*/
function decode(kind, plaintext) {
	const codec = plaintext[0];
	const content = plaintext.subarray(1);
	const textCodec = TEXT_CODEC[kind];
	if (textCodec === void 0) return codec === BYTES_CODEC[kind] ? READ[kind](content) : void 0;
	return codec === textCodec && (0, node_buffer.isUtf8)(content) ? decodeText(kind, content.toString("utf8")) : void 0;
}
const BYTES_CODEC = {
	Bytes: CODEC.bytes,
	Int: CODEC.int,
	BigInt: CODEC.bigint,
	Float: CODEC.float,
	Boolean: CODEC.boolean,
	DateTime: CODEC.dateTime
};
const READ = {
	Bytes: (content) => new Uint8Array(content),
	Int: (content) => content.length === 4 ? content.readInt32BE() : void 0,
	BigInt: (content) => content.length === 8 ? content.readBigInt64BE() : void 0,
	Float: (content) => content.length === 8 ? readFloat(content) : void 0,
	Boolean: (content) => content.length === 1 && content[0] < 2 ? content[0] === 1 : void 0,
	DateTime: (content) => content.length === 8 ? dateOf(Number(content.readBigInt64BE())) : void 0
};
function text(value) {
	if (typeof value !== "string") throw new UnencodableValue(`must be a string, not ${typeName(value)}`);
	return wellFormed(value);
}
function bytes(value) {
	if (!node_util.types.isUint8Array(value)) throw new UnencodableValue(`must be a Uint8Array, not ${typeName(value)}`);
	return value;
}
function boolean(value) {
	if (typeof value !== "boolean") throw new UnencodableValue(`must be true or false, not ${typeName(value)}`);
	return value;
}
//#endregion
//#region src/crypto/engineTest.ts
const KEY = Buffer.from("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "hex");
const AAD = Buffer.from("feedfacedeadbeeffeedfacedeadbeefabaddad2", "hex");
const HEADER = Buffer.alloc(18, 1);
const PLAINTEXTS = [
	...[
		"",
		"a",
		"Grüße",
		"健康",
		"😀 and more than one block of AES",
		"﻿\0"
	].map((text) => String.fromCharCode(CODEC.string) + text),
	"{}",
	"ab"
];
const NONCES = Buffer.from(PLAINTEXTS.flatMap((_, i) => Array(12).fill(i)));
const BOUND$1 = PLAINTEXTS.map((_, i) => [`row ${i}`, "ß"]);
/** Whether two engines make the same of the same. */
function isAlike(one, other) {
	return (0, node_util.isDeepStrictEqual)(results(one), results(other));
}
function results({ open, openIndex }) {
	const key = open((0, node_crypto.createSecretKey)(KEY), KEY);
	const all = openIndex((0, node_crypto.createSecretKey)(KEY), KEY).index(AAD, PLAINTEXTS, 16);
	for (const form of ["text", "raw"]) for (const bound of [void 0, BOUND$1]) {
		const spec = {
			header: HEADER,
			form,
			aad: AAD
		};
		const [text, bytes] = [key.place({
			...spec,
			padded: false,
			codec: CODEC.string
		}), key.place({
			...spec,
			padded: true,
			codec: void 0
		})];
		const made = key.encrypt({
			places: PLAINTEXTS.map(() => text),
			bound,
			plaintexts: PLAINTEXTS,
			nonces: NONCES
		});
		const stored = [
			...made,
			...made.map(changed),
			...made.map((ciphertext) => ciphertext.slice(0, 40))
		];
		const rows = bound && [
			...bound,
			...bound,
			...bound
		];
		for (const place of [text, bytes]) all.push(...key.decrypt({
			places: stored.map(() => place),
			bound: rows,
			stored
		}));
		all.push(...made);
	}
	return all;
}
/** With another first character, or byte, of the tag. */
function changed(ciphertext) {
	if (typeof ciphertext !== "string") return Uint8Array.from(ciphertext, (byte, i) => i === ciphertext.length - 16 ? byte ^ 1 : byte);
	const at = ciphertext.length - 20;
	return ciphertext.slice(0, at) + (ciphertext[at] === "A" ? "B" : "A") + ciphertext.slice(at + 1);
}
//#endregion
//#region src/crypto/batch.ts
/** Why a ciphertext has no plaintext. */
const FAILURE = {
	/** It is shorter than a value's, or its text is not canonical base64url. */
	torn: 0,
	/** Authentication failed: wrong key, AAD, nonce, ciphertext or tag; one answer. */
	forged: 1,
	/** It is authentic, and its plaintext not what was asked for: another codec, no UTF-8, no padding. */
	foreign: 2
};
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
function isDekId(text) {
	return UUID.test(text);
}
/** The text of a UUID whose 32 hexadecimal digits these are. */
function uuidOfHex(hex) {
	return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
function encodeHeader({ suite, flags, dekId }) {
	if (!isDekId(dekId)) throw new TypeError("a DEK id must be a lower-case UUID");
	const out = Buffer.alloc(18);
	out[0] = suite;
	out[1] = flags;
	out.write(dekId.replaceAll("-", ""), 2, "hex");
	return out;
}
/** Reads a header of a suite and flags that this version knows; `null` for any other. */
function decodeHeader(bytes) {
	if (bytes.length < 18) return null;
	const [suite, flags] = bytes;
	if (suite !== 1 || (flags & -2) !== 0) return null;
	return {
		suite,
		flags,
		dekId: uuidOfHex(Buffer.from(bytes.buffer, bytes.byteOffset + 2, 16).toString("hex"))
	};
}
//#endregion
//#region src/crypto/ciphertext.ts
/** Every ciphertext of this format begins with it, in text columns and in Bytes columns. */
const PREFIX = "fs1.";
const PREFIX_BYTES = Buffer.from(PREFIX, "latin1");
/** The characters (or bytes) up to and with the header. */
const TEXT_HEAD = 28;
const RAW_HEAD = 22;
/** The prefix and header as text: equal for all ciphertexts of one DEK and flags. */
function textHead(header) {
	return PREFIX + header.toString("base64url");
}
/** The prefix and header as bytes. */
function rawHead(header) {
	return Buffer.concat([PREFIX_BYTES, header]);
}
function textCiphertext(head, sealed) {
	return head + sealed.toString("base64url");
}
function rawCiphertext(header, sealed) {
	const out = new Uint8Array(4 + header.length + sealed.length);
	out.set(PREFIX_BYTES, 0);
	out.set(header, 4);
	out.set(sealed, RAW_HEAD);
	return out;
}
/** Prefix and header of a stored value, in the text form; `null` when it is no ciphertext of this format. */
function headOf(stored) {
	if (typeof stored === "string") return stored.startsWith("fs1.") ? stored.slice(0, TEXT_HEAD) : null;
	if (!node_util.types.isUint8Array(stored)) return null;
	const raw = Buffer.from(stored.buffer, stored.byteOffset, Math.min(stored.byteLength, RAW_HEAD));
	return raw.indexOf(PREFIX_BYTES) === 0 ? textHead(raw.subarray(4)) : null;
}
function headerOfHead(head) {
	const bytes = require_bytes.decodeBase64url(head.slice(4));
	return bytes?.length === 18 ? decodeHeader(bytes) : null;
}
/** What follows the header: nonce ‖ ciphertext ‖ tag; `null` when it is torn or not canonical base64url. */
function sealedPart(stored) {
	const sealed = typeof stored === "string" ? require_bytes.decodeBase64url(stored.slice(TEXT_HEAD)) : Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength).subarray(RAW_HEAD);
	return sealed !== null && sealed.length > 28 ? sealed : null;
}
//#endregion
//#region src/crypto/frame.ts
/** What goes over to the addon in one call at most. */
const LARGEST_COUNT = 1024;
/**
* What the addon is told of each value besides its bytes, and tells back, as it reads it: one column after the other.
* There is one frame, filled in for each call: a small call must not pay for arrays of its own.
*/
const FRAME = new Uint32Array(4 * LARGEST_COUNT);
const [LENGTHS, PLACES, BOUND, OUTCOMES] = [
	0,
	1,
	2,
	3
].map((column) => column * LARGEST_COUNT);
function frameLengths(values) {
	for (let i = 0; i < values.length; i++) FRAME[LENGTHS + i] = values[i].length;
}
function framePlaces(places) {
	for (let i = 0; i < places.length; i++) FRAME[PLACES + i] = places[i].prepared;
}
function frameBound(bound) {
	for (let i = 0; i < bound.length; i++) FRAME[BOUND + i] = bound[i].length;
}
/** The length of a plaintext; negative: −1 − the failure. */
function framedOutcome(i) {
	return FRAME[OUTCOMES + i] | 0;
}
//#endregion
//#region src/crypto/hmac.ts
/** HMAC-SHA-256 (RFC 2104) of the parts, one after the other. */
function hmacSha256(key, ...parts) {
	const hmac = (0, node_crypto.createHmac)("sha256", key);
	for (const part of parts) hmac.update(part);
	return hmac.digest();
}
//#endregion
//#region src/crypto/padding.ts
/**
* ISO/IEC 7816-4 padding: a byte 0x80, then as many 0x00 as fill the block.
*
* @param block the length to fill up to a multiple of, in bytes
*/
function pad(plaintext, block) {
	const out = Buffer.alloc(Math.ceil((plaintext.length + 1) / block) * block);
	out.set(plaintext, 0);
	out[plaintext.length] = 128;
	return out;
}
/** Takes the padding off again; `null` when there is none. */
function unpad(padded) {
	const mark = padded.findLastIndex((byte) => byte !== 0);
	return mark >= 0 && padded[mark] === 128 ? padded.subarray(0, mark) : null;
}
//#endregion
//#region src/crypto/nodeEngine.ts
/** `node:crypto`, one value after the other: it is always there. */
const nodeEngine = {
	name: "node",
	open: (key) => new NodeKey(key),
	openIndex: (key) => ({ index: (prefix, messages, size) => messages.map((message) => hmacSha256(key, prefix, message).subarray(0, size)) })
};
var NodeKey = class {
	#key;
	constructor(key) {
		this.#key = key;
	}
	/** Another engine's place will do: nothing is prepared but the head. */
	place(spec) {
		return {
			...spec,
			prepared: void 0
		};
	}
	encrypt({ places, bound, plaintexts, nonces }) {
		return plaintexts.map((plaintext, i) => {
			const { header, aad, form } = places[i];
			const nonce = nonces.subarray(i * 12, (i + 1) * 12);
			const sealed = encrypt(this.#key, bound ? withBound(aad, bound[i]) : aad, plaintext, nonce);
			return form === "raw" ? rawCiphertext(header, sealed) : textCiphertext(textHead(header), sealed);
		});
	}
	decrypt({ stored, places, bound }) {
		return stored.map((ciphertext, i) => {
			const { aad, padded, codec } = places[i];
			const sealed = sealedPart(ciphertext);
			if (!sealed) return FAILURE.torn;
			const opened = decrypt(this.#key, bound ? withBound(aad, bound[i]) : aad, sealed);
			if (!opened) return FAILURE.forged;
			const plaintext = padded ? unpad(opened) : opened;
			if (!plaintext) return FAILURE.foreign;
			return codec === void 0 ? plaintext : textAfter(codec, plaintext);
		});
	}
};
function textAfter(codec, plaintext) {
	return plaintext[0] === codec && (0, node_buffer.isUtf8)(plaintext) ? plaintext.toString("utf8", 1) : FAILURE.foreign;
}
//#endregion
//#region src/crypto/nativeEngine.ts
/** The bytes, or characters, that go over in one call at most. */
const LARGEST_SUM = 2 ** 22;
/** Longer values are left to `node:crypto`: what its call costs is nothing to them. */
const LARGEST_VALUE = 2 ** 24;
/** As the addon numbers them: text of Latin-1 alone, other text, and bytes. */
const ENCODING = {
	latin1: 0,
	wide: 1,
	bytes: 2
};
/** Over at once for a string that V8 holds with one byte for each character. */
const WIDE = /[\u0100-\uffff]/;
const WIDE_CHARACTERS = /[\u0100-\uffff]/g;
const NO_CODEC = -1;
/** The addon. What it declines, `node:crypto` does, to the same result. */
function nativeEngine(addon) {
	return {
		name: "native",
		open: (key, bytes) => new NativeKey(addon, key, bytes),
		openIndex: (key, bytes) => new NativeIndexKey(addon, key, bytes)
	};
}
var NativeKey = class {
	#addon;
	#key;
	#plain;
	constructor(addon, key, bytes) {
		this.#addon = addon;
		this.#key = addon.open(bytes);
		this.#plain = nodeEngine.open(key, bytes);
	}
	place(spec) {
		const { header, aad, form, padded, codec = NO_CODEC } = spec;
		const head = form === "text" ? textHead(header) : rawHead(header);
		return {
			...spec,
			prepared: this.#addon.place(this.#key, aad, head, padded, codec)
		};
	}
	encrypt(batch) {
		return inParts(batch.plaintexts, batch, encryptPart, (part) => {
			return fits(part.plaintexts) && attempt(() => this.#encrypt(part)) || this.#plain.encrypt(part);
		});
	}
	#encrypt(batch) {
		const plaintext = textInput(batch.plaintexts);
		try {
			return this.#encryptInput(batch, plaintext);
		} finally {
			if (typeof plaintext.input !== "string") plaintext.input.fill(0);
		}
	}
	#encryptInput({ places, bound, plaintexts, nonces }, { input, encoding }) {
		framePlaces(places);
		const texts = boundInput(bound);
		const call = (out) => this.#addon.encrypt(this.#key, FRAME, places.length, texts, input, encoding, nonces, out);
		if (places[0].form === "text") return call(collect);
		const sizes = plaintexts.map((plaintext) => RAW_HEAD + 12 + Buffer.byteLength(plaintext) + 16);
		const out = Buffer.allocUnsafeSlow(sizes.reduce((sum, size) => sum + size, 0));
		call(out);
		let at = 0;
		return sizes.map((size) => {
			at += size;
			return new Uint8Array(out.subarray(at - size, at));
		});
	}
	decrypt(batch) {
		return inParts(batch.stored, batch, decryptPart, (part) => {
			return fits(part.stored) && attempt(() => this.#decrypt(part)) || this.#plain.decrypt(part);
		});
	}
	#decrypt({ stored, places, bound }) {
		frameLengths(stored);
		framePlaces(places);
		const input = storedInput(stored);
		const texts = boundInput(bound);
		if (places[0].codec !== void 0) return this.#addon.decrypt(this.#key, FRAME, stored.length, texts, input, collect);
		const out = Buffer.allocUnsafeSlow(input.length);
		this.#addon.decrypt(this.#key, FRAME, stored.length, texts, input, out);
		return slicesOf(out, stored);
	}
};
var NativeIndexKey = class {
	#addon;
	#key;
	#plain;
	constructor(addon, key, bytes) {
		this.#addon = addon;
		this.#key = addon.openIndex(bytes);
		this.#plain = nodeEngine.openIndex(key, bytes);
	}
	index(prefix, messages, size) {
		return inParts(messages, messages, slice, (part) => {
			return fits(part) && attempt(() => this.#index(prefix, part, size)) || this.#plain.index(prefix, part, size);
		});
	}
	#index(prefix, messages, size) {
		const { input, encoding } = textInput(messages);
		const out = Buffer.allocUnsafe(size * messages.length);
		this.#addon.index(this.#key, FRAME, messages.length, prefix, input, encoding, size, out);
		return messages.map((_, i) => out.subarray(i * size, (i + 1) * size));
	}
};
/** How results come back: one call with all of them costs least. */
function collect(...values) {
	return values;
}
/** What the addon throws is no reason to fail: the other engine decides. */
function attempt(work) {
	try {
		return work();
	} catch {
		return;
	}
}
function fits(values) {
	return values.length > 1 || values[0].length <= LARGEST_VALUE;
}
/** Does a batch in one call, or in parts where it is too much for one. */
function inParts(values, batch, partOf, work) {
	const first = endOfPart(values, 0);
	if (first === values.length) return first === 0 ? [] : work(batch);
	const out = work(partOf(batch, 0, first));
	for (let from = first, to; from < values.length; from = to) {
		to = endOfPart(values, from);
		for (const result of work(partOf(batch, from, to))) out.push(result);
	}
	return out;
}
function endOfPart(values, from) {
	const last = Math.min(values.length, from + LARGEST_COUNT);
	let sum = 0;
	for (let at = from; at < last; at++) {
		sum += values[at].length;
		if (sum > LARGEST_SUM) return Math.max(at, from + 1);
	}
	return last;
}
function slice(values, from, to) {
	return values.slice(from, to);
}
function encryptPart(batch, from, to) {
	return {
		places: batch.places.slice(from, to),
		plaintexts: batch.plaintexts.slice(from, to),
		bound: batch.bound?.slice(from, to),
		nonces: batch.nonces.subarray(from * 12, to * 12)
	};
}
function decryptPart({ places, stored, bound }, from, to) {
	return {
		places: places.slice(from, to),
		stored: stored.slice(from, to),
		bound: bound?.slice(from, to)
	};
}
/** All texts as one, their lengths in the frame: strings stay strings if all are, and bytes are a copy. */
function textInput(texts) {
	if (areStrings(texts)) {
		frameLengths(texts);
		const input = joined(texts);
		return {
			input,
			encoding: WIDE.test(input) ? ENCODING.wide : ENCODING.latin1
		};
	}
	const bytes = texts.map((text) => typeof text === "string" ? Buffer.from(text) : text);
	frameLengths(bytes);
	return {
		input: Buffer.concat(bytes),
		encoding: ENCODING.bytes
	};
}
/** All ciphertexts as one. A character that the addon would cut to a byte becomes another that base64url has not. */
function storedInput(stored) {
	if (areStrings(stored)) {
		const input = joined(stored);
		return WIDE.test(input) ? input.replace(WIDE_CHARACTERS, "ÿ") : input;
	}
	if (stored.some((ciphertext) => typeof ciphertext === "string")) throw new TypeError("text and bytes in one batch");
	return Buffer.concat(stored);
}
function joined(texts) {
	return texts.length === 1 ? texts[0] : texts.join("");
}
/** LP(each bound text) of each value, a character for each byte; the lengths in the frame. */
function boundInput(bound) {
	if (!bound) return void 0;
	const each = bound.map((texts) => texts.length === 1 ? prefixed(texts[0]) : texts.map(prefixed).join(""));
	frameBound(each);
	return each.join("");
}
function prefixed(text) {
	return text.length < 256 && Buffer.byteLength(text) === text.length ? `\0\0\0${String.fromCharCode(text.length)}${text}` : require_bytes.lengthPrefixed(text).toString("latin1");
}
function areStrings(values) {
	for (const value of values) if (typeof value !== "string") return false;
	return true;
}
/** Each plaintext begins where its ciphertext did, and is shorter. */
function slicesOf(out, stored) {
	let at = 0;
	return stored.map(({ length: room }, i) => {
		const length = framedOutcome(i);
		at += room;
		return length < 0 ? FAILURES[-1 - length] : out.subarray(at - room, at - room + length);
	});
}
const FAILURES = [
	FAILURE.torn,
	FAILURE.forged,
	FAILURE.foreign
];
//#endregion
//#region src/crypto/engine.ts
/** The environment variable that overrides the choice. */
const ENGINE_VARIABLE = "FIELDSEAL_ENGINE";
let current;
/** What was found when the addon was first asked for. */
let native;
/**
* The engine that works on values in this process: `native` where the addon loads and proves itself, else `node`; or
* what `FIELDSEAL_ENGINE` says when it is first asked for.
*
* @throws FieldsealError `OPTIONS_INVALID` when that is no engine, or not to be had here
*/
function currentEngine() {
	current ??= chooseEngine(process.env[ENGINE_VARIABLE]);
	return current;
}
/** @param wanted `native`, `node`, or nothing */
function chooseEngine(wanted) {
	if (wanted === "node") return nodeEngine;
	if (wanted !== void 0 && wanted !== "" && wanted !== "native") throw invalid$1(`is ${require_errors.quoted(wanted)}: write "native" or "node", or leave it out`);
	native ??= findNative();
	if (!(native instanceof Error)) return native;
	if (wanted === "native") throw invalid$1("asks for the native engine, which does not load here: leave it out, or write \"node\"", native);
	return nodeEngine;
}
/** Whatever goes wrong with the addon, `node:crypto` is there; so it is an answer, not an exception. */
function findNative() {
	try {
		const engine = nativeEngine(loadAddon());
		return isAlike(engine, nodeEngine) ? engine : /* @__PURE__ */ new Error("the addon does not work as node:crypto does");
	} catch (error) {
		return error instanceof Error ? error : /* @__PURE__ */ new Error("the addon does not load");
	}
}
function invalid$1(what, cause) {
	return new require_errors.FieldsealError("OPTIONS_INVALID", `${ENGINE_VARIABLE} ${what}`, cause && { cause });
}
//#endregion
//#region src/crypto/fieldValue.ts
/**
* A field's value as plaintext, a list as LP(codec ‖ value) of each element.
*
* @throws {UnencodableValue} when the value is not one that the field can hold without loss
*/
function encodeField(form, value) {
	return form.list ? encodeList(form, value) : encodeOne(form, value);
}
function encodeOne({ kind, names }, value) {
	const plaintext = encode(kind, value);
	if (names && !names.includes(value)) throw new UnencodableValue(`must be one of ${names.join(", ")}`);
	return plaintext;
}
function encodeList(form, value) {
	const elements = eachOf(value, (element) => require_bytes.lengthPrefixed(encodeOne(form, element)));
	return Buffer.concat([Buffer.of(CODEC.list), ...elements]);
}
/** Works on each element of a list, also of a hole in it. */
function eachOf(value, work) {
	if (!Array.isArray(value)) throw new UnencodableValue(`must be an array, not ${typeName(value)}`);
	return Array.from(value, (element) => {
		try {
			return work(element);
		} catch (error) {
			throw error instanceof UnencodableValue ? new UnencodableValue(`has an element that ${error.message}`) : error;
		}
	});
}
/** The codec of fields whose plaintext is text, for `decodeFieldText`. */
function textCodecOf({ kind, list }) {
	return list ? void 0 : TEXT_CODEC[kind];
}
/** The value again; `undefined` when the plaintext is not one that `encodeField` makes. It never throws. */
function decodeField(form, plaintext) {
	return form.list ? decodeList(form, plaintext) : revived(form, decode(form.kind, plaintext));
}
/** As `decodeField`, of a plaintext that is text, already without its codec. */
function decodeFieldText(form, text) {
	return revived(form, decodeText(form.kind, text));
}
/** What readers get for a decoded value. */
function revived({ kind, names, decimal }, value) {
	if (names && !names.includes(value)) return void 0;
	return kind === "Decimal" && decimal && value !== void 0 ? decimal(value) : value;
}
function decodeList(form, plaintext) {
	if (plaintext[0] !== CODEC.list) return void 0;
	const elements = [];
	for (let offset = 1; offset < plaintext.length;) {
		const start = offset + 4;
		if (start > plaintext.length) return void 0;
		offset = start + plaintext.readUInt32BE(start - 4);
		const element = offset > plaintext.length ? void 0 : decodeField({
			...form,
			list: false
		}, plaintext.subarray(start, offset));
		if (element === void 0) return void 0;
		elements.push(element);
	}
	return elements;
}
//#endregion
//#region src/keys/dek.ts
/**
* An unwrapped DEK as the process holds it: only the key derived for its purpose, as a `KeyObject`, and what can be
* computed once for all values under it.
*/
var Dek = class {
	id;
	tenant;
	purpose;
	key;
	/** The key as the engine works with it, on whole batches of values; of use for `encrypt` only. */
	values;
	/** The same for `index`. */
	indexes;
	#header;
	#places = /* @__PURE__ */ new Map();
	#paddedPlaces = /* @__PURE__ */ new Map();
	/** Takes over `bytes` and zeroes them. */
	constructor(identity, bytes, engine = currentEngine()) {
		try {
			if (bytes.length !== 32) throw wrongLength(identity);
			const { purpose, key: dekId } = identity;
			this.id = dekId;
			this.tenant = identity.tenant;
			this.purpose = purpose;
			this.#header = encodeHeader({
				suite: 1,
				flags: 0,
				dekId
			});
			const { key, made } = require_encryptionContext.deriveWith(bytes, purpose, (derived, raw) => ({
				values: engineFor(purpose === "encrypt", engine).open(derived, raw),
				indexes: engineFor(purpose === "index", engine).openIndex(derived, raw)
			}));
			this.key = key;
			this.values = made.values;
			this.indexes = made.indexes;
		} finally {
			bytes.fill(0);
		}
	}
	/** A field, as `values` works with it: the same object each time for the same field. */
	place(field, padded) {
		const places = padded ? this.#paddedPlaces : this.#places;
		let place = places.get(field);
		if (!place) {
			place = this.#newPlace(field, padded);
			places.set(field, place);
		}
		return place;
	}
	#newPlace(field, padded) {
		const header = padded ? this.#paddedHeader() : this.#header;
		const aad = aadOf(header, this.tenant, field.context);
		const form = field.column === "Bytes" ? "raw" : "text";
		return this.values.place({
			header,
			aad,
			form,
			padded,
			codec: textCodecOf(field)
		});
	}
	#paddedHeader() {
		return encodeHeader({
			suite: 1,
			flags: 1,
			dekId: this.id
		});
	}
};
/** What costs nothing to open, for a key that will not be used so. */
function engineFor(used, engine) {
	return used ? engine : nodeEngine;
}
function wrongLength(identity) {
	return new require_errors.FieldsealError("KEY_INVALID", `the KMS returned DEK ${identity.key} with a length other than 32 bytes`);
}
//#endregion
//#region src/keys/keyError.ts
/** An error about a DEK: it names the key's id, never the key. */
function keyError(code, id, what, cause) {
	return new require_errors.FieldsealError(code, `DEK ${id} ${what}`, cause === void 0 ? void 0 : { cause });
}
//#endregion
//#region src/keys/ledger.ts
/**
* How many messages this process may still encrypt under each DEK: what it has reserved in the keys table and not spent.
* An account that is pushed out takes its rest along: too few messages are counted as free then, never too many.
*/
var Ledger = class {
	#accounts;
	constructor(max) {
		this.#accounts = new lru_cache.LRUCache({ max });
	}
	/** `closed`: the keys table has no more to reserve for this DEK. */
	add(id, count, closed) {
		this.#accounts.set(id, {
			left: this.left(id) + count,
			closed
		});
	}
	left(id) {
		return this.#accounts.get(id)?.left ?? 0;
	}
	isClosed(id) {
		return this.#accounts.get(id)?.closed ?? false;
	}
	/** Spends `count` messages and says how many are left then; spends none when there are fewer. */
	take(id, count) {
		const account = this.#accounts.get(id);
		if (!account || account.left < count) return void 0;
		account.left -= count;
		return account.left;
	}
	/** Spends what is left, up to `count` messages, and says how many that were. */
	takeUpTo(id, count) {
		const taken = Math.min(count, this.left(id));
		return this.take(id, taken) === void 0 ? 0 : taken;
	}
};
//#endregion
//#region src/keys/outage.ts
/**
* Failures that say nothing about the key that was asked for: it may serve on for a while. A denial or a KEK that was
* disabled is not among them: somebody may have meant it.
*/
const OUTAGES = new Set([
	"KMS_UNAVAILABLE",
	"KMS_THROTTLED",
	"KEY_STORE_UNAVAILABLE"
]);
function isOutage(error) {
	return require_errors.FieldsealError.is(error) && OUTAGES.has(error.code);
}
//#endregion
//#region src/keys/rotation.ts
/** NIST SP 800-38D §8.3: as many encryptions with random 96-bit nonces under one key as are safe. */
const MOST_MESSAGES = 2 ** 32;
const LARGEST_BLOCK = 2 ** 20;
/** A limit is handed out in no fewer blocks than these, where it is large enough. */
const BLOCKS = 64;
const ROTATION_DEFAULTS = {
	rotateAfter: 90 * 864e5,
	maxMessages: MOST_MESSAGES
};
/** How many messages a process reserves at once. */
function blockOf({ maxMessages }) {
	return Math.max(1, Math.min(LARGEST_BLOCK, Math.floor(maxMessages / BLOCKS)));
}
/** @throws FieldsealError `OPTIONS_INVALID` */
function checkPolicy({ rotateAfter, maxMessages }) {
	if (!(rotateAfter > 0)) throw invalid("rotateAfter", "a time like '90d' or milliseconds above 0");
	if (Number.isInteger(maxMessages) && maxMessages >= 1 && maxMessages <= MOST_MESSAGES) return;
	throw invalid("maxMessages", "a whole number from 1 to 2^32, the most that NIST SP 800-38D allows random nonces");
}
function invalid(name, what) {
	return new require_errors.FieldsealError("OPTIONS_INVALID", `the key ring's ${name} must be ${what}`);
}
//#endregion
//#region src/keys/singleFlight.ts
/** Concurrent callers with the same key share one run; the next caller after it ended starts another. */
var SingleFlight = class {
	#running = /* @__PURE__ */ new Map();
	get(key) {
		return this.#running.get(key);
	}
	run(key, work) {
		const running = this.#running.get(key);
		if (running) return running;
		const promise = work().finally(() => {
			if (this.#running.get(key) === promise) this.#running.delete(key);
		});
		this.#running.set(key, promise);
		return promise;
	}
	/** Later callers share nothing with runs that have begun. */
	forget() {
		this.#running.clear();
	}
};
//#endregion
//#region src/keys/activeKeys.ts
const NIL_UUID = "00000000-0000-0000-0000-000000000000";
/** Blocks below this are not reserved ahead: the spare could be as large as the need. */
const AHEAD = 1024;
/** The tenants' active DEKs: finds them, makes them, counts what they encrypt, and lets new ones succeed them. */
var ActiveKeys = class {
	#options;
	#ledger;
	#counted;
	#block;
	/** Below it the next block is reserved, behind the operation that sees it. */
	#low;
	#flights = new SingleFlight();
	#opens = new SingleFlight();
	#reservations = new SingleFlight();
	constructor(options) {
		this.#options = options;
		this.#counted = options.counted;
		this.#block = blockOf(options.policy);
		this.#low = this.#block < AHEAD ? 0 : this.#block / 4;
		this.#ledger = new Ledger(options.cache.max);
	}
	/**
	* The active DEK if it is in memory. One that is used is fetched again, or succeeded, before its time is over and
	* behind its users: interactive transactions that hold all connections could otherwise never get one. It is tried
	* once; if that fails, the DEK serves until its time in memory is over, and is then asked for as any other.
	*/
	cached(tenant, purpose) {
		return this.#options.cache.active(tenant, purpose, () => {
			this.#activate(tenant, purpose).catch(() => void 0);
		});
	}
	async active(tenant, purpose) {
		return this.cached(tenant, purpose) ?? this.#activate(tenant, purpose);
	}
	/** Has the next messages of a tenant need neither keys table nor KMS. */
	async prepare(tenant, purpose) {
		const dek = await this.active(tenant, purpose);
		if (purpose === this.#counted && this.#ledger.left(dek.id) <= this.#low) await this.#extend(dek);
	}
	/** The right to encrypt `count` messages, if memory has it. */
	take(tenant, count) {
		const dek = this.cached(tenant, this.#counted);
		const left = dek ? this.#ledger.take(dek.id, count) : void 0;
		if (!dek || left === void 0) return void 0;
		if (left < this.#low) this.#extend(dek).catch(() => void 0);
		return [{
			dek,
			count
		}];
	}
	/** The right to encrypt `count` messages, under as many DEKs as their limits ask for. */
	async allot(tenant, count) {
		const allotments = [];
		let dek = await this.active(tenant, this.#counted);
		for (let missing = count; missing > 0;) {
			const drawn = this.#ledger.takeUpTo(dek.id, missing);
			if (drawn > 0) allotments.push({
				dek,
				count: drawn
			});
			else if (await this.#reserve(dek.id, missing) === 0) dek = await this.#successor(dek);
			missing -= drawn;
		}
		return allotments;
	}
	/** Brings the DEK of an active row into memory, unless it is there. */
	async adopt(row) {
		const { id: key, tenant, purpose } = row;
		if (this.cached(tenant, purpose)) return false;
		await this.#use(row, {
			key,
			tenant,
			purpose
		}, this.#options.cache.now());
		return true;
	}
	/** Brings the active DEK for `encrypt` into memory, if there is one; makes none. */
	async open(tenant) {
		await (this.#flights.get(`encrypt ${tenant}`) ?? this.#opens.run(tenant, () => this.#openNewest(tenant)));
	}
	async #openNewest(tenant) {
		const since = this.#options.cache.now();
		const newest = await this.#options.store.findNewest(tenant, "encrypt");
		if (newest?.state === "active") await this.#use(newest, {
			key: newest.id,
			purpose: "encrypt",
			tenant
		}, since);
	}
	/** Outside the caller's transaction: a rollback must not give messages back that were encrypted. */
	#reserve(id, wanted) {
		if (this.#ledger.isClosed(id)) return Promise.resolve(0);
		return this.#reservations.run(id, async () => {
			const count = Math.max(this.#block, wanted);
			const granted = await this.#options.store.reserve(id, count, this.#options.policy.maxMessages);
			this.#ledger.add(id, granted, granted < count);
			return granted;
		});
	}
	async #extend(dek) {
		if (await this.#reserve(dek.id, 0) === 0) await this.#successor(dek);
	}
	/** The DEK after one that can encrypt no more. */
	#successor({ id, tenant }) {
		const current = this.#options.cache.active(tenant, this.#counted);
		if (current && current.id !== id) return Promise.resolve(current);
		return this.#activate(tenant, this.#counted, id);
	}
	#activate(tenant, purpose, spent) {
		return this.#flights.run(`${purpose} ${tenant}`, async () => {
			require_encryptionContext.encryptionContext({
				key: NIL_UUID,
				purpose,
				tenant
			});
			const since = this.#options.cache.now();
			try {
				const newest = await this.#options.store.findNewest(tenant, purpose);
				return await this.#useOrSucceed({
					tenant,
					purpose,
					spent,
					since
				}, newest);
			} catch (error) {
				return this.#serveOn({
					tenant,
					purpose,
					spent,
					since
				}, error);
			}
		});
	}
	/** What is in memory, when a KMS or a keys table that is down is all that stands against it. */
	#serveOn({ tenant, purpose, spent }, error) {
		const { cache, emit } = this.#options;
		if (require_errors.FieldsealError.is(error, "KEY_DESTROYED") && cache.evict(tenant)) emit?.({
			type: "key.evicted",
			tenant
		});
		const dek = isOutage(error) ? cache.extendActive(tenant, purpose) : void 0;
		if (!dek || dek.id === spent) throw error;
		emit?.({
			type: "key.stale",
			tenant,
			key: dek.id,
			code: error.code
		});
		return dek;
	}
	/**
	* Has a new DEK succeed the one with this id, unless another one has already.
	*
	* @throws FieldsealError `KEY_DESTROYED`, `KEY_STORE_UNAVAILABLE`, `KMS_*`
	*/
	async rotate(tenant, id) {
		for (;;) {
			const dek = await this.#successor({
				id,
				tenant
			});
			if (dek.id === id) continue;
			this.#tellRotated(dek);
			return dek;
		}
	}
	#tellRotated({ tenant, id }) {
		this.#options.onRotated(tenant);
		this.#options.emit?.({
			type: "key.rotated",
			tenant,
			key: id
		});
	}
	/**
	* Makes new keys for a tenant whose keys were destroyed.
	*
	* @returns the purposes that had a destroyed key
	*/
	async reopen(tenant) {
		const { store, cache } = this.#options;
		const purposes = [];
		for (const purpose of ["encrypt", "index"]) {
			const newest = await store.findNewest(tenant, purpose);
			if (newest?.state !== "destroyed") continue;
			await this.#create({
				tenant,
				purpose,
				spent: void 0,
				since: cache.now(),
				reopens: true
			}, newest);
			purposes.push(purpose);
		}
		return purposes;
	}
	/** Drops what is in memory of a tenant's keys, and has nobody wait for what is on its way. */
	forget() {
		this.#opens.forget();
		this.#flights.forget();
	}
	async #useOrSucceed(wanted, newest) {
		const identity = newest && {
			key: newest.id,
			purpose: wanted.purpose,
			tenant: wanted.tenant
		};
		if (!identity || newest.state === "retired" || this.#isSpent(wanted, newest)) return this.#create(wanted, newest);
		if (newest.state === "active" && this.#isOld(newest)) return this.#succeedOld(wanted, newest, identity);
		return this.#use(newest, identity, wanted.since);
	}
	async #succeedOld(wanted, old, identity) {
		try {
			const dek = await this.#create(wanted, old);
			this.#tellRotated(dek);
			return dek;
		} catch (error) {
			if (!isOfKms(error)) throw error;
			return this.#use(old, identity, wanted.since);
		}
	}
	async #use(row, identity, since) {
		return this.#remember(await this.#options.unwrapper.unwrap(row, identity), since);
	}
	#remember(dek, since) {
		this.#options.cache.addActive(dek, since);
		return dek;
	}
	#isSpent({ purpose, spent }, { id, state, messages }) {
		if (purpose !== this.#counted || state !== "active") return false;
		return id === spent || messages >= this.#options.policy.maxMessages && this.#ledger.left(id) === 0;
	}
	#isOld({ purpose, createdAt }) {
		const { now, policy } = this.#options;
		return purpose === this.#counted && now() - createdAt.getTime() >= policy.rotateAfter;
	}
	/**
	* Two processes may both come here: the keys table lets one win, and the other takes the winner's key, or, should
	* that be of no use by then, makes the version after it.
	*/
	async #create(wanted, newest) {
		const { kms, store } = this.#options;
		const identity = {
			key: (0, node_crypto.randomUUID)(),
			purpose: wanted.purpose,
			tenant: wanted.tenant
		};
		const { dek: bytes, wrapped, kekId, kms: name = kms.name } = await kms.generate(identity);
		const dek = new Dek(identity, bytes);
		const row = this.#rowOf(dek, {
			wrapped,
			kms: name,
			kekId,
			version: (newest?.version ?? 0) + 1
		});
		if (!await store.insert(row, { reopens: wanted.reopens ?? false })) return this.#useWinner(wanted, row);
		this.#ledger.add(dek.id, row.messages, row.messages === this.#options.policy.maxMessages);
		this.#tellCreated(row, newest);
		return this.#remember(dek, wanted.since);
	}
	#tellCreated({ id: key, tenant, purpose, version }, before) {
		this.#options.emit?.({
			type: "key.created",
			tenant,
			purpose,
			key,
			version,
			previous: before?.version
		});
	}
	/** Its first block is reserved with its row. */
	#rowOf({ id, tenant, purpose }, rest) {
		return {
			id,
			tenant,
			purpose,
			state: "active",
			messages: purpose === this.#counted ? this.#block : 0,
			...rest
		};
	}
	async #useWinner(wanted, lost) {
		const winner = await this.#options.store.findNewest(wanted.tenant, wanted.purpose);
		if (winner === null || winner.version < lost.version && winner.state !== "destroyed") throw keyError("KEY_STORE_UNAVAILABLE", lost.id, "lost to a row that cannot be read back: let the keys table be read where it is written");
		return this.#useOrSucceed(wanted, winner);
	}
};
function isOfKms(error) {
	return require_errors.FieldsealError.is(error) && error.code.startsWith("KMS_");
}
//#endregion
//#region src/keys/observedKms.ts
/** The same KMS, with its calls told to whoever watches; the KMS itself when nobody does. */
function observedKms(kms, { emit, around }) {
	if (!emit && !around) return kms;
	const observe = (action, identity, work) => {
		const call = {
			action,
			kms: kms.name,
			purpose: identity.purpose,
			key: identity.key
		};
		const timed = () => time(work, (end) => emit?.({
			type: "kms.call",
			...call,
			tenant: identity.tenant,
			...end
		}));
		return around ? around(call, timed) : timed();
	};
	return {
		...kms,
		name: kms.name,
		generate: (identity) => observe("generate", identity, () => kms.generate(identity)),
		unwrap: (wrapped, identity) => observe("unwrap", identity, () => kms.unwrap(wrapped, identity))
	};
}
async function time(work, tell) {
	const start = performance.now();
	try {
		const result = await work();
		tell({
			milliseconds: performance.now() - start,
			code: void 0
		});
		return result;
	} catch (error) {
		const code = require_errors.FieldsealError.is(error) ? error.code : "KMS_UNAVAILABLE";
		tell({
			milliseconds: performance.now() - start,
			code
		});
		throw error;
	}
}
//#endregion
//#region src/keys/kms.ts
/** Whether a `Kms` unwraps the keys of rows with this name in the `kms` column. */
function reads(kms, name) {
	return name === kms.name || (kms.reads?.includes(name) ?? false);
}
//#endregion
//#region src/keys/unwrapper.ts
/** Makes DEKs of rows of the keys table, by the KMS. */
var Unwrapper = class {
	#kms;
	#unwraps = new SingleFlight();
	constructor(kms) {
		this.#kms = kms;
	}
	/**
	* A read and a write that need the same DEK at once share one call of the KMS.
	*
	* @throws FieldsealError `KEY_DESTROYED`, `KEY_INVALID`, `KMS_*`
	*/
	async unwrap(row, identity) {
		const wrapped = {
			wrapped: usableText(row, identity, this.#kms),
			kekId: row.kekId
		};
		const same = JSON.stringify([
			identity.key,
			identity.purpose,
			identity.tenant,
			wrapped
		]);
		return this.#unwraps.run(same, () => this.#askKms(wrapped, identity));
	}
	/** Later callers share no unwrapping that has begun. */
	forget() {
		this.#unwraps.forget();
	}
	async #askKms(wrapped, identity) {
		try {
			return new Dek(identity, await this.#kms.unwrap(wrapped, identity));
		} catch (error) {
			if (!require_errors.FieldsealError.is(error, "KMS_REFUSED")) throw error;
			throw keyError("KEY_INVALID", identity.key, "was refused by the KMS: its row in the keys table was changed", error);
		}
	}
};
/** The row's wrapped DEK, if the row is one that this process may use. */
function usableText(row, identity, kms) {
	if (row.state === "destroyed") throw keyError("KEY_DESTROYED", row.id, "was destroyed; what it encrypted is gone");
	if (row.state !== "active" && row.state !== "retired") throw keyError("KEY_INVALID", row.id, "has an unknown state");
	if (!isDekId(row.id)) throw keyError("KEY_INVALID", row.id, "has an id that is not a lower-case UUID");
	if (row.tenant !== identity.tenant) throw keyError("KEY_INVALID", row.id, "is of another tenant than was asked for");
	if (row.purpose !== identity.purpose) throw keyError("KEY_INVALID", row.id, `has the purpose ${row.purpose}`);
	if (!reads(kms, row.kms)) throw keyError("KEY_INVALID", row.id, `is wrapped by the KMS ${require_errors.quoted(row.kms)}, not ${require_errors.quoted(kms.name)}`);
	if (row.wrapped === null) throw keyError("KEY_INVALID", row.id, `is ${row.state}, yet its row has no wrapped key`);
	return row.wrapped;
}
//#endregion
//#region src/keys/keyRing.ts
/** Stands for every tenant where a tenant is asked for: only `$acrossTenants` passes it. */
const ANY_TENANT = Symbol("any tenant");
const NOBODY = {
	emit: void 0,
	around: void 0
};
/** Ids in one query. */
const PAGE = 1e3;
const NO_ROWS = Promise.resolve([]);
/**
* The tenants' DEKs: finds, unwraps and creates them. An answer from memory is given at once, any other as a promise,
* so that a warm path awaits nothing.
*/
var KeyRing = class {
	#counted;
	#store;
	#cache;
	#unwrapper;
	#actives;
	#loads = new SingleFlight();
	#emit;
	#purpose;
	/** @throws FieldsealError `OPTIONS_INVALID` for a rotation that cannot be */
	constructor(options) {
		const { kms, store, cache, rotation, counted = "encrypt", now = Date.now, onRotated = () => void 0 } = options;
		const { emit, around } = options.observation ?? NOBODY;
		const policy = {
			...ROTATION_DEFAULTS,
			...rotation
		};
		checkPolicy(policy);
		this.#counted = counted;
		this.#store = store;
		this.#cache = cache;
		const spared = require_breaker.withBreaker(observedKms(kms, {
			emit,
			around
		}));
		this.#emit = emit;
		this.#purpose = options.loads ?? "encrypt";
		this.#unwrapper = new Unwrapper(spared);
		this.#actives = new ActiveKeys({
			kms: spared,
			store,
			cache,
			unwrapper: this.#unwrapper,
			policy,
			counted,
			now,
			onRotated,
			emit
		});
	}
	/** The DEK of a ciphertext if it is in memory. Whose it is, the caller checks. */
	cached(id) {
		const dek = this.#cache.byId(id);
		if (dek?.purpose !== this.#counted) return void 0;
		if (this.#cache.isDue(id)) this.#renew(dek);
		return dek;
	}
	/**
	* Fetches a DEK in use again before its time is over, behind the operation that uses it, as `ActiveKeys.cached` does.
	*/
	#renew({ id, tenant }) {
		const load = () => this.#load(id, tenant, {
			since: this.#cache.now(),
			rows: this.#find([id])
		});
		this.#loads.run(flight(id, tenant), load).catch(() => void 0);
	}
	/** The active DEK of a tenant if it is in memory. */
	cachedActive(tenant, purpose) {
		return this.#actives.cached(tenant, purpose);
	}
	/**
	* The active DEK of a tenant; the first one is made and stored before it is returned. Who encrypts with it asks for
	* an allotment instead.
	*
	* @throws FieldsealError `TENANT_INVALID`, `KEY_DESTROYED`, `KEY_INVALID`, `KEY_STORE_UNAVAILABLE`, `KMS_*`
	*/
	active(tenant, purpose) {
		return this.#actives.active(tenant, purpose);
	}
	/** As `active`, and has the next messages need neither keys table nor KMS. */
	prepare(tenant, purpose) {
		return this.#actives.prepare(tenant, purpose);
	}
	/** The right to encrypt `count` messages for a tenant, if memory has it. It is spent, used or not. */
	take(tenant, count) {
		return this.#actives.take(tenant, count);
	}
	/**
	* The right to encrypt `count` messages for a tenant, under one DEK or, where its limit ends, several. It is spent,
	* used or not.
	*
	* @throws FieldsealError as `active`
	*/
	allot(tenant, count) {
		return this.#actives.allot(tenant, count);
	}
	/**
	* Brings the active DEK of a tenant for `encrypt` into memory, if the tenant has one; makes none.
	*
	* @throws FieldsealError `KEY_INVALID`, `KEY_STORE_UNAVAILABLE`, `KMS_*`
	*/
	open(tenant) {
		return this.#actives.open(tenant);
	}
	/**
	* The DEKs with these ids, with one query for all that are not in memory.
	*
	* @throws FieldsealError `TENANT_MISMATCH` before that DEK is unwrapped, `KEY_NOT_FOUND`, `KEY_DESTROYED`,
	* `KEY_INVALID`, `KEY_STORE_UNAVAILABLE`, `KMS_*`
	*/
	async load(ids, scope) {
		return Promise.all(this.loadEach(ids, scope));
	}
	/**
	* As `load`, with an outcome for each id, so that a caller can tell what each is needed for. It throws nothing itself;
	* the caller handles every promise.
	*/
	loadEach(ids, scope) {
		const known = ids.map((id) => this.#inMemory(id, scope) ?? this.#loads.get(flight(id, scope)));
		const missing = new Set(ids.filter((_, i) => known[i] === void 0));
		const since = this.#cache.now();
		const rows = missing.size > 0 ? this.#find([...missing]) : NO_ROWS;
		const load = (id) => this.#loads.run(flight(id, scope), () => this.#load(id, scope, {
			rows,
			since
		}));
		return ids.map((id, i) => known[i] ?? load(id));
	}
	/**
	* Has a new DEK for `encrypt` succeed the one with this id, unless another one has already.
	*
	* @throws FieldsealError as `active`
	*/
	rotate(tenant, id) {
		return this.#actives.rotate(tenant, id);
	}
	/** Makes new keys for a tenant whose keys were destroyed, and says for which purposes. */
	reopen(tenant) {
		return this.#actives.reopen(tenant);
	}
	/** Drops a tenant's DEKs from memory. What is on its way still serves those who wait for it already. */
	evict(tenant) {
		if (this.#cache.evict(tenant)) this.#emit?.({
			type: "key.evicted",
			tenant
		});
		this.#loads.forget();
		this.#unwrapper.forget();
		this.#actives.forget();
	}
	/** Has a tenant's active DEKs asked for before they are used again. */
	retire(tenant) {
		this.#cache.retire(tenant);
		this.#actives.forget();
	}
	/** Has a tenant's active DEKs asked for at their next use, and behind it. */
	renewSoon(tenant) {
		this.#cache.renewSoon(tenant);
	}
	/**
	* Brings the DEK of an active row into memory.
	*
	* @returns whether it was not there
	*/
	adopt(row) {
		return this.#actives.adopt(row);
	}
	/** Compares what is in memory with the keys table, and drops what is no longer so. No call of the KMS. */
	async recheck() {
		const deks = this.#cache.deks;
		for (let i = 0; i < deks.length; i += PAGE) {
			const page = deks.slice(i, i + PAGE);
			const rows = new Map((await this.#find(page.map(({ id }) => id))).map((row) => [row.id, row]));
			for (const { id, tenant, purpose } of page) {
				const state = rows.get(id)?.state ?? "destroyed";
				if (state === "destroyed") this.evict(tenant);
				else if (state === "retired" && this.#cache.active(tenant, purpose)?.id === id) this.retire(tenant);
			}
		}
	}
	#inMemory(id, scope) {
		const dek = this.cached(id);
		return dek && !isWithin(scope, dek.tenant) ? Promise.reject(foreign(id, scope)) : dek;
	}
	/** A store that throws instead of rejecting does so into the promise. */
	async #find(ids) {
		return this.#store.findByIds(ids);
	}
	/** A DEK that is in memory serves on when a KMS or a keys table that is down is all that stands against it. */
	async #load(id, scope, read) {
		try {
			return await this.#loadRow(id, scope, read);
		} catch (error) {
			const dek = isOutage(error) ? this.#cache.extend(id) : void 0;
			if (!dek || !isWithin(scope, dek.tenant)) throw error;
			this.#emit?.({
				type: "key.stale",
				tenant: dek.tenant,
				key: id,
				code: error.code
			});
			return dek;
		}
	}
	async #loadRow(id, scope, read) {
		const row = (await read.rows).find((candidate) => candidate.id === id);
		if (!row) throw keyError("KEY_NOT_FOUND", id, "is not in the keys table: restore the table, or the row is lost");
		if (!isWithin(scope, row.tenant)) throw foreign(id, scope);
		if (row.state === "destroyed") this.evict(row.tenant);
		const dek = await this.#unwrapper.unwrap(row, {
			key: id,
			purpose: this.#counted,
			tenant: row.tenant
		});
		this.#cache.add(dek, read.since);
		return dek;
	}
};
function isWithin(scope, tenant) {
	return scope === ANY_TENANT || tenant === scope;
}
function foreign(id, scope) {
	return new require_errors.FieldsealError("TENANT_MISMATCH", `tenant ${require_errors.quoted(scope)} asked for data under DEK ${id} of another tenant`);
}
/** Loads are shared within one scope only: an answer, or an error, that is right for one is wrong for another. */
function flight(id, scope) {
	return scope === ANY_TENANT ? id : `${id} ${scope}`;
}
//#endregion
//#region src/keys/duration.ts
/** The milliseconds of a duration; `undefined` when it is none, or not a finite one from 0 on. */
function milliseconds(duration) {
	const value = typeof duration === "string" && duration.length > 0 && duration.length <= 100 ? (0, ms.default)(duration) : duration;
	return typeof value === "number" && Number.isFinite(value) && value >= 0 ? Math.round(value) : void 0;
}
//#endregion
Object.defineProperty(exports, "ANY_TENANT", {
	enumerable: true,
	get: function() {
		return ANY_TENANT;
	}
});
Object.defineProperty(exports, "DekCache", {
	enumerable: true,
	get: function() {
		return DekCache;
	}
});
Object.defineProperty(exports, "FAILURE", {
	enumerable: true,
	get: function() {
		return FAILURE;
	}
});
Object.defineProperty(exports, "KeyRing", {
	enumerable: true,
	get: function() {
		return KeyRing;
	}
});
Object.defineProperty(exports, "MOST_MESSAGES", {
	enumerable: true,
	get: function() {
		return MOST_MESSAGES;
	}
});
Object.defineProperty(exports, "PREFIX", {
	enumerable: true,
	get: function() {
		return PREFIX;
	}
});
Object.defineProperty(exports, "ROTATION_DEFAULTS", {
	enumerable: true,
	get: function() {
		return ROTATION_DEFAULTS;
	}
});
Object.defineProperty(exports, "UnencodableValue", {
	enumerable: true,
	get: function() {
		return UnencodableValue;
	}
});
Object.defineProperty(exports, "__toESM", {
	enumerable: true,
	get: function() {
		return __toESM;
	}
});
Object.defineProperty(exports, "bigint", {
	enumerable: true,
	get: function() {
		return bigint;
	}
});
Object.defineProperty(exports, "boolean", {
	enumerable: true,
	get: function() {
		return boolean;
	}
});
Object.defineProperty(exports, "bytes", {
	enumerable: true,
	get: function() {
		return bytes;
	}
});
Object.defineProperty(exports, "canonicalDecimal", {
	enumerable: true,
	get: function() {
		return canonicalDecimal;
	}
});
Object.defineProperty(exports, "currentEngine", {
	enumerable: true,
	get: function() {
		return currentEngine;
	}
});
Object.defineProperty(exports, "dateTime", {
	enumerable: true,
	get: function() {
		return dateTime;
	}
});
Object.defineProperty(exports, "decimal", {
	enumerable: true,
	get: function() {
		return decimal;
	}
});
Object.defineProperty(exports, "decodeField", {
	enumerable: true,
	get: function() {
		return decodeField;
	}
});
Object.defineProperty(exports, "decodeFieldText", {
	enumerable: true,
	get: function() {
		return decodeFieldText;
	}
});
Object.defineProperty(exports, "eachOf", {
	enumerable: true,
	get: function() {
		return eachOf;
	}
});
Object.defineProperty(exports, "encode", {
	enumerable: true,
	get: function() {
		return encode;
	}
});
Object.defineProperty(exports, "encodeField", {
	enumerable: true,
	get: function() {
		return encodeField;
	}
});
Object.defineProperty(exports, "float", {
	enumerable: true,
	get: function() {
		return float;
	}
});
Object.defineProperty(exports, "headOf", {
	enumerable: true,
	get: function() {
		return headOf;
	}
});
Object.defineProperty(exports, "headerOfHead", {
	enumerable: true,
	get: function() {
		return headerOfHead;
	}
});
Object.defineProperty(exports, "int", {
	enumerable: true,
	get: function() {
		return int;
	}
});
Object.defineProperty(exports, "isDekId", {
	enumerable: true,
	get: function() {
		return isDekId;
	}
});
Object.defineProperty(exports, "jsonText", {
	enumerable: true,
	get: function() {
		return jsonText;
	}
});
Object.defineProperty(exports, "keyError", {
	enumerable: true,
	get: function() {
		return keyError;
	}
});
Object.defineProperty(exports, "milliseconds", {
	enumerable: true,
	get: function() {
		return milliseconds;
	}
});
Object.defineProperty(exports, "pad", {
	enumerable: true,
	get: function() {
		return pad;
	}
});
Object.defineProperty(exports, "parseDateTime", {
	enumerable: true,
	get: function() {
		return parseDateTime;
	}
});
Object.defineProperty(exports, "parseFloat64", {
	enumerable: true,
	get: function() {
		return parseFloat64;
	}
});
Object.defineProperty(exports, "parseInt32", {
	enumerable: true,
	get: function() {
		return parseInt32;
	}
});
Object.defineProperty(exports, "parseInt64", {
	enumerable: true,
	get: function() {
		return parseInt64;
	}
});
Object.defineProperty(exports, "parsedJson", {
	enumerable: true,
	get: function() {
		return parsedJson;
	}
});
Object.defineProperty(exports, "randomNonces", {
	enumerable: true,
	get: function() {
		return randomNonces;
	}
});
Object.defineProperty(exports, "reads", {
	enumerable: true,
	get: function() {
		return reads;
	}
});
Object.defineProperty(exports, "revived", {
	enumerable: true,
	get: function() {
		return revived;
	}
});
Object.defineProperty(exports, "uuidOfHex", {
	enumerable: true,
	get: function() {
		return uuidOfHex;
	}
});
