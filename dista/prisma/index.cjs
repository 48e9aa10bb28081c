Object.defineProperty(exports, Symbol.toStringTag, { value: "Module" });
const require_duration = require("../duration-C3QRX9XE.cjs");
const require_errors = require("../errors-BaUhUZ7f.cjs");
const require_tenant = require("../tenant-D49FRunb.cjs");
const require_bytes = require("../bytes-UyNi12Qz.cjs");
let node_async_hooks = require("node:async_hooks");
let lru_cache = require("lru-cache");
let node_crypto = require("node:crypto");
let node_timers_promises = require("node:timers/promises");
let cockatiel = require("cockatiel");
let node_os = require("node:os");
let node_events = require("node:events");
let _prisma_client_runtime_client = require("@prisma/client/runtime/client");
let _bugsnag_cuid = require("@bugsnag/cuid");
_bugsnag_cuid = require_duration.__toESM(_bugsnag_cuid, 1);
let _paralleldrive_cuid2 = require("@paralleldrive/cuid2");
let nanoid = require("nanoid");
let ulid = require("ulid");
let uuid = require("uuid");
//#region src/prisma/assertEncrypted.ts
/**
* Checks at start that a client encrypts: `$extends` returns a new client, and an app that throws it away would go on
* in plaintext without a word.
*
* @throws FieldsealError `NOT_EXTENDED`
*
* @example
* ```ts
* assertEncrypted(prisma)
* app.listen(3000)
* ```
*/
function assertEncrypted(client) {
	if ("$encryption" in client) return;
	throw new require_errors.FieldsealError("NOT_EXTENDED", "this Prisma client does not encrypt: $extends returns a new client, so write `const prisma = new PrismaClient(…).$extends(fieldEncryption(…))` and use that one");
}
//#endregion
//#region src/keys/events.ts
/** One function for many listeners; `undefined` for none. A listener that throws disturbs nobody. */
function emitTo(listeners) {
	const all = listeners.filter((listener) => listener !== void 0);
	if (all.length === 0) return void 0;
	return (event) => {
		for (const listener of all) try {
			listener(event);
		} catch {}
	};
}
//#endregion
//#region src/keys/news.ts
/** The news in a message; `undefined` for what is none, or of another version. */
function readNews(text) {
	const { kind, tenant, by, id, process } = fieldsOf(text);
	switch (kind) {
		case "rotated": return typeof tenant === "string" ? {
			kind,
			tenant,
			by: String(by)
		} : void 0;
		case "retired": return typeof tenant === "string" ? {
			kind,
			tenant
		} : void 0;
		case "destroyed": return typeof tenant === "string" && typeof id === "string" ? {
			kind,
			tenant,
			id
		} : void 0;
		case "dropped": return typeof id === "string" && typeof process === "string" ? {
			kind,
			id,
			process
		} : void 0;
		default: return;
	}
}
function fieldsOf(text) {
	try {
		const value = JSON.parse(text ?? "");
		return typeof value === "object" && value !== null ? value : {};
	} catch {
		return {};
	}
}
//#endregion
//#region src/keys/postgresNews.ts
/** Where PostgreSQL takes the messages to. Operators may send there too; see docs/operations.md. */
const CHANNEL = "fieldseal";
/** A connection that is cut without a word is noticed by this, in milliseconds. */
const HEARTBEAT = 1e4;
const PATIENCE = 5e3;
/** LISTEN and NOTIFY on a connection of its own, which is made again whenever it is lost. */
var PostgresNews = class {
	#notify;
	#listener;
	#heartbeat;
	#patience = (0, cockatiel.timeout)(PATIENCE, {
		strategy: cockatiel.TimeoutStrategy.Aggressive,
		abortOnReturn: false
	});
	#closing = new AbortController();
	#connection;
	#timer;
	constructor(notify, listener, heartbeat = HEARTBEAT) {
		this.#notify = notify;
		this.#listener = listener;
		this.#heartbeat = heartbeat;
		this.#connection = this.#connect();
	}
	async send(news) {
		await this.#patience.execute(async () => {
			await (await this.#connection).query("SELECT pg_notify($1, $2)", [CHANNEL, JSON.stringify(news)]);
		});
	}
	async close() {
		this.#closing.abort();
		clearTimeout(this.#timer);
		await (await this.#patience.execute(() => this.#connection).catch(() => void 0))?.end().catch(() => void 0);
	}
	/** For ever, with pauses of a tenth of a second at first and ten at most. */
	#connect() {
		const backoff = new cockatiel.ExponentialBackoff({
			initialDelay: 100,
			maxDelay: 1e4
		});
		const connection = (0, cockatiel.retry)(cockatiel.handleAll, {
			maxAttempts: Number.POSITIVE_INFINITY,
			backoff
		}).dangerouslyUnref().execute(() => this.#open(), this.#closing.signal);
		connection.catch(() => void 0);
		return connection;
	}
	/** Listens first and looks then, so that nothing falls between. */
	async #open() {
		if (this.#closing.signal.aborted) throw new require_errors.FieldsealError("KEY_STORE_UNAVAILABLE", "the client was closed");
		const connection = await this.#notify();
		const state = {
			up: false,
			broken: false
		};
		const lost = () => {
			state.broken = true;
			if (state.up) this.#lose(connection);
		};
		connection.on("error", lost);
		connection.on("end", lost);
		connection.on("notification", ({ payload }) => this.#hear(payload));
		try {
			await this.#patience.execute(() => connection.connect());
			connection.unref?.();
			await this.#patience.execute(() => connection.query(`LISTEN ${CHANNEL}`));
			await this.#listener.onGap();
			if (state.broken) throw new require_errors.FieldsealError("KEY_STORE_UNAVAILABLE", "the connection was lost");
			state.up = true;
		} catch (error) {
			end(connection);
			throw error;
		}
		this.#watch(connection);
		return connection;
	}
	#hear(payload) {
		const news = readNews(payload);
		if (news) this.#listener.onNews(news);
	}
	#watch(connection) {
		this.#timer = setTimeout(async () => {
			await this.#patience.execute(() => connection.query("SELECT 1")).then(() => this.#watch(connection), () => this.#lose(connection));
		}, this.#heartbeat).unref();
	}
	#lost = /* @__PURE__ */ new WeakSet();
	#lose(connection) {
		if (this.#closing.signal.aborted || this.#lost.has(connection)) return;
		this.#lost.add(connection);
		clearTimeout(this.#timer);
		end(connection);
		this.#connection = this.#connect();
	}
};
/** Not waited for: a connection that is cut may never answer. */
function end(connection) {
	connection.end().catch(() => void 0);
}
//#endregion
//#region src/keys/processName.ts
/** A name for this process among those that share a keys table, another one after a restart with the same id. */
function processName() {
	return `${(0, node_os.hostname)()}:${process.pid}:${(0, node_crypto.randomBytes)(3).toString("hex")}`;
}
//#endregion
//#region src/keys/keyNews.ts
/** How long others have to acknowledge, in milliseconds. */
const ACKNOWLEDGE = 1e3;
/** Keeps the key rings of all processes on one state: tells the others what happened here, and does what they tell. */
var KeyNews = class {
	/** This process, among others and among several clients in it. */
	process = processName();
	#ring;
	#line;
	/** Acknowledgements of what was destroyed here, by its id. */
	#dropped = /* @__PURE__ */ new Map();
	/** Without `notify` it tells nobody, and the time of DEKs in memory is all there is. */
	constructor(ring, notify) {
		this.#ring = ring;
		const listener = {
			onNews: (news) => this.#hear(news),
			onGap: () => ring.recheck()
		};
		this.#line = notify && new PostgresNews(notify, listener);
	}
	/** Best effort: who does not hear it finds out when the time of the DEK in memory is over. */
	rotated(tenant) {
		this.#line?.send({
			kind: "rotated",
			tenant,
			by: this.process
		}).catch(() => void 0);
	}
	/** Has all processes drop a tenant's keys, and gives those that say within a second that they have. */
	async destroyed(tenant) {
		if (!this.#line) return [];
		const [id, dropped] = [(0, node_crypto.randomUUID)(), /* @__PURE__ */ new Set()];
		this.#dropped.set(id, dropped);
		try {
			await this.#line.send({
				kind: "destroyed",
				tenant,
				id
			});
			await (0, node_timers_promises.setTimeout)(ACKNOWLEDGE);
		} catch {} finally {
			this.#dropped.delete(id);
		}
		return [...dropped];
	}
	async close() {
		await this.#line?.close();
	}
	#hear(news) {
		switch (news.kind) {
			case "rotated":
				if (news.by !== this.process) this.#ring.renewSoon(news.tenant);
				break;
			case "retired":
				this.#ring.retire(news.tenant);
				break;
			case "destroyed":
				this.#drop(news);
				break;
			case "dropped":
				this.#dropped.get(news.id)?.add(news.process);
				break;
		}
	}
	#drop({ tenant, id }) {
		this.#ring.evict(tenant);
		if (this.#dropped.has(id)) return;
		this.#line?.send({
			kind: "dropped",
			id,
			process: this.process
		}).catch(() => void 0);
	}
};
//#endregion
//#region src/keys/kmsOfStore.ts
function openKms(kms, store, observation) {
	return typeof kms === "function" ? kms(store, observation) : kms;
}
//#endregion
//#region src/prisma/binding.ts
/**
* Binds clients to a tenant. A bound client is a proxy over whatever client it was asked of, with all extensions that
* were chained later: every call on it, and the start of every lazy promise it returns, runs in an asynchronous
* context that tells the encryption the tenant.
*/
var Bindings = class {
	#storage = new node_async_hooks.AsyncLocalStorage();
	#delegates;
	/** @param models the names of the model delegates on the client */
	constructor(models) {
		this.#delegates = new Set([...models, "$encryption"]);
	}
	/** The binding of the running operation, if it came through a bound client. */
	current() {
		return this.#storage.getStore();
	}
	bind(client, binding) {
		const delegates = /* @__PURE__ */ new Map();
		return new Proxy(client, { get: (target, property) => {
			const value = Reflect.get(target, property, target);
			if (typeof value === "function") return this.#boundMethod(target, property, value, binding);
			if (!this.#delegates.has(property) || typeof value !== "object" || value === null) return value;
			if (!delegates.has(property)) delegates.set(property, this.#boundDelegate(value, binding));
			return delegates.get(property);
		} });
	}
	#boundDelegate(delegate, binding) {
		return new Proxy(delegate, { get: (target, property) => {
			const value = Reflect.get(target, property, target);
			return typeof value === "function" ? this.#boundFunction(target, value, binding) : value;
		} });
	}
	#boundMethod(target, property, method, binding) {
		if (property === "constructor") return method;
		const run = this.#boundFunction(target, method, binding);
		if (property === "$extends") return (...args) => this.bind(run(...args), binding);
		if (property === "$transaction") return (input, ...rest) => run(this.#boundCallback(input, binding), ...rest);
		return run;
	}
	#boundFunction(target, fn, binding) {
		const run = (work) => this.#storage.run(binding, work);
		return (...args) => require_tenant.keepContext(run(() => Reflect.apply(fn, target, args)), run);
	}
	/** The client that an interactive transaction hands over is bound too, wherever the callback takes it. */
	#boundCallback(input, binding) {
		if (typeof input !== "function") return input;
		return (transaction) => input(this.bind(transaction, binding));
	}
};
//#endregion
//#region src/prisma/clientModels.ts
/**
* An encryption schema that is older than its client would miss fields and relations, and let plaintext through.
*
* @throws FieldsealError `OPTIONS_INVALID` naming the first difference
*/
function checkClientMatches(schema, client) {
	if (!client) throw invalid$3("this is not a Prisma client that fieldseal can read: it needs @prisma/client 7.10");
	const names = new Set([...Object.keys(schema.models), ...Object.keys(client.models)]);
	for (const name of names) {
		const known = Object.hasOwn(schema.models, name) ? schema.models[name] : void 0;
		const actual = client.models[name];
		if (!known || !actual) throw stale(name);
		for (const { name: field, kind } of actual.fields ?? []) if (!Object.hasOwn(kind === "object" ? known.relations : known.columns, field)) throw stale(`${name}.${field}`);
	}
}
function stale(name) {
	return invalid$3(`encryptionSchema and the Prisma client differ at ${name}: run \`prisma generate\`, and import both from its output`);
}
function invalid$3(message) {
	return new require_errors.FieldsealError("OPTIONS_INVALID", message);
}
//#endregion
//#region src/maintenance/pace.ts
/** The time within which starts may bunch, in milliseconds: timers are late, more so on a busy machine. */
const BUNCH = 100;
/**
* Spaces starts, for a service that counts requests per second: never more than `rate` in any second, and nearly evenly.
*
* @param rate starts per second
*/
function paceOf(rate) {
	if (rate === Number.POSITIVE_INFINITY) return async (signal) => signal?.throwIfAborted();
	const bunch = Math.max(1, Math.floor(rate * BUNCH / 1e3));
	const window = bunch / rate * 1e3;
	/** When the last starts were, each overwritten by the one that is `bunch` later. */
	const starts = new Array(bunch).fill(Number.NEGATIVE_INFINITY);
	let next = 0;
	return async (signal) => {
		const now = performance.now();
		const start = Math.max(now, starts[next] + window);
		const own = next;
		starts[own] = start;
		next = (next + 1) % bunch;
		if (start > now) await (0, node_timers_promises.setTimeout)(start - now, void 0, signal && { signal });
		else signal?.throwIfAborted();
		if (starts[own] === start) starts[own] = Math.max(start, performance.now());
	};
}
//#endregion
//#region src/maintenance/keyWalk.ts
const PAGE = 1e3;
/** A KMS that throttles is given time: others share its quota. */
const throttled = (0, cockatiel.retry)((0, cockatiel.handleWhen)((error) => require_errors.FieldsealError.is(error, "KMS_THROTTLED")), {
	maxAttempts: 8,
	backoff: new cockatiel.ExponentialBackoff({
		initialDelay: 1e3,
		maxDelay: 15e3
	})
});
/** What concerns one row; anything else would meet the next row too, and ends the run. */
const OF_ONE_ROW = new Set([
	"KEY_INVALID",
	"KEY_DESTROYED",
	"KMS_REFUSED",
	"KMS_KEY_UNUSABLE",
	"TENANT_INVALID"
]);
/**
* Works through the keys table in the order of the ids. Each step can be done twice without harm, so that a run that
* was broken off can be begun again, or go on at its cursor.
*
* @throws whatever stands in the way of all keys: a KMS or a keys table that is down, the signal's reason
*/
async function walkKeys({ store, filter, options, rate, each }) {
	const { tenants, signal, concurrency = 10 } = options;
	checkWalk({
		rate: options.rate ?? rate,
		concurrency
	});
	const wanted = tenants === void 0 ? filter : {
		...filter,
		tenants: [tenants].flat()
	};
	const [slots, pace] = [(0, cockatiel.bulkhead)(concurrency, Number.POSITIVE_INFINITY), paceOf(options.rate ?? rate)];
	const run = new Run(options, await store.count(wanted));
	for (let after = options.after;;) {
		signal?.throwIfAborted();
		const rows = await store.list(wanted, {
			after,
			limit: PAGE
		});
		const stop = new AbortController();
		const signals = AbortSignal.any(signal ? [signal, stop.signal] : [stop.signal]);
		(0, node_events.setMaxListeners)(0, signals);
		const step = async (row) => {
			await run.see(row, () => throttled.execute(async () => {
				await pace(signals);
				return each(row);
			}, signals));
		};
		const steps = rows.map((row) => slots.execute(() => step(row)).catch((error) => stop.abort(error)));
		await Promise.all(steps);
		signal?.throwIfAborted();
		if (stop.signal.aborted) throw stop.signal.reason;
		after = rows.at(-1)?.id;
		if (after === void 0 || rows.length < PAGE) return run.report;
		run.cursor = after;
	}
}
/** Counts what becomes of the keys, and tells. */
var Run = class {
	#failed = [];
	#counts = {
		changed: 0,
		unchanged: 0,
		failed: 0
	};
	cursor;
	constructor(options, total) {
		this.options = options;
		this.total = total;
		this.cursor = options.after;
	}
	get report() {
		const { changed, unchanged } = this.#counts;
		return {
			changed,
			unchanged,
			failed: this.#failed
		};
	}
	async see(row, work) {
		const outcome = await work().then((changed) => changed ? "changed" : "unchanged", (error) => this.#fail(row, error));
		this.#counts[outcome] += 1;
		const { changed, unchanged, failed } = this.#counts;
		const done = changed + unchanged + failed;
		const { total, cursor } = this;
		this.options.onProgress?.({
			tenant: row.tenant,
			key: row.id,
			outcome,
			done,
			total,
			cursor
		});
	}
	#fail(row, error) {
		if (!require_errors.FieldsealError.is(error) || !OF_ONE_ROW.has(error.code)) throw error;
		this.#failed.push({
			tenant: row.tenant,
			key: row.id,
			error
		});
		return "failed";
	}
};
function checkWalk({ rate, concurrency }) {
	if (!(rate > 0)) throw new require_errors.FieldsealError("OPTIONS_INVALID", "the option \"rate\" must be a number above 0");
	if (Number.isInteger(concurrency) && concurrency > 0) return;
	throw new require_errors.FieldsealError("OPTIONS_INVALID", "the option \"concurrency\" must be a whole number above 0");
}
//#endregion
//#region src/maintenance/rewrap.ts
/** ReEncrypt of Tencent's lowest tier: 100 a second. */
const RATE$2 = 80;
/**
* Puts each DEK under the newest version of its tenant's KEK. The DEKs stay what they are, so nothing that was encrypted
* changes, nor does any memory. Each new text is opened and compared with the DEK before it takes the old one's place.
*/
function rewrap(kms, store, options = {}) {
	const from = options.from && openKms(options.from, store);
	if (from && !kms.wrap) throw new require_errors.FieldsealError("OPTIONS_INVALID", `the KMS ${require_errors.quoted(kms.name)} cannot take over DEKs of another: it has no wrap()`);
	const each = (row) => rewrapRow({
		kms,
		from: from ?? kms,
		store
	}, row);
	return walkKeys({
		store,
		filter: { states: ["active", "retired"] },
		options,
		rate: RATE$2,
		each
	});
}
async function rewrapRow({ kms, from, store }, row) {
	const identity = {
		key: row.id,
		purpose: row.purpose,
		tenant: row.tenant
	};
	if (from !== kms && row.kms !== from.name && require_duration.reads(kms, row.kms)) return false;
	if (!require_duration.reads(from, row.kms)) throw require_duration.keyError("KEY_INVALID", row.id, `is wrapped by the KMS ${require_errors.quoted(row.kms)}`);
	if (row.wrapped === null) throw require_duration.keyError("KEY_INVALID", row.id, `is ${row.state}, yet its row has no wrapped key`);
	const old = {
		wrapped: row.wrapped,
		kekId: row.kekId
	};
	const own = from === kms && kms.rewrap;
	const next = own ? await kms.rewrap(old, identity) : await move({
		kms,
		from
	}, {
		...old,
		kms: row.kms
	}, identity);
	if (next === null || next.wrapped === old.wrapped) return false;
	if (own) await compare(kms, [old, next], identity);
	return store.rewrap(row, {
		wrapped: next.wrapped,
		kekId: next.kekId,
		kms: next.kms ?? kms.name
	});
}
/** `null`: it was moved already, by a run before. */
async function move({ kms, from }, old, identity) {
	const dek = await from.unwrap(old, identity).catch(async (error) => {
		if (from === kms || !require_duration.reads(kms, old.kms) || !require_errors.FieldsealError.is(error, "KMS_KEY_UNUSABLE")) throw error;
		(await kms.unwrap(old, identity)).fill(0);
		return null;
	});
	if (dek === null) return null;
	try {
		const next = await kms.wrap(dek, identity);
		await expectDek(kms, next, {
			identity,
			dek
		});
		return next;
	} finally {
		dek.fill(0);
	}
}
async function compare(kms, [old, next], identity) {
	const dek = await kms.unwrap(old, identity);
	try {
		await expectDek(kms, next, {
			identity,
			dek
		});
	} finally {
		dek.fill(0);
	}
}
async function expectDek(kms, wrapped, { identity, dek }) {
	const opened = await kms.unwrap(wrapped, identity);
	try {
		if (opened.length === dek.length && (0, node_crypto.timingSafeEqual)(opened, dek)) return;
		throw require_duration.keyError("KEY_INVALID", identity.key, "came back from rewrapping as another DEK; its row was left as it was");
	} finally {
		opened.fill(0);
	}
}
//#endregion
//#region src/maintenance/rotate.ts
/** GenerateDataKey of Tencent's lowest tier: 100 to 150 a second. */
const RATE$1 = 100;
/** Has a new DEK for values succeed each active one; rows stay as they are, and old DEKs decrypt on. */
function rotate(ring, store, options = {}) {
	const { before = /* @__PURE__ */ new Date() } = options;
	return walkKeys({
		store,
		filter: {
			purpose: "encrypt",
			states: ["active"],
			before
		},
		options,
		rate: RATE$1,
		each: async ({ tenant, id }) => {
			await ring.rotate(tenant, id);
			return true;
		}
	});
}
//#endregion
//#region src/maintenance/shred.ts
/**
* Destroys all keys of a tenant: what they encrypted can never be read again. The tenant gets no new keys, unless it is
* reopened.
*
* @throws FieldsealError `TENANT_INVALID`; `KEY_NOT_FOUND` for a tenant that has no keys; `KEY_STORE_UNAVAILABLE`
*/
async function shred({ ring, store, process, memory, tell }, tenant) {
	require_tenant.checkTenant(tenant);
	const requestedAt = /* @__PURE__ */ new Date();
	const rows = await store.destroy(tenant, ["encrypt", "index"].map((purpose) => tombstone(tenant, purpose)));
	if (rows.length === 0) throw unknownTenant(tenant);
	ring.evict(tenant);
	const destroyedAt = /* @__PURE__ */ new Date();
	const others = await tell(tenant);
	return {
		tenant,
		keys: rows.filter(({ kms }) => kms !== NO_KMS).map(destroyedKey),
		requestedAt,
		destroyedAt,
		acknowledged: [process, ...others],
		heldUntil: new Date(destroyedAt.getTime() + memory)
	};
}
/** In the row of a tombstone. */
const NO_KMS = "";
/** Stands where a purpose has no key yet, so that none can be made. */
function tombstone(tenant, purpose) {
	const none = {
		wrapped: null,
		kms: NO_KMS,
		kekId: "",
		messages: 0
	};
	return {
		id: (0, node_crypto.randomUUID)(),
		tenant,
		purpose,
		version: 1,
		state: "destroyed",
		...none
	};
}
function destroyedKey({ id, purpose, version, createdAt, destroyedAt }) {
	return {
		id,
		purpose,
		version,
		createdAt,
		destroyedAt: destroyedAt ?? createdAt
	};
}
function unknownTenant(tenant) {
	return new require_errors.FieldsealError("KEY_NOT_FOUND", `tenant ${require_errors.quoted(tenant)} has no keys, so there is nothing to destroy; is its id right?`);
}
//#endregion
//#region src/maintenance/warm.ts
/** Decrypt of Tencent's lowest tier, which all processes share: 300 a second. */
const RATE = 295;
const CONCURRENCY = 20;
/** Tenants in one query. */
const CHUNK = 1e3;
/** Brings the active DEKs of tenants into memory. Tenants without keys get none by that. */
async function warm$1(ring, store, tenants, options = {}) {
	const { purposes = ["encrypt"], ...rest } = options;
	const total = {
		changed: 0,
		unchanged: 0,
		failed: []
	};
	for (const purpose of purposes) for (let i = 0; i < tenants.length; i += CHUNK) {
		const { changed, unchanged, failed } = await walkKeys({
			store,
			filter: {
				purpose,
				states: ["active"]
			},
			options: {
				concurrency: CONCURRENCY,
				...rest,
				tenants: tenants.slice(i, i + CHUNK)
			},
			rate: RATE,
			each: (row) => ring.adopt(row)
		});
		total.changed += changed;
		total.unchanged += unchanged;
		total.failed = [...total.failed, ...failed];
	}
	return total;
}
//#endregion
//#region src/prisma/keyOperations.ts
function keyOperations({ kms, ring, store, memory, news, emit }) {
	const tell = (tenant) => news.destroyed(tenant);
	return {
		rotate: (options) => rotate(ring, store, options),
		rewrap: (options) => rewrap(kms, store, options),
		shred: async (tenant) => {
			const receipt = await shred({
				ring,
				store,
				memory,
				process: news.process,
				tell
			}, tenant);
			emit?.({
				type: "key.destroyed",
				tenant,
				keys: receipt.keys.map(({ id }) => id)
			});
			return receipt;
		},
		reopen: (tenant) => ring.reopen(tenant),
		warm: (tenants, options) => warm$1(ring, store, tenants, options),
		close: () => news.close()
	};
}
//#endregion
//#region src/prisma/decimal.ts
/** A decimal number as the Prisma client gives it: an object of its own class. */
function toDecimal(text) {
	return new _prisma_client_runtime_client.Decimal(text);
}
//#endregion
//#region src/prisma/normalizers.ts
const BUILT_IN = {
	trim: (text) => text.trim(),
	lowercase: (text) => text.toLowerCase(),
	nfkc: (text) => text.normalize("NFKC"),
	digits: (text) => text.replace(/\P{Nd}/gu, ""),
	diacritics: (text) => text.normalize("NFD").replace(/\p{Mn}/gu, "").normalize("NFC")
};
/** What the names of an index's normalisers do. */
function normalizersOf(names, own) {
	return names.map((name) => Object.hasOwn(BUILT_IN, name) ? BUILT_IN[name] : own[name]);
}
/** @throws FieldsealError `OPTIONS_INVALID` when a normaliser is no function, is missing, or has the name of a built-in */
function checkNormalizers(schema, own) {
	if (typeof own !== "object" || own === null) throw invalid$2("must be an object: { name: (text) => text }");
	for (const [name, normalizer] of Object.entries(own)) {
		if (Object.hasOwn(BUILT_IN, name)) throw invalid$2(`has "${name}", which is built in; give yours another name`);
		if (typeof normalizer !== "function") throw invalid$2(`has "${name}", which is not a function: (text) => text`);
	}
	for (const [model, { indexes }] of Object.entries(schema.models)) for (const [column, { normalize }] of Object.entries(indexes)) checkNamed(`${model}.${column}`, normalize, own);
}
function checkNamed(index, names, own) {
	const missing = names.find((name) => !Object.hasOwn(BUILT_IN, name) && !Object.hasOwn(own, name));
	if (missing !== void 0) throw invalid$2(`lacks "${missing}", which ${index} names; add it: normalizers: { ${missing}: (text) => text }`);
}
function invalid$2(what) {
	return new require_errors.FieldsealError("OPTIONS_INVALID", `fieldEncryption: "normalizers" ${what}`);
}
//#endregion
//#region src/prisma/plan.ts
/** Compiles the plans of all models. */
function compilePlans(schema, globalOmit = {}, normalizers = {}) {
	const reaching = reachingModels(schema);
	const plans = /* @__PURE__ */ new Map();
	for (const [name, model] of Object.entries(schema.models)) plans.set(name, emptyPlan(name, model, reaching.has(name), globalOmit));
	for (const [name, model] of Object.entries(schema.models)) {
		fillIndexes(plans.get(name), model, normalizers);
		fillMembers(plans, schema, name, model);
	}
	return plans;
}
/** Prisma's name of a model on the client. */
function clientName(model) {
	return model.charAt(0).toLowerCase() + model.slice(1);
}
function emptyPlan(name, model, reaches, globalOmit) {
	const omit = Object.entries(globalOmit[clientName(name)] ?? {});
	return {
		name,
		reaches,
		members: /* @__PURE__ */ new Map(),
		links: [],
		reading: [],
		relations: new Set(Object.keys(model.relations)),
		encrypted: Object.entries(model.encrypted).map(([field, spec]) => fieldPlan(name, field, spec)),
		bound: new Map(Object.entries(model.bound)),
		frozen: new Set(Object.keys(model.bound)),
		tenant: model.tenant,
		uniques: /* @__PURE__ */ new Map(),
		combined: [],
		columns: model.columns,
		omitted: new Set(omit.filter(([, omitted]) => omitted).map(([field]) => field))
	};
}
function fieldPlan(model, field, spec) {
	const { context, type, value = type, enum: names, list, pad, bind, state, required } = spec;
	return {
		kind: value,
		column: type,
		names,
		list,
		pad,
		decimal: value === "Decimal" ? toDecimal : void 0,
		field,
		name: `${model}.${field}`,
		context,
		optional: !required,
		bind,
		indexes: [],
		state
	};
}
/** Fields and indexes refer to each other. */
function fillIndexes({ name, encrypted, combined }, { indexes }, normalizers) {
	const fields = new Map(encrypted.map((field) => [field.field, field]));
	for (const [column, { type, sources, unique, ...index }] of Object.entries(indexes)) {
		const plans = sources.map((source) => fields.get(source));
		const plan = {
			...index,
			field: column,
			name: `${name}.${column}`,
			column: type,
			sources: plans,
			unique: !!unique,
			normalizers: normalizersOf(index.normalize, normalizers)
		};
		for (const field of plans) field.indexes.push(plan);
		if (plans.length > 1) combined.push(plan);
	}
}
/** A compound unique with a blind index in it goes by the name that it would have over the indexed field, too. */
function fillUniques({ uniques, encrypted }, model) {
	const all = uniques;
	const indexes = new Map(encrypted.flatMap((field) => field.indexes.map((index) => [index.field, index])));
	for (const [selector, fields] of Object.entries(model.uniques)) {
		const own = fields.flatMap((field) => indexes.get(field) ?? []);
		all.set(selector, {
			selector,
			indexes: own
		});
		const alias = fields.flatMap((field) => indexes.get(field)?.sources.map((source) => source.field) ?? [field]).join("_");
		const isFree = !Object.hasOwn(model.uniques, alias) && !Object.hasOwn(model.columns, alias);
		if (selector === fields.join("_") && isFree) all.set(alias, {
			selector,
			indexes: own
		});
	}
}
function fillMembers(plans, schema, name, model) {
	const plan = plans.get(name);
	const members = plan.members;
	fillUniques(plan, model);
	for (const field of plan.encrypted) {
		members.set(field.field, {
			kind: "encrypted",
			field
		});
		for (const index of field.indexes) members.set(index.field, {
			kind: "index",
			index
		});
	}
	for (const [field, relation] of Object.entries(model.relations)) {
		const target = plans.get(relation.model);
		freezeReferenced(plan, target, relation);
		const links = relation.from.some((column) => column === plan.tenant || plan.bound.has(column));
		if (!links && !target.reaches) continue;
		const ends = farEnd(schema, name, field);
		const changesBound = linksBound(model, relation, ends);
		const given = givenThrough(ends);
		const compiled = {
			...relation,
			field,
			name: `${name}.${field}`,
			model: target,
			given,
			changesBound
		};
		members.set(field, {
			kind: "relation",
			relation: compiled
		});
		if (links) plan.links.push(compiled);
		if (target.reaches) plan.reading.push(compiled);
	}
}
/** A bound foreign key must not follow a changing column on the other side. */
function freezeReferenced(plan, target, relation) {
	relation.from.forEach((column, position) => {
		if (plan.bound.has(column)) target.frozen.add(relation.to[position]);
	});
}
/** What new rows on the other side take from this one through their foreign key: tenant and bound columns. */
function givenThrough({ other, inverse }) {
	if (!inverse) return [];
	return inverse.from.map((column, position) => ({
		column,
		own: inverse.to[position]
	})).filter(({ column }) => column === other.tenant || Object.hasOwn(other.bound, column));
}
/** Whether either end of a relation holds its foreign key in a bound column; an end that is not known may. */
function linksBound(model, relation, { other, inverse }) {
	const isBound = (owner) => (column) => Object.hasOwn(owner.bound, column);
	const far = inverse ? inverse.from : Object.keys(other.bound);
	return relation.from.some(isBound(model)) || far.some(isBound(other));
}
function farEnd(schema, name, field) {
	const near = schema.models[name].relations[field];
	const other = schema.models[near.model];
	return {
		other,
		inverse: Object.entries(other.relations).filter(([candidate]) => near.model !== name || candidate !== field).find(([, { model, relationName }]) => model === name && relationName === near.relationName)?.[1]
	};
}
/** Models from which an encrypted field can be reached: a fixed point over relations, which may be cyclic. */
function reachingModels(schema) {
	const models = Object.entries(schema.models);
	const reaching = new Set(models.filter(([, model]) => Object.keys(model.encrypted).length > 0).map(([name]) => name));
	for (let before = -1; before !== reaching.size;) {
		before = reaching.size;
		for (const [name, model] of models) if (Object.values(model.relations).some((relation) => reaching.has(relation.model))) reaching.add(name);
	}
	return reaching;
}
//#endregion
//#region src/prisma/keyStore.ts
/**
* A shred updates many rows in no order, so it and those who make keys may wait for each other: the database ends one of
* them, which begins again.
*/
const conflicts = (0, cockatiel.retry)((0, cockatiel.handleWhen)((error) => error?.code === "P2034"), {
	maxAttempts: 10,
	backoff: new cockatiel.ExponentialBackoff({
		initialDelay: 10,
		maxDelay: 500
	})
});
const COLUMNS = {
	id: true,
	tenant: true,
	purpose: true,
	version: true,
	state: true,
	wrapped: true,
	kms: true,
	kekId: true,
	messages: true,
	createdAt: true,
	destroyedAt: true
};
/**
* The keys table through the user's Prisma client: the one that was extended, so outside any of its transactions and
* without the encryption. Behind a read-replica extension it asks the primary.
*
* @param model the Prisma model marked `@encryptionKeys`
*/
function prismaKeyStore(client, model) {
	let waiting = 0;
	const base = () => client.$primary?.() ?? client;
	const keysOf = (some) => some[clientName(model)];
	const guarded = async (work) => {
		waiting += 1;
		try {
			return await work(keysOf(base()));
		} catch (cause) {
			throw unavailable(model, cause);
		} finally {
			waiting -= 1;
		}
	};
	/** Each statement sees what was committed before it, whatever the database's default is. */
	const atomically = (work) => conflicts.execute(() => base().$transaction((tx) => work(keysOf(tx)), { isolationLevel: "ReadCommitted" }));
	return {
		isWaiting: () => waiting > 0,
		findNewest: (tenant, purpose) => guarded(async (keys) => {
			const row = await keys.findFirst({
				where: {
					tenant,
					purpose
				},
				orderBy: { version: "desc" },
				select: COLUMNS
			});
			return row && stored$1(row);
		}),
		findByIds: (ids) => guarded(async (keys) => (await keys.findMany({
			where: { id: { in: [...ids] } },
			select: COLUMNS
		})).map(stored$1)),
		insert: (key, { reopens = false } = {}) => guarded((keys) => key.version === 1 ? insertRow(keys, key) : atomically((all) => succeed(all, key, reopens))),
		reserve: (id, count, limit) => guarded((keys) => reserve(keys, {
			id,
			count,
			limit
		})),
		list: (filter, { after, limit }) => guarded(async (keys) => {
			const where = {
				...whereOf(filter),
				...after !== void 0 && { id: { gt: after } }
			};
			return (await keys.findMany({
				where,
				orderBy: { id: "asc" },
				take: limit,
				select: COLUMNS
			})).map(stored$1);
		}),
		count: (filter) => guarded((keys) => keys.count({ where: whereOf(filter) })),
		rewrap: ({ id, wrapped }, to) => guarded(async (keys) => {
			const where = {
				id,
				wrapped,
				state: { not: "destroyed" }
			};
			return (await keys.updateMany({
				where,
				data: to
			})).count === 1;
		}),
		destroy: (tenant, tombstones) => guarded(() => atomically((keys) => destroy(keys, tenant, tombstones)))
	};
}
function stored$1(row) {
	return {
		...row,
		messages: Number(row.messages)
	};
}
async function insertRow(keys, key) {
	const data = [{
		...key,
		messages: BigInt(key.messages)
	}];
	return (await keys.createMany({
		data,
		skipDuplicates: true
	})).count === 1;
}
/** The lock on the version before keeps a crypto-shred, which wants it too, from missing the new row. */
async function succeed(keys, key, reopens) {
	const { tenant, purpose } = key;
	const before = {
		tenant,
		purpose,
		version: key.version - 1
	};
	const retired = {
		state: "retired",
		retiredAt: /* @__PURE__ */ new Date()
	};
	const { count } = await keys.updateMany({
		where: {
			...before,
			state: "active"
		},
		data: retired
	});
	const lock = {
		where: {
			...before,
			state: "retired"
		},
		data: { state: "retired" }
	};
	if (count === 0 && !reopens && (await keys.updateMany(lock)).count === 0) return false;
	return insertRow(keys, key);
}
/**
* An update waits for those who are making a version and hold the lock on the one before, but does not see the row that
* they insert; the next update does. When one finds nothing left, nobody can be making any.
*/
async function destroy(keys, tenant, tombstones) {
	const own = {
		tenant,
		purpose: { not: "wrap" }
	};
	if (await keys.count({ where: own }) === 0) return [];
	const destroyedAt = /* @__PURE__ */ new Date();
	const data = tombstones.map((key) => ({
		...key,
		messages: BigInt(key.messages),
		destroyedAt
	}));
	await keys.createMany({
		data,
		skipDuplicates: true
	});
	const where = {
		...own,
		state: { not: "destroyed" }
	};
	for (let count = 1; count > 0;) count = (await keys.updateMany({
		where,
		data: {
			state: "destroyed",
			wrapped: null,
			destroyedAt
		}
	})).count;
	return (await keys.findMany({
		where: own,
		select: COLUMNS
	})).map(stored$1);
}
function whereOf({ tenants, purpose, states, before }) {
	return {
		...tenants && { tenant: { in: [...tenants] } },
		...purpose && { purpose },
		...states && { state: { in: [...states] } },
		...before && { createdAt: { lt: before } }
	};
}
async function reserve(keys, { id, count, limit }) {
	const where = {
		id,
		state: "active",
		messages: { lte: BigInt(limit - count) }
	};
	const { count: done } = await keys.updateMany({
		where,
		data: { messages: { increment: BigInt(count) } }
	});
	if (done === 1) return count;
	const row = await keys.findFirst({
		where: {
			id,
			state: "active"
		},
		select: COLUMNS
	});
	const rest = limit - Number(row?.messages ?? limit);
	if (rest >= count) throw new Error("an update of an active key had no effect");
	return rest > 0 ? reserve(keys, {
		id,
		count: Math.min(count, rest),
		limit
	}) : 0;
}
function unavailable(model, cause) {
	return new require_errors.FieldsealError("KEY_STORE_UNAVAILABLE", `the keys table (${model}) could not be used; ${HINTS[String(cause?.code)] ?? "is the database reachable, and may its user read and write this table?"}`, { cause });
}
/** By Prisma's error codes. */
const HINTS = {
	P2021: "the table does not exist: apply your migrations",
	P2022: "it lacks a column of the Prisma schema: apply your migrations",
	P2024: "no connection came free in time: give the pool more of them",
	P2028: "no connection came free in time for a new key, or the database was too slow: give the pool more of them"
};
//#endregion
//#region src/crypto/blindIndex.ts
/** Between the contexts of an index over several fields; no context of one field has it. */
const COMBINED = "+";
/** What sets the values of one index apart from those of others under the same key: LP(context). */
function indexPrefix(contexts) {
	return require_bytes.lengthPrefixed(contexts.join(COMBINED));
}
/**
* Blind index values: HMAC-SHA-256(key, LP(context) ‖ plaintext) cut to `bits`, where plaintext is
* codec(1) ‖ normalised value, or LP of that for each field of an index over several. Equal values of one tenant in one
* index give equal index values; nothing else is revealed to those without the key.
*
* @param bits 8 to 256, a multiple of 8
*/
function blindIndexes(key, prefix, plaintexts, bits) {
	return key.index(prefix, plaintexts, bits / 8);
}
//#endregion
//#region src/cipher/slot.ts
/** Does what may find that a value cannot be written, and says of which field. */
function checkedValue(field, work) {
	try {
		return work();
	} catch (error) {
		if (!(error instanceof require_duration.UnencodableValue)) throw error;
		throw fieldError("VALUE_INVALID", field, `cannot be written: the value ${error.message}`);
	}
}
/** An error about a field: it names the field, never a value. */
function fieldError(code, field, what) {
	return new require_errors.FieldsealError(code, `${field.name} ${what}`);
}
//#endregion
//#region src/cipher/batches.ts
/** The slots of one stretch of a pass, sorted by key and kind: each sort is one call of the engine. */
var Batches = class {
	#all = [];
	#byDek = /* @__PURE__ */ new Map();
	/** The last one asked for: consecutive slots mostly have the same key. */
	#lastDek;
	#last;
	encrypt(dek, slot, plaintext) {
		this.#of(dek).encrypt(slot, dek.place(slot.field, Boolean(slot.field.pad)), plaintext);
	}
	decrypt(opener, slot, position) {
		this.#of(opener.dek).decrypt(slot, opener.place(slot.field), position);
	}
	index(dek, slot, message) {
		this.#of(dek).index(slot, message);
	}
	#of(dek) {
		if (dek === this.#lastDek) return this.#last;
		let batches = this.#byDek.get(dek);
		if (!batches) {
			batches = new DekBatches(dek, this.#all);
			this.#byDek.set(dek, batches);
		}
		this.#lastDek = dek;
		this.#last = batches;
		return batches;
	}
	/** Works on all of them. Of several that fail, the first in the order of the pass is returned. */
	run() {
		let first;
		for (const batch of this.#all) {
			const failed = batch.run();
			if (failed && (!first || failed.position < first.position)) first = failed;
		}
		return first;
	}
};
/** The batches under one DEK: fields that the engine takes together are in one. */
var DekBatches = class {
	#dek;
	#all;
	#encrypts = {};
	#texts = {};
	#bytes = {};
	#indexes = [];
	constructor(dek, all) {
		this.#dek = dek;
		this.#all = all;
	}
	encrypt(slot, place, plaintext) {
		this.#encrypts[place.form] ??= this.#added(new EncryptBatch(this.#dek));
		this.#encrypts[place.form].add(slot, place, plaintext);
	}
	decrypt(slot, place, position) {
		const batches = place.codec === void 0 ? this.#bytes : this.#texts;
		batches[place.form] ??= this.#added(new DecryptBatch(this.#dek));
		batches[place.form].add(slot, place, position);
	}
	index(slot, message) {
		let batch = this.#indexes.find(({ index }) => index === slot.index);
		if (!batch) {
			batch = this.#added(new IndexBatch(this.#dek, slot.index));
			this.#indexes.push(batch);
		}
		batch.add(slot, message);
	}
	#added(batch) {
		this.#all.push(batch);
		return batch;
	}
};
var EncryptBatch = class {
	#dek;
	#slots = [];
	#places = [];
	#plaintexts = [];
	constructor(dek) {
		this.#dek = dek;
	}
	add(slot, place, plaintext) {
		const { pad: block } = slot.field;
		this.#slots.push(slot);
		this.#places.push(place);
		this.#plaintexts.push(block ? padded(plaintext, block) : plaintext);
	}
	run() {
		const slots = this.#slots;
		const made = this.#dek.values.encrypt({
			places: this.#places,
			bound: boundOf(slots),
			plaintexts: this.#plaintexts,
			nonces: require_duration.randomNonces(slots.length)
		});
		for (let i = 0; i < slots.length; i++) {
			const { holder, key, field } = slots[i];
			holder[key] = field.list ? [made[i]] : made[i];
		}
	}
};
function padded(plaintext, block) {
	return require_duration.pad(typeof plaintext === "string" ? Buffer.from(plaintext) : plaintext, block);
}
var DecryptBatch = class {
	#dek;
	#slots = [];
	#places = [];
	#positions = [];
	#stored = [];
	constructor(dek) {
		this.#dek = dek;
	}
	add(slot, place, position) {
		this.#slots.push(slot);
		this.#places.push(place);
		this.#positions.push(position);
		this.#stored.push(slot.holder[slot.key]);
	}
	run() {
		const places = this.#places;
		return this.#put(this.#dek.values.decrypt({
			places,
			bound: boundOf(this.#slots),
			stored: this.#stored
		}));
	}
	#put(outcomes) {
		let first;
		for (let i = 0; i < outcomes.length; i++) {
			const { field, holder, key } = this.#slots[i];
			const value = plainFrom(field, outcomes[i]);
			if (value === void 0) first ??= {
				position: this.#positions[i],
				error: refused$1(field, outcomes[i])
			};
			else holder[key] = value;
		}
		return first;
	}
};
var IndexBatch = class {
	#dek;
	#slots = [];
	#messages = [];
	constructor(dek, index) {
		this.index = index;
		this.#dek = dek;
	}
	add(slot, message) {
		this.#slots.push(slot);
		this.#messages.push(message);
	}
	run() {
		const { bits, column } = this.index;
		const made = blindIndexes(this.#dek.indexes, prefixOf(this.index), this.#messages, bits);
		this.#slots.forEach(({ holder, key }, i) => {
			holder[key] = column === "Bytes" ? new Uint8Array(made[i]) : made[i].toString("base64url");
		});
	}
};
const PREFIXES = /* @__PURE__ */ new WeakMap();
function prefixOf(index) {
	let prefix = PREFIXES.get(index);
	if (!prefix) {
		prefix = indexPrefix(index.sources.map(({ context }) => context));
		PREFIXES.set(index, prefix);
	}
	return prefix;
}
function plainFrom(field, outcome) {
	if (typeof outcome === "string") return require_duration.decodeFieldText(field, outcome);
	return typeof outcome === "number" ? void 0 : require_duration.decodeField(field, outcome);
}
function refused$1(field, outcome) {
	switch (outcome) {
		case require_duration.FAILURE.torn: return fieldError("CIPHERTEXT_INVALID", field, "is torn: it is shorter or other than it was written");
		case require_duration.FAILURE.forged: return fieldError("DECRYPTION_FAILED", field, "could not be decrypted: it was changed, or moved here from another field, row or tenant");
		default: return fieldError("CIPHERTEXT_INVALID", field, `holds a value that is not of its type, ${field.kind}${field.list ? "[]" : ""}`);
	}
}
/** Mostly no value of a batch is bound to columns of its row. */
function boundOf(slots) {
	for (const { bound } of slots) if (bound.length > 0) return slots.map((slot) => slot.bound);
}
//#endregion
//#region src/cipher/activeNeed.ts
/** A key that the pass needs, for so many values; `field` is the first that asked for it, for messages. */
var ActiveNeed = class {
	count = 0;
	#allotments;
	#next = 0;
	#drawn = 0;
	constructor(field, tenant, purpose) {
		this.field = field;
		this.tenant = tenant;
		this.purpose = purpose;
	}
	/** Takes the keys from memory, if it has them. */
	take(ring) {
		this.#allotments ??= this.purpose === "encrypt" ? ring.take(this.tenant, this.count) : this.#cachedIndex(ring);
		return this.#allotments !== void 0;
	}
	#cachedIndex(ring) {
		const dek = ring.cachedActive(this.tenant, "index");
		return dek && [{
			dek,
			count: this.count
		}];
	}
	async resolve(ring) {
		this.#allotments = this.purpose === "encrypt" ? await ring.allot(this.tenant, this.count) : [{
			dek: await ring.active(this.tenant, "index"),
			count: this.count
		}];
	}
	/** The DEK for the next value: each value draws once, so that no DEK encrypts more than it was allotted. */
	draw() {
		const allotment = this.#allotments[this.#next];
		this.#drawn += 1;
		if (this.#drawn === allotment.count) {
			this.#next += 1;
			this.#drawn = 0;
		}
		return allotment.dek;
	}
};
//#endregion
//#region src/cipher/passKeys.ts
/** What heads say, so that each is read once. */
const HEADERS = new lru_cache.LRUCache({ max: 1e4 });
/** What opens all ciphertexts with one head. */
var Opener = class {
	constructor(dek, header) {
		this.dek = dek;
		this.header = header;
	}
	place(field) {
		return this.dek.place(field, (this.header.flags & 1) !== 0);
	}
};
/** The keys of one pass, so that no eviction in between can take one away. */
var PassKeys = class {
	#ring;
	#actives = /* @__PURE__ */ new Map();
	#openers = /* @__PURE__ */ new Map();
	/** The last answer of `active`: consecutive slots mostly want the same. */
	#last;
	/** What each slot to decrypt needs, by its place in the pass. */
	#bySlot = [];
	/** The last head that was met: comparing with it is cheaper than looking one up. */
	#lastHead = "";
	#lastNeed;
	constructor(ring) {
		this.#ring = ring;
	}
	need(slot, position) {
		if (slot.mode === "decrypt") this.#bySlot[position] = this.#needHead(slot);
		else this.#needActive(slot);
	}
	#needActive(slot) {
		const { tenant, purpose } = activeOf(slot);
		const name = `${purpose} ${tenant}`;
		let need = this.#actives.get(name);
		if (!need) {
			need = new ActiveNeed(slot.field, tenant, purpose);
			this.#actives.set(name, need);
		}
		need.count += 1;
	}
	#needHead(slot) {
		const stored = slot.holder[slot.key];
		if (this.#lastNeed && typeof stored === "string" && stored.startsWith(this.#lastHead)) return this.#lastNeed;
		const head = require_duration.headOf(stored);
		const need = (head === null ? void 0 : this.#openers.get(head)) ?? this.#addHead(slot, head);
		this.#lastHead = head;
		this.#lastNeed = need;
		return need;
	}
	#addHead(slot, head) {
		const header = head === null ? null : headerOf(head);
		if (head === null || !header) throw fieldError("CIPHERTEXT_INVALID", slot.field, "holds something that is not a ciphertext of this library");
		const dek = this.#ring.cached(header.dekId);
		const opener = dek && new Opener(dek, header);
		const need = {
			field: slot.field,
			header,
			scope: slot.owner.tenant,
			opener
		};
		this.#openers.set(head, need);
		return need;
	}
	/** Takes what is in memory, and says whether that is all. */
	complete() {
		let complete = true;
		for (const need of this.#actives.values()) complete = need.take(this.#ring) && complete;
		for (const { opener } of this.#openers.values()) complete &&= opener !== void 0;
		return complete;
	}
	/** Gets the keys that are not in memory, all at once. */
	async resolve() {
		const actives = [...this.#actives.values()].filter((need) => !need.take(this.#ring));
		const heads = [...this.#openers.values()].filter(({ opener }) => !opener);
		await Promise.all([this.#resolveActives(actives), this.#resolveHeads(heads)]);
	}
	async #resolveActives(missing) {
		await Promise.all(missing.map((need) => named(need.field.name, need.resolve(this.#ring))));
	}
	async #resolveHeads(missing) {
		const scope = missing[0]?.scope;
		if (scope === void 0) return;
		const ids = [...new Set(missing.map(({ header }) => header.dekId))];
		const outcomes = this.#ring.loadEach(ids, scope);
		const deks = new Map(ids.map((id, i) => [id, outcomes[i]]));
		await Promise.all(missing.map(async (need) => {
			need.opener = new Opener(await named(need.field.name, deks.get(need.header.dekId)), need.header);
		}));
	}
	/** The DEK for this slot's value; to be asked once for each slot. */
	active(slot) {
		const last = this.#last;
		if (last && last.owner === slot.owner && last.mode === slot.mode && slot.mode === "encrypt") return last.need.draw();
		const { tenant, purpose } = activeOf(slot);
		const need = this.#actives.get(`${purpose} ${tenant}`);
		this.#last = {
			owner: slot.owner,
			mode: slot.mode,
			need
		};
		return need.draw();
	}
	opener(slot, position) {
		const opener = this.#bySlot[position].opener;
		const scope = slot.owner.tenant;
		if (scope !== require_duration.ANY_TENANT && opener.dek.tenant !== scope) throw new require_errors.FieldsealError("TENANT_MISMATCH", `${slot.field.name} is encrypted for another tenant than ${require_errors.quoted(scope)}: filter by tenant in your query`);
		return opener;
	}
};
function headerOf(head) {
	const known = HEADERS.get(head);
	if (known) return known;
	const header = require_duration.headerOfHead(head);
	if (header) HEADERS.set(head, header);
	return header;
}
/** The ring knows keys but no fields; whoever reads the error wants to know both. */
async function named(place, key) {
	try {
		return await key;
	} catch (error) {
		if (!require_errors.FieldsealError.is(error)) throw error;
		throw new require_errors.FieldsealError(error.code, `${place}: ${error.message}`, { cause: error });
	}
}
function activeOf(slot) {
	if (slot.mode === "index" && slot.index.scope === "global") return {
		tenant: "*",
		purpose: "index"
	};
	return {
		tenant: slot.owner.tenant,
		purpose: slot.mode === "index" ? "index" : "encrypt"
	};
}
//#endregion
//#region src/cipher.ts
/** Slots that go to the engine together: enough to make its calls cheap, too few to hold up the event loop. */
const STRETCH = 512;
/** So many slots are looked at without a pause. */
const LARGE = 16384;
/** After so many milliseconds at a stretch, others on the event loop have their turn. */
const TURN = 6;
/**
* Transforms all slots of one pass: resolves every key they need with at most one wait, then works through them. Returns
* nothing when all keys were in memory and the values are not very many, so that a warm caller awaits nothing.
*
* @param inTime told of the wait for keys, to limit it
* @throws FieldsealError for the first slot that cannot be transformed exactly; the others may or may not be done
*/
function transform(slots, ring, inTime = (keys) => keys) {
	if (slots.length === 0) return void 0;
	const start = performance.now();
	const keys = new PassKeys(ring);
	if (slots.length > LARGE) return transformLarge(slots, keys, inTime);
	for (let i = 0; i < slots.length; i++) keys.need(slots[i], i);
	return keys.complete() ? apply(slots, keys, start) : resolveAndApply(slots, keys, inTime);
}
/** As `transform`, of so many slots that only to look at them would take too long at a stretch. */
async function transformLarge(slots, keys, inTime) {
	for (let i = 0; i < slots.length; i++) {
		keys.need(slots[i], i);
		if (i % LARGE === LARGE - 1) await (0, node_timers_promises.setImmediate)();
	}
	await (keys.complete() ? applyRest(slots, keys, 0) : resolveAndApply(slots, keys, inTime));
}
/** Checks the values first: one that cannot be written should not make a DEK. */
async function resolveAndApply(slots, keys, inTime) {
	for (const slot of slots) if (slot.mode === "encrypt") encodeValue(slot.field, slot.holder[slot.key]);
	await inTime(keys.resolve());
	await apply(slots, keys, performance.now());
}
function apply(slots, keys, start) {
	const next = applyTurn(slots, keys, 0, start);
	return next < slots.length ? applyRest(slots, keys, next) : void 0;
}
async function applyRest(slots, keys, from) {
	for (let next = from; next < slots.length;) {
		await (0, node_timers_promises.setImmediate)();
		next = applyTurn(slots, keys, next, performance.now());
	}
}
/** Works until the time of a turn that began at `start` is over; where to go on. */
function applyTurn(slots, keys, from, start) {
	let next = from;
	do {
		const end = Math.min(next + STRETCH, slots.length);
		applyStretch(slots, keys, next, end);
		next = end;
	} while (next < slots.length && performance.now() - start < TURN);
	return next;
}
function applyStretch(slots, keys, from, to) {
	const batches = new Batches();
	const unsorted = sortSlots(batches, slots, keys, from, to);
	const failed = batches.run() ?? unsorted;
	if (failed) throw failed.error;
}
/** Stops at a slot that fails: what comes after it decides nothing any more. */
function sortSlots(batches, slots, keys, from, to) {
	let position = from;
	try {
		for (; position < to; position++) sortSlot(batches, slots[position], keys, position);
		return;
	} catch (error) {
		return {
			position,
			error
		};
	}
}
function sortSlot(batches, slot, keys, position) {
	switch (slot.mode) {
		case "encrypt": {
			const dek = keys.active(slot);
			batches.encrypt(dek, slot, plaintextOf(slot, dek));
			break;
		}
		case "decrypt":
			batches.decrypt(keys.opener(slot, position), slot, position);
			break;
		case "index":
			batches.index(keys.active(slot), slot, indexed(slot.index, slot.values));
			break;
	}
}
function plaintextOf({ field, holder, key }, dek) {
	if (isUnder$1(dek, holder[key])) throw fieldError("VALUE_INVALID", field, TWICE);
	return encodeValue(field, holder[key]);
}
/** Whether a value is a ciphertext of this DEK already, padded or not. */
function isUnder$1(dek, value) {
	const head = require_duration.headOf(Array.isArray(value) && value.length === 1 ? value[0] : value);
	return head !== null && require_duration.headerOfHead(head)?.dekId === dek.id;
}
const TWICE = "is a ciphertext already and would be encrypted twice: copy values through the encrypted client on both sides, and in an extension chained after the encryption do not write with the encrypted client";
function indexed(index, values) {
	const plaintexts = index.sources.map((field, i) => encodeValue(field, normalizedFor(index, field, values[i])));
	return plaintexts.length === 1 ? plaintexts[0] : Buffer.concat(plaintexts.map(require_bytes.lengthPrefixed));
}
/**
* What a blind index is made from, as text: the same for values that it takes for equal, and only for these.
*
* @throws FieldsealError `VALUE_INVALID` for a value that the field cannot hold
*/
function indexedText(index, values) {
	const message = indexed(index, values);
	return typeof message === "string" ? message : message.toString("latin1");
}
/** Only free text is normalised: a decimal or a date that is written as a text has a form of its own. */
function normalizedFor(index, { kind }, value) {
	return kind === "String" ? normalized(index, value) : value;
}
/**
* A text as a blind index takes it; anything else as it is.
*
* @throws FieldsealError `VALUE_INVALID` when a normaliser of the application fails
*/
function normalized(index, value) {
	if (typeof value !== "string") return value;
	return index.normalizers.reduce((text, normalize, i) => normalizedBy(index, normalize, text, i), value);
}
function normalizedBy({ name, normalize: names }, normalize, text, i) {
	let result;
	try {
		result = normalize(text);
	} catch {
		throw badNormalizer(name, names[i], "threw an error");
	}
	if (typeof result !== "string") throw badNormalizer(name, names[i], "answered with something other than a string");
	return result;
}
/** Without the cause: what it says may quote the value. */
function badNormalizer(index, name, what) {
	return new require_errors.FieldsealError("VALUE_INVALID", `${index} cannot be made: its normalizer "${name}" ${what}; it must map every text to a text`);
}
function encodeValue(field, value) {
	return checkedValue(field, () => require_duration.encodeField(field, value));
}
//#endregion
//#region src/prisma/refusals.ts
/** What to do where a use of an encrypted field has no right answer. */
const INSTEAD = {
	orderBy: "sort the rows after reading them, or keep a plain column to sort by",
	cursor: "page by a column that is not encrypted, or by a field whose blind index is unique",
	distinct: "remove duplicates after reading the rows, or give the field a blind index of 128 bits",
	groupBy: "group the rows after reading them",
	having: "filter the groups in your code",
	push: "read the list and write it whole"
};
const EQUALITY = new Set([
	"equals",
	"in",
	"notIn",
	"not"
]);
/** A use of an encrypted field that has no right answer. */
function refused(name, use) {
	return unsupported(`${name} is encrypted, so "${use}" has no right answer on it; ${INSTEAD[use] ?? "compare after reading, or compute in your code"}`);
}
/** A filter on a field that no blind index answers. */
function refusedFilter(field, operator) {
	const combined = field.indexes.find(({ sources }) => sources.length > 1);
	const single = field.indexes.some(({ sources }) => sources.length === 1);
	if (EQUALITY.has(operator) && !single) {
		const advice = combined ? `search by ${listed(combined)} together, each by one value, beside each other in one object` : `only null can be asked of it: add a column marked @blindIndex(${field.field}), or filter by other columns and compare after reading`;
		return unsupported(`${field.name} is encrypted, so "${operator}" needs a blind index; ${advice}`);
	}
	const advice = single ? "its blind index finds equal values only: use equals, in, notIn or not, or compare after reading" : "only null can be asked of it: filter by other columns and compare after reading";
	return unsupported(`${field.name} is encrypted, so "${operator}" has no right answer on it; ${advice}`);
}
/** A search through an index so short that other values match too, where these cannot be taken out again. */
function falsePositives(index, use) {
	const { name, bits } = index;
	return unsupported(`${index.sources.map((field) => field.name).join(" and ")} is searched through ${name}, which has ${bits} bits and so finds other values too; they are taken out after decryption, which is not possible with ${use}: use findMany with equals or in, beside the other conditions, without take, skip, cursor and distinct, or an index of 128 bits`);
}
/** A negated search through an index over fields that may be null. */
function notNegated(index) {
	return unsupported(`${listed(index)} are searched through ${index.name}, which is null where one of them is, so it cannot tell the rows that NOT, isNot and every ask for; give each field an index of its own, or compare after reading`);
}
/** A unique `where` that relies on an encrypted field without a unique index. */
function notUnique(field) {
	return unsupported(`${field.name} is encrypted and has no unique blind index, so it names no one row; use findFirst or findMany, or mark the column of its blind index @unique`);
}
/** A unique `where` by a field of which some rows have no index yet. */
function notUniqueYet(field) {
	const advice = `use findFirst or updateMany and the like, or take the mark \`${field.state}\` off when it is done`;
	return unsupported(`${field.name} is ${field.state}, so its unique index does not have every row; ${advice}`);
}
function unsupported(message) {
	return new require_errors.FieldsealError("QUERY_UNSUPPORTED", message);
}
function listed({ sources }) {
	return sources.map(({ field }) => field).join(" and ");
}
//#endregion
//#region src/prisma/values.ts
/** Prisma's own kinds of values, told by their looks: clients of different outputs have classes of their own. */
const OBJECT_ENUM = Symbol.for("prisma.objectEnumValue");
function isPlainObject(value) {
	if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
	const prototype = Object.getPrototypeOf(value);
	return prototype === null || Object.getPrototypeOf(prototype) === null;
}
/** `DbNull`, `JsonNull`, `AnyNull`, or `undefined` for anything else. */
function nullKind(value) {
	if (typeof value !== "object" || value === null || !(OBJECT_ENUM in value)) return void 0;
	return value._getName();
}
/** A reference to another column, as in `where: { a: { equals: prisma.user.fields.b } }`. */
function isFieldRef(value) {
	return isInstance(value) && "modelName" in value && "typeName" in value && "name" in value;
}
/** `undefined` and `Prisma.skip`: the key counts as not written. */
function isAbsent(value) {
	return value === void 0 || isInstance(value) && "ifUndefined" in value;
}
/** An object of a class: what only looks like Prisma's own may be a value in a Json field. */
function isInstance(value) {
	return typeof value === "object" && value !== null && !Array.isArray(value) && !isPlainObject(value);
}
/** NULL in the database. */
function isDbNull(value) {
	return value === null || nullKind(value) === "DbNull";
}
/** NULL as a column of the type takes it: only Json columns know `DbNull`, which a caller may write for any Json field. */
function storedNull({ column }, value) {
	return column === "Json" ? value : null;
}
/** A member of what may not be an object at all. */
function partOf(value, key) {
	return isPlainObject(value) ? value[key] : void 0;
}
/** Prisma takes one or many in most places. */
function listOf(value) {
	return Array.isArray(value) ? value : [value];
}
//#endregion
//#region src/prisma/search.ts
const OPERATORS = new Set([
	"equals",
	"in",
	"notIn",
	"not"
]);
/** Whether a condition asks for nothing but null, which the field's own column answers. */
function isNullFilter(condition) {
	if (isDbNull(condition)) return true;
	if (!isPlainObject(condition)) return false;
	return Object.entries(condition).every(([operator, operand]) => isAbsent(operand) || isNullTest(operator, operand));
}
function isNullTest(operator, operand) {
	return operator === "not" ? isNullFilter(operand) : operator === "equals" && isDbNull(operand);
}
/** A condition that asks for nothing but null, as the field's column takes it. */
function nullCondition(field, condition) {
	if (isDbNull(condition)) return storedNull(field, condition);
	if (!isPlainObject(condition)) return condition;
	return Object.fromEntries(Object.entries(condition).map(([key, operand]) => [key, nullCondition(field, operand)]));
}
/** The one value that a condition asks for, in its short or long form; `undefined` for any other condition. */
function equalValue(condition) {
	if (isAbsent(condition) || isDbNull(condition) || isFieldRef(condition)) return void 0;
	if (!isPlainObject(condition)) return condition;
	const operators = Object.keys(condition).filter((operator) => !isSilent(operator, condition[operator]));
	return operators.length === 1 && operators[0] === "equals" ? equalValue(condition.equals) : void 0;
}
/**
* The condition on the column of the blind index that means the same: NULL is NULL in both columns, so that every
* operator keeps its answer for rows without a value. `holder[key]` becomes the condition.
*
* @throws FieldsealError `QUERY_UNSUPPORTED` for an operator that equality does not answer
*/
function indexCondition(search, condition, holder, key) {
	if (isFieldRef(condition)) throw refusedFilter(search.field, "a field reference");
	if (isDbNull(condition)) {
		if (!search.field.optional) throw nullRequired(search.field);
		holder[key] = condition;
	} else if (Array.isArray(condition)) holder[key] = eachIndexed(search, condition);
	else if (!isPlainObject(condition)) addIndexSlot(search, holder, key, [condition]);
	else {
		const inner = {};
		for (const [operator, operand] of operands(search.field, condition)) indexCondition(search, operand, inner, operator);
		holder[key] = inner;
	}
}
function eachIndexed(search, values) {
	const indexed = [];
	values.forEach((value, position) => {
		indexCondition(search, value, indexed, String(position));
	});
	return indexed;
}
/** Has `holder[key]` filled with the blind index of the values, one for each source. */
function addIndexSlot(search, holder, key, values) {
	const { pass, field, index, owner } = search;
	holder[key] = void 0;
	pass.slots.push({
		mode: "index",
		field,
		owner,
		holder,
		key,
		index,
		values
	});
}
/** The operators of a filter that say something. */
function operands(field, filter) {
	const said = Object.entries(filter).filter(([operator, operand]) => !isSilent(operator, operand));
	for (const [operator] of said) if (!OPERATORS.has(operator)) throw refusedFilter(field, operator);
	return said;
}
function isSilent(operator, operand) {
	return isAbsent(operand) || operator === "mode" && operand === "default";
}
/** The column of the index takes null, Prisma's filter of a required field does not. */
function nullRequired({ name }) {
	return new require_errors.FieldsealError("VALUE_INVALID", `${name} is required, so no filter compares it with null; leave null out`);
}
//#endregion
//#region src/prisma/falsePositive.ts
/** An index of fewer bits finds other values too. */
const EXACT_BITS = 128;
function isExact$1({ bits }) {
	return bits >= EXACT_BITS;
}
/**
* Notes a condition that rows must be held against because its index finds others too.
*
* @throws FieldsealError `QUERY_UNSUPPORTED` where the others cannot be taken out
*/
function checkLater(checks, index, condition) {
	if (isExact$1(index)) return;
	const [field] = index.sources;
	if (!isPlainObject(condition)) add(checks, index, [condition]);
	else for (const [operator, operand] of operands(field, condition)) {
		if (operator !== "equals" && operator !== "in") throw falsePositives(index, `"${operator}"`);
		add(checks, index, [operand].flat());
	}
}
/** As `checkLater`, for the values of an index over several fields. */
function checkLaterTogether(checks, index, values) {
	if (!isExact$1(index)) note(checks, index, [indexedText(index, values)]);
}
function add(checks, index, values) {
	note(checks, index, values.filter((value) => !isDbNull(value)).map((value) => indexedText(index, [value])));
}
function note(checks, index, texts) {
	if (typeof checks === "string") throw falsePositives(index, checks);
	checks.push({
		index,
		wanted: new Set(texts)
	});
}
/** Whether a decrypted row is one that was looked for. */
function passes(checks, row) {
	return checks.every(({ index, wanted }) => {
		const values = index.sources.map(({ field }) => row[field]);
		return !values.some(isDbNull) && wanted.has(indexedText(index, values));
	});
}
//#endregion
//#region src/prisma/clientDefault.ts
/** A value of a default that Prisma Client would make a moment later, by the libraries that it uses itself. */
function makeDefault({ name, argument }) {
	switch (name) {
		case "uuid": return argument === 7 ? (0, uuid.v7)() : (0, node_crypto.randomUUID)();
		case "cuid": return argument === 2 ? (0, _paralleldrive_cuid2.createId)() : (0, _bugsnag_cuid.default)();
		case "ulid": return (0, ulid.ulid)();
		case "nanoid": return (0, nanoid.nanoid)(argument);
	}
}
//#endregion
//#region src/prisma/bound.ts
const UUID_HEX = /^[0-9a-f]{32}$/;
/** The one text of a bound value that goes into the AAD, however the caller or the database wrote it. */
function canonical(type, value) {
	switch (type) {
		case "String": return typeof value === "string" ? value : void 0;
		case "Uuid": return typeof value === "string" ? canonicalUuid(value) : void 0;
		case "Int":
		case "BigInt": return typeof value === "bigint" || Number.isSafeInteger(value) ? String(value) : void 0;
	}
}
/** PostgreSQL takes a UUID in any case, with braces and with hyphens left out, and returns it in one form. */
function canonicalUuid(value) {
	const hex = value.toLowerCase().replace(/[{}-]/g, "");
	return UUID_HEX.test(hex) ? require_duration.uuidOfHex(hex) : void 0;
}
const NONE$1 = [];
/**
* The canonical texts of a field's bound columns.
*
* @throws FieldsealError `BOUND_VALUE_MISSING` when one is not known; `where` says how to make it known
*/
function boundTexts$1(plan, field, values, where) {
	if (field.bind.length === 0) return NONE$1;
	return field.bind.map((column) => {
		const text = canonical(plan.bound.get(column).type, values[column]);
		if (text !== void 0) return text;
		throw new require_errors.FieldsealError("BOUND_VALUE_MISSING", `${field.name} is bound to ${column}, whose value is not known here: ${where}`);
	});
}
/** Makes the client-side defaults of bound columns that the data leaves out, as Prisma would have a moment later. */
function fillBoundDefaults(plan, data) {
	for (const [column, { default: maker }] of plan.bound) if (maker && isAbsent(data[column])) data[column] = makeDefault(maker);
}
/** Whether an update writes the value that a column has anyway. */
function sameBound(plan, column, value, fixed) {
	const type = plan.bound.get(column)?.type;
	if (!type) return fixed !== void 0 && value === fixed;
	const text = canonical(type, value);
	return text !== void 0 && text === canonical(type, fixed);
}
/** The column values that a unique `where` fixes: its equalities at the top level and in compound selectors. */
function fixedBy(plan, where) {
	if (!isPlainObject(where)) return {};
	const known = {};
	for (const [key, condition] of Object.entries(where)) if (plan.uniques.has(key) && isPlainObject(condition)) Object.assign(known, condition);
	else if (isPlainObject(condition)) known[key] = isExact(condition) ? condition.equals : void 0;
	else known[key] = condition;
	return known;
}
/** The row may have the value in other letters than the filter. */
function isExact({ mode }) {
	return isAbsent(mode) || mode === "default";
}
//#endregion
//#region src/crypto/textForm.ts
/**
* A field's value as plaintext for its column.
*
* @throws {UnencodableValue} when the value is not one that the field can hold, or would be taken for a ciphertext
*/
function textForm(field, value) {
	return field.list ? require_duration.eachOf(value, (element) => oneForm(field, element)) : oneForm(field, value);
}
function oneForm(field, value) {
	require_duration.encodeField({
		...field,
		list: false
	}, value);
	const form = field.kind === field.column ? value : written(field.kind, value);
	if (require_duration.headOf(form) !== null) throw new require_duration.UnencodableValue(`begins with ${require_duration.PREFIX}, which only a ciphertext may`);
	return form;
}
function written(kind, value) {
	switch (kind) {
		case "Int": return String(require_duration.int(value));
		case "BigInt": return String(require_duration.bigint(value));
		case "Float": return String(require_duration.float(value));
		case "Decimal": return require_duration.decimal(value);
		case "Boolean": return String(require_duration.boolean(value));
		case "DateTime": return new Date(require_duration.dateTime(value)).toISOString();
		case "Json": return require_duration.jsonText(value);
		case "Bytes": return `\\x${Buffer.from(require_duration.bytes(value)).toString("hex")}`;
		case "String":
		case "Enum": return require_duration.encode(kind, value).slice(1);
	}
}
/** Whether what a column holds is not, and does not pretend to be, a ciphertext; of a list, all its elements. */
function isPlaintext({ list }, stored) {
	return list && Array.isArray(stored) ? stored.every((element) => require_duration.headOf(element) === null) : require_duration.headOf(stored) === null;
}
/** The value that plaintext in a field's column stands for; `undefined` when it is not of the field's type. */
function parseTextForm(field, stored) {
	if (!field.list) return parseOne(field, stored);
	const values = Array.isArray(stored) ? stored.map((element) => parseOne(field, element)) : [void 0];
	return values.includes(void 0) ? void 0 : values;
}
function parseOne(field, stored) {
	if (field.kind === field.column) return stored;
	return typeof stored === "string" ? require_duration.revived(field, PARSE[field.kind](stored)) : void 0;
}
const BYTES = /^\\x((?:[0-9a-f]{2})*)$/;
const PARSE = {
	String: (text) => text,
	Enum: (text) => text,
	Int: require_duration.parseInt32,
	BigInt: require_duration.parseInt64,
	Float: require_duration.parseFloat64,
	Decimal: require_duration.canonicalDecimal,
	Boolean: (text) => text === "true" || text === "false" ? text === "true" : void 0,
	DateTime: require_duration.parseDateTime,
	Json: require_duration.parsedJson,
	Bytes: (text) => {
		const digits = BYTES.exec(text)?.[1];
		return digits === void 0 ? void 0 : new Uint8Array(Buffer.from(digits, "hex"));
	}
};
//#endregion
//#region src/prisma/mixed.ts
/**
* Asks the index of rows that have one, and the columns themselves of the others. It is two-valued for every row with
* a value, so that a NOT around it is right too.
*
* @param indexed the condition on the index
* @param conditions what the caller asks of the index's sources
*/
function eitherColumn(index, indexed, conditions) {
	for (const field of index.sources) refuseManyForms(field);
	const plain = index.sources.map((field) => ({ [field.field]: plainCondition(field, index, conditions[field.field]) }));
	return { OR: [{ AND: [{ [index.field]: { not: null } }, indexed] }, { AND: [{ [index.field]: null }, ...plain] }] };
}
/**
* The condition on plaintext. A value may stand there as it was written once, or in its normalised form.
*
* @param nots how many `not` are around it
*/
function plainCondition(field, index, condition, nots = 0) {
	if (isDbNull(condition)) return condition;
	if (!isPlainObject(condition)) return oneOf(field, plainForms(field, index, condition), nots);
	const plain = {};
	for (const [operator, operand] of operands(field, condition)) if (operator === "not") plain.not = plainCondition(field, index, operand, nots + 1);
	else if (isDbNull(operand)) plain[operator] = operand;
	else if (operator === "notIn") plain.notIn = formsOf(field, index, operand);
	else plain.in = both(plain.in, formsOf(field, index, operand));
	return plain;
}
/** To Prisma `not: { not: value }` is the same as `not: value`, and `not: { not: { in } }` the same as `in`. */
function oneOf({ name }, forms, nots) {
	if (forms.length === 1) return forms[0];
	if (nots < 2) return { in: forms };
	throw unsupported(`${name} is not plaintext in every row, where a "not" in a "not" is refused: write it without`);
}
/** `equals` and `in` of one filter both become `in`: what both allow is left. */
function both(before, values) {
	return Array.isArray(before) ? before.filter((value) => values.includes(value)) : values;
}
function formsOf(field, index, operand) {
	return [operand].flat().flatMap((value) => plainForms(field, index, value));
}
/** What no column holds: neither a ciphertext nor plaintext, which cannot begin so. */
const NOWHERE = {
	String: `${require_duration.PREFIX}!`,
	Bytes: Buffer.from(`${require_duration.PREFIX}!`),
	Json: `${require_duration.PREFIX}!`
};
/** A value that looks like a ciphertext must not find one. */
function plainForms(field, index, value) {
	if (isDbNull(value)) return [value];
	return [...field.kind === "String" ? new Set([value, normalized(index, value)]) : [value]].map((form) => require_duration.headOf(form) === null ? checkedValue(field, () => textForm(field, form)) : NOWHERE[field.column]);
}
/** Of these one value may stand in a text column in several forms: 1.5 and 1.50. */
const MANY_FORMS = new Set([
	"Float",
	"Decimal",
	"DateTime"
]);
function refuseManyForms({ name, kind, column, state }) {
	if (state !== "migrating" || kind === column || !MANY_FORMS.has(kind)) return;
	throw unsupported(`${name} is migrating, and one ${kind} may stand in plaintext in several forms, which no filter finds all: compare after reading, or encrypt all rows and take the mark off first`);
}
//#endregion
//#region src/prisma/where.ts
/**
* Rewrites a filter, at any depth, so that the blind indexes answer it; in place.
*
* @param checks takes up what the rows must be held against, or says what makes that impossible
* @throws FieldsealError `QUERY_UNSUPPORTED` when it needs the value of an encrypted field in a way that no index gives
*/
function rewriteWhere(pass, plan, where, owner, checks) {
	rewrite({
		pass,
		plan,
		owner: () => owner,
		checks,
		negated: false
	}, where);
}
/**
* Rewrites a unique `where`, which may name its row by an encrypted field whose blind index is unique.
*
* @throws FieldsealError `QUERY_UNSUPPORTED`
*/
function rewriteUnique(pass, plan, where, owner) {
	if (!plan.reaches) return;
	for (const element of listOf(where)) {
		if (!isPlainObject(element)) continue;
		checkUnique(plan, element);
		rewrite({
			pass,
			plan,
			owner: () => owner,
			checks: "a unique where",
			negated: false
		}, element, uniqueIndexOf);
	}
}
/** The first index of the field alone that finds nothing else; the first one if none does. */
function indexOf$1({ indexes }) {
	const own = indexes.filter(({ sources }) => sources.length === 1);
	return own.find(isExact$1) ?? own[0];
}
function uniqueIndexOf(field) {
	return field.indexes.find(({ unique, sources }) => unique && sources.length === 1) ?? indexOf$1(field);
}
function rewrite(around, where, choose = indexOf$1) {
	const { plan, pass } = around;
	if (!plan.reaches) return;
	for (const element of listOf(where)) {
		if (!isPlainObject(element)) continue;
		const owner = once(() => pass.tenancy.ownerOf(plan, {}, around.owner(), fixedBy(plan, element)));
		rewriteElement({
			...around,
			owner
		}, element, choose);
	}
}
function rewriteElement(place, element, choose) {
	const others = [];
	for (const index of place.plan.combined) rewriteCombined(place, element, index, others);
	for (const key of Object.keys(element)) if (!isAbsent(element[key])) rewriteCondition(place, element, key, {
		choose,
		others
	});
	if (others.length > 0) element.AND = [...listOf(element.AND).filter((part) => !isAbsent(part)), ...others];
}
function rewriteCondition(place, element, key, { choose, others }) {
	const { plan } = place;
	const member = plan.members.get(key);
	const compound = plan.uniques.get(key);
	if (member?.kind === "encrypted") rewriteField(place, element, member.field, {
		choose,
		others
	});
	else if (member?.kind === "relation") rewriteRelation(place, member.relation, element[key]);
	else if (key === "AND") rewrite(place, element[key]);
	else if (key === "OR") rewrite({
		...place,
		checks: "\"OR\""
	}, element[key]);
	else if (key === "NOT") rewrite({
		...place,
		checks: "\"NOT\"",
		negated: true
	}, element[key]);
	else if (compound) rewriteCompound(place, element, key, compound);
	else checkReferences(plan, element[key]);
}
function rewriteField(place, element, field, { choose, others }) {
	const condition = element[field.field];
	if (isNullFilter(condition)) {
		element[field.field] = nullCondition(field, condition);
		return;
	}
	const index = choose(field);
	if (!index) throw refusedFilter(field, operatorIn(condition));
	const holder = !field.state && isAbsent(element[index.field]) ? element : {};
	indexCondition(searchIn(place, field, index), condition, holder, index.field);
	checkLater(place.checks, index, condition);
	delete element[field.field];
	if (field.state) others.push(eitherColumn(index, holder, { [field.field]: condition }));
	else if (holder !== element) others.push(holder);
}
/**
* An index over several fields answers when each is asked for one value, unless each has an index of its own. Where one
* field is null, so is the index: whether the other fields differ, which a negation would need, it does not tell.
*/
function rewriteCombined(place, element, index, others) {
	const { sources } = index;
	if (!index.unique && sources.every((field) => indexOf$1(field))) return;
	const conditions = sources.map(({ field }) => [field, element[field]]);
	const values = conditions.map(([, condition]) => equalValue(condition));
	if (values.includes(void 0)) return;
	if (place.negated && sources.some(({ optional }) => optional)) throw notNegated(index);
	const mixed = sources.some(({ state }) => state);
	const holder = !mixed && isAbsent(element[index.field]) ? element : {};
	addIndexSlot(searchIn(place, sources[0], index), holder, index.field, values);
	checkLaterTogether(place.checks, index, values);
	for (const { field } of sources) delete element[field];
	if (mixed) others.push(eitherColumn(index, holder, Object.fromEntries(conditions)));
	else if (holder !== element) others.push(holder);
}
/** The name of a compound unique, and the blind indexes in its value. */
function rewriteCompound(place, element, key, { selector, indexes }) {
	const part = element[key];
	if (!isPlainObject(part)) return;
	for (const index of indexes) {
		const values = index.sources.map(({ field }) => equalValue(part[field]));
		if (values.includes(void 0)) continue;
		const mixed = index.sources.find(({ state }) => state);
		if (mixed) throw notUniqueYet(mixed);
		for (const { field } of index.sources) delete part[field];
		addIndexSlot(searchIn(place, index.sources[0], index), part, index.field, values);
	}
	delete element[key];
	element[selector] = part;
}
const FOR_ALL = { tenant: "*" };
function searchIn({ pass, owner }, field, index) {
	return {
		pass,
		field,
		index,
		owner: index.scope === "global" ? FOR_ALL : owner()
	};
}
const RELATION_FILTERS = [
	"is",
	"isNot",
	"some",
	"every",
	"none"
];
const NEGATING = new Set(["isNot", "every"]);
/** Whether there are such rows is either true or false, whatever is around. */
const COUNTING = new Set(["some", "none"]);
function rewriteRelation(place, relation, condition) {
	if (!isPlainObject(condition)) return;
	const { model, list } = relation;
	const inside = {
		...place,
		plan: model,
		checks: "a filter through a relation"
	};
	for (const filter of RELATION_FILTERS) {
		const negated = NEGATING.has(filter) || place.negated && !COUNTING.has(filter);
		if (list || !Object.hasOwn(model.columns, filter)) rewrite({
			...inside,
			negated
		}, condition[filter]);
	}
	if (!list) rewrite(inside, condition);
}
/** @throws FieldsealError `QUERY_UNSUPPORTED` when an encrypted field alone should name the row and cannot */
function checkUnique(plan, where) {
	const asked = plan.encrypted.filter(({ field }) => equalValue(where[field]) !== void 0);
	const mixed = asked.find((field) => field.state && uniqueIndexOf(field)?.unique);
	if (mixed) throw notUniqueYet(mixed);
	const named = plan.combined.some(({ unique, sources }) => unique && sources.every((source) => asked.includes(source))) || asked.some((field) => uniqueIndexOf(field)?.unique);
	if (asked.length > 0 && !named && !Object.keys(where).some((key) => mayName(plan, where, key))) throw notUnique(asked[0]);
}
/** Whether a key of a unique `where` may name the row, as far as is known of it. */
function mayName(plan, where, key) {
	if (isAbsent(where[key]) || COMBINATORS.has(key)) return false;
	return !plan.members.has(key) || plan.members.get(key)?.kind === "index";
}
/** What joins conditions. */
const COMBINATORS = new Set([
	"AND",
	"OR",
	"NOT"
]);
/** A plain column must not be compared with an encrypted one. */
function checkReferences(plan, condition) {
	if (plan.encrypted.length === 0) return;
	if (isFieldRef(condition)) {
		const member = condition.modelName === plan.name ? plan.members.get(condition.name) : void 0;
		if (member?.kind === "encrypted") throw refusedFilter(member.field, "a field reference");
	} else if (isPlainObject(condition)) for (const operand of Object.values(condition)) checkReferences(plan, operand);
}
/** The operator to name in a refusal. */
function operatorIn(condition) {
	if (isFieldRef(condition)) return "a field reference";
	if (!isPlainObject(condition)) return "equals";
	return Object.keys(condition).filter((operator) => !isNullFilter({ [operator]: condition[operator] })).find((operator) => operator !== "mode") ?? "mode";
}
function once(make) {
	let made;
	return () => {
		made ??= { value: make() };
		return made.value;
	};
}
//#endregion
//#region src/prisma/ordering.ts
const VALUE_AGGREGATES = [
	"_min",
	"_max",
	"_sum",
	"_avg"
];
const AGGREGATES = new Set([...VALUE_AGGREGATES, "_count"]);
/** @throws FieldsealError `QUERY_UNSUPPORTED` when rows would be sorted by ciphertext */
function checkOrderBy(plan, orderBy) {
	if (!plan.reaches) return;
	for (const element of listOf(orderBy)) {
		if (!isPlainObject(element)) continue;
		for (const [key, order] of Object.entries(element)) checkOrder(plan, key, order);
	}
}
function checkOrder(plan, key, order) {
	if (isAbsent(order)) return;
	const member = plan.members.get(key);
	if (member?.kind === "encrypted") throw refused(member.field.name, "orderBy");
	if (member?.kind === "relation") checkOrderBy(member.relation.model, order);
	else if (key === "_relevance" && isPlainObject(order)) checkNames(plan, order.fields, "orderBy");
	else if (AGGREGATES.has(key)) checkNames(plan, Object.keys(order), "orderBy");
}
/**
* Rewrites the row to page from, which may be named by an encrypted field whose blind index is unique.
*
* @throws FieldsealError `QUERY_UNSUPPORTED` when it is named by another encrypted field
*/
function rewriteCursor(pass, plan, cursor, owner) {
	if (!isPlainObject(cursor)) return;
	const together = plan.combined.filter(({ unique }) => unique).flatMap(({ sources }) => sources);
	for (const key of Object.keys(cursor)) {
		const field = isAbsent(cursor[key]) ? void 0 : encryptedField(plan, key);
		if (field && !uniqueIndexOf(field)?.unique && !together.includes(field)) throw refused(field.name, "cursor");
	}
	rewriteUnique(pass, plan, cursor, owner);
}
/**
* Has an exact blind index tell rows apart in place of the encrypted field.
*
* @throws FieldsealError `QUERY_UNSUPPORTED` when the field has none
*/
function rewriteDistinct(plan, args) {
	if (plan.encrypted.length === 0 || isAbsent(args.distinct)) return;
	args.distinct = listOf(args.distinct).map((name) => {
		const field = encryptedField(plan, name);
		const index = field && indexOf$1(field);
		if (field && (!index || !isExact$1(index) || field.state)) throw refused(field.name, "distinct");
		return index?.field ?? name;
	});
}
/** @throws FieldsealError `QUERY_UNSUPPORTED` when one of the names is an encrypted field */
function checkNames(plan, names, use) {
	for (const name of listOf(names)) {
		const field = encryptedField(plan, name);
		if (field) throw refused(field.name, use);
	}
}
function encryptedField(plan, name) {
	const member = typeof name === "string" ? plan.members.get(name) : void 0;
	return member?.kind === "encrypted" ? member.field : void 0;
}
//#endregion
//#region src/prisma/aggregates.ts
/** @throws FieldsealError `QUERY_UNSUPPORTED` when ciphertexts would be aggregated or grouped; `_count` is right */
function checkAggregates(plan, args) {
	if (plan.encrypted.length === 0) return;
	for (const aggregate of VALUE_AGGREGATES) {
		const fields = args[aggregate];
		if (isPlainObject(fields)) checkNames(plan, wantedIn(fields), aggregate);
	}
	checkNames(plan, args.by, "groupBy");
	checkHaving(plan, args.having);
}
function wantedIn(fields) {
	return Object.keys(fields).filter((name) => fields[name] === true);
}
function checkHaving(plan, having) {
	for (const element of listOf(having)) {
		if (!isPlainObject(element)) continue;
		for (const [key, condition] of Object.entries(element)) {
			if (isAbsent(condition)) continue;
			checkNames(plan, key, "having");
			if (COMBINATORS.has(key)) checkHaving(plan, condition);
			else checkReferences(plan, condition);
		}
	}
}
//#endregion
//#region src/prisma/operations.ts
/** Every operation of a Prisma 7 model delegate on SQL databases. */
const OPERATIONS$1 = {
	findUnique: {
		unique: true,
		rows: true
	},
	findUniqueOrThrow: {
		unique: true,
		rows: true
	},
	findFirst: { rows: true },
	findFirstOrThrow: { rows: true },
	findMany: {
		rows: true,
		many: true
	},
	create: {
		data: { data: "create" },
		rows: true
	},
	createMany: { data: { data: "createMany" } },
	createManyAndReturn: {
		data: { data: "createMany" },
		rows: true
	},
	update: {
		data: { data: "update" },
		unique: true,
		rows: true,
		changesRows: true
	},
	updateMany: { data: { data: "updateMany" } },
	updateManyAndReturn: {
		data: { data: "updateMany" },
		rows: true,
		changesRows: true
	},
	upsert: {
		data: {
			create: "create",
			update: "update"
		},
		unique: true,
		rows: true,
		changesRows: true
	},
	delete: {
		unique: true,
		rows: true,
		changesRows: true
	},
	deleteMany: {},
	count: { aggregates: true },
	aggregate: { aggregates: true },
	groupBy: { aggregates: true }
};
//#endregion
//#region src/prisma/query.ts
/**
* Rewrites everything in a query's arguments that is not data and not shape.
*
* @throws FieldsealError `QUERY_UNSUPPORTED`
*/
function rewriteQuery({ pass, plan, owner, unique, checks }, args) {
	if (unique) rewriteUnique(pass, plan, args.where, owner);
	else rewriteWhere(pass, plan, args.where, owner, checks);
	checkOrderBy(plan, args.orderBy);
	rewriteCursor(pass, plan, args.cursor, owner);
	rewriteDistinct(plan, args);
}
const PAGING = [
	"take",
	"skip",
	"cursor",
	"distinct"
];
/** Rows that were only found by mistake can be taken out of a list, unless the database counted them. */
function checksOf(args) {
	const paging = PAGING.find((name) => !isAbsent(args[name]));
	return paging === void 0 ? [] : `"${paging}"`;
}
//#endregion
//#region src/prisma/shape.ts
/**
* Reads `select`, `include` and `omit` of an operation, rewrites the filters in them, and adds what decryption and the
* checks of rows need to them.
*
* @returns `null` when no encrypted field can be reached from the model
* @throws FieldsealError `QUERY_UNSUPPORTED` for a nested filter or order on an encrypted field
*/
function readShape(query, args) {
	const { plan } = query;
	if (!plan.reaches) return null;
	const children = /* @__PURE__ */ new Map();
	collectChildren(query, args.include, children);
	collectChildren(query, args.select, children);
	const checks = typeof query.checks === "string" ? [] : query.checks;
	const checked = checkedFields(checks);
	const own = isPlainObject(args.select) ? ownSelected(plan, args.select, checked) : ownRead(plan, args, checked);
	const decrypts = own.fields.length > 0 || [...children.values()].some((child) => child.decrypts);
	const others = plan.reading.filter(({ field }) => !children.has(field));
	return {
		plan,
		decrypts,
		checks,
		...own,
		children,
		others
	};
}
/** The shape of rows that nobody asked for. */
function unaskedShape(plan) {
	return {
		plan,
		decrypts: true,
		added: [],
		checks: [],
		checked: [],
		computes: false,
		children: /* @__PURE__ */ new Map(),
		others: plan.reading
	};
}
const NONE = [];
function checkedFields(checks) {
	if (checks.length === 0) return NONE;
	return [...new Set(checks.flatMap(({ index }) => index.sources))];
}
/**
* A name that is no column, relation or count is a computed field of a result extension: it may need any column,
* which Prisma then adds behind the extension's back.
*/
function ownSelected(plan, select, needed) {
	const checked = needed.map(({ field }) => field).filter((field) => !isWanted(select[field]));
	for (const field of checked) select[field] = true;
	const computes = Object.keys(select).some((key) => isWanted(select[key]) && isComputed(plan, key));
	const fields = computes ? plan.encrypted : plan.encrypted.filter(({ field }) => isWanted(select[field]));
	const added = boundColumns(fields).filter((column) => !isWanted(select[column]));
	for (const column of added) select[column] = true;
	return {
		fields,
		added,
		checked,
		computes
	};
}
function isComputed(plan, key) {
	return key !== "_count" && !Object.hasOwn(plan.columns, key) && !plan.relations.has(key);
}
/** Without `select`, computed fields are always there, and bring back the omitted columns that they need. */
function ownRead(plan, args, needed) {
	if (args.omit === void 0 && plan.omitted.size === 0) return {
		fields: plan.encrypted,
		added: NONE,
		checked: NONE,
		computes: true
	};
	const checked = needed.map(({ field }) => field).filter((field) => isOmitted(plan, args.omit, field));
	const fields = plan.encrypted.filter(({ field }) => checked.includes(field) || !isOmitted(plan, args.omit, field));
	const added = boundColumns(plan.encrypted).filter((column) => isOmitted(plan, args.omit, column));
	const back = [...added, ...checked].map((column) => [column, false]);
	if (back.length > 0) args.omit = {
		...args.omit,
		...Object.fromEntries(back)
	};
	return {
		fields,
		added,
		checked,
		computes: true
	};
}
function boundColumns(fields) {
	return [...new Set(fields.flatMap(({ bind }) => bind))];
}
function isOmitted(plan, omit, field) {
	const own = isPlainObject(omit) ? omit[field] : void 0;
	return typeof own === "boolean" ? own : plan.omitted.has(field);
}
function collectChildren(query, selection, children) {
	if (!isPlainObject(selection)) return;
	for (const [key, value] of Object.entries(selection)) {
		if (key === "_count") rewriteCounts(query, value);
		const member = query.plan.members.get(key);
		if (member?.kind !== "relation" || !isWanted(value)) continue;
		const { model, list } = member.relation;
		const args = isPlainObject(value) ? value : {};
		const checks = list ? checksOf(args) : "a relation to one row";
		const inner = {
			...query,
			plan: model,
			unique: false,
			checks
		};
		rewriteQuery(inner, args);
		const child = readShape(inner, args);
		if (child) children.set(key, child);
		if (args.omit) selection[key] = args;
	}
}
/** `_count: { select: { posts: { where } } }` */
function rewriteCounts({ pass, plan, owner }, count) {
	const relations = isPlainObject(count) ? count.select : void 0;
	if (!isPlainObject(relations)) return;
	for (const [key, value] of Object.entries(relations)) {
		const member = plan.members.get(key);
		if (member?.kind === "relation" && isPlainObject(value)) rewriteWhere(pass, member.relation.model, value.where, owner, "\"_count\"");
	}
}
function isWanted(value) {
	return value === true || isPlainObject(value);
}
//#endregion
//#region src/prisma/storedField.ts
/**
* Collects a field as its column holds it. NULL and a list that was never written stay what they are, and so does
* plaintext where the field's state allows it, as a value of its type.
*
* @returns whether it is a value by now, and has no slot
* @throws FieldsealError `CIPHERTEXT_INVALID`
*/
function collectStored(slots, { field, owner, holder, key, bound }) {
	const stored = holder[key];
	if (stored === null || stored === void 0 || field.list && isEmpty(stored)) return false;
	if (field.state && isPlaintext(field, stored)) {
		holder[key] = plainValue(field, stored);
		return true;
	}
	if (field.list) holder[key] = onlyElement(field, stored);
	slots.push({
		mode: "decrypt",
		field,
		owner,
		holder,
		key,
		bound: bound()
	});
	return false;
}
function isEmpty(stored) {
	return Array.isArray(stored) && stored.length === 0;
}
function plainValue(field, stored) {
	const value = parseTextForm(field, stored);
	if (value !== void 0) return value;
	throw fieldError("CIPHERTEXT_INVALID", field, `holds plaintext that is no value of ${field.kind === "Enum" ? "its enum" : field.kind}; correct it in the database`);
}
function onlyElement(field, stored) {
	if (Array.isArray(stored) && stored.length === 1) return stored[0];
	throw fieldError("CIPHERTEXT_INVALID", field, "holds a list that is not one ciphertext of this library");
}
//#endregion
//#region src/prisma/rows.ts
/** Its constructor gives back what it was given, so that a class over it puts its private field on that. */
const Given = function given(row) {
	return row;
};
/**
* The mark of rows that hold plaintext. An extension under this one may answer with rows that the encrypted client gave
* it, and those come by a second time. Nothing but this class can see a private field, copies of a row have it not, and
* unlike an entry in a WeakSet it costs the garbage collector nothing.
*/
var Decrypted = class Decrypted extends Given {
	#decrypted = true;
	static has(row) {
		return #decrypted in row;
	}
	static mark(row) {
		if (!Decrypted.has(row)) new Decrypted(row);
	}
};
/** Collects the encrypted fields of a result, and takes out of its rows what was only added to decrypt them. */
function collectRows(slots, shape, result, owner) {
	if (Array.isArray(result)) for (const row of result) collectRows(slots, shape, row, owner);
	else if (typeof result === "object" && result !== null) collectRow(slots, shape, result, owner);
}
function collectRow(slots, shape, row, owner) {
	const { plan, children, others } = shape;
	if (!Decrypted.has(row)) collectFields(slots, plan, row, owner);
	takeOut(shape, row);
	for (const [relation, child] of children) collectRows(slots, child, row[relation], owner);
	for (const { field, model } of others) if (row[field] !== void 0) collectRows(slots, unaskedShape(model), row[field], owner);
}
function collectFields(slots, plan, row, owner) {
	for (const field of plan.encrypted) {
		const bound = () => boundTexts$1(plan, field, row, "the row came without it");
		if (collectStored(slots, {
			field,
			owner,
			holder: row,
			key: field.field,
			bound
		})) Decrypted.mark(row);
	}
}
/** Prisma makes computed fields later, and only where the columns that they need are own properties of the row. */
function takeOut({ added, computes }, row) {
	for (const column of added) if (!computes) delete row[column];
	else Object.defineProperty(row, column, {
		value: row[column],
		enumerable: false,
		configurable: false
	});
}
/**
* Takes the rows out of a decrypted result that an index of few bits found by mistake, and out of the others what was
* only added to tell.
*/
function removeFalsePositives(shape, result) {
	if (Array.isArray(result)) {
		const kept = result.filter((row) => !isRow(row) || passes(shape.checks, row));
		if (kept.length < result.length) result.splice(0, result.length, ...kept);
		for (const row of kept) removeInRow(shape, row);
	} else removeInRow(shape, result);
}
function removeInRow(shape, row) {
	if (!isRow(row)) return;
	takeOut({
		...shape,
		added: shape.checked
	}, row);
	for (const [relation, child] of shape.children) removeFalsePositives(child, row[relation]);
}
function isRow(value) {
	return typeof value === "object" && value !== null;
}
/** Whether anything in a result must be held against the filter again. */
function hasChecks({ checks, children }) {
	return checks.length > 0 || children.size > 0 && [...children.values()].some(hasChecks);
}
/** Remembers the rows whose slots are done. */
function markDecrypted(slots) {
	let last;
	for (const { holder } of slots) {
		if (holder !== last) Decrypted.mark(holder);
		last = holder;
	}
}
/**
* The part of a shape that a fluent call returns: `findUnique().posts()` runs as `select: { posts }` and hands over
* the posts alone.
*
* @param path as Prisma keeps it: `['select', 'posts', 'select', 'author']`
*/
function shapeAt(shape, path) {
	return path.filter((_, position) => position % 2 === 1).reduce((at, name) => at?.children.get(name) ?? null, shape);
}
//#endregion
//#region src/prisma/tenancy.ts
/**
* Whose data one operation touches, by the first that answers: bound client, `withTenant`, the `tenant` option, the
* `@tenant` column in the data, `defaultTenant`. Those before the default must agree.
*/
var OperationTenancy = class {
	/** For all records of the operation; with `$acrossTenants` for its reads only. */
	owner = {};
	#across;
	#defaultTenant;
	constructor(binding, { tenant, defaultTenant }) {
		this.#across = binding === require_duration.ANY_TENANT;
		this.#defaultTenant = defaultTenant;
		if (binding === require_duration.ANY_TENANT) this.owner.tenant = require_duration.ANY_TENANT;
		else for (const answer of [
			binding,
			require_tenant.ambientTenant(),
			tenant?.()
		]) this.#claim(answer ?? void 0, "this operation");
	}
	/**
	* The owner of a record that is written, given the owner of the record around it.
	*
	* @param known what the data says of the record's columns
	* @param fixed what its `where` says of them: it must agree, and with `$acrossTenants` it tells the tenant too
	* @throws FieldsealError `TENANT_MISMATCH`, `TENANT_INVALID`
	*/
	ownerOf(plan, known, parent, fixed = {}) {
		if (plan.tenant === void 0) return parent;
		const column = `${plan.name}.${plan.tenant}`;
		const written = setValue(known[plan.tenant]);
		const stored = fixed[plan.tenant];
		if (!this.#across) {
			if (!isAbsent(written)) this.#claim(written, column);
			checkSame(this.owner.tenant ?? this.#defaultTenant, stored, column);
			return isAbsent(written) ? parent : this.owner;
		}
		const named = isAbsent(written) ? stored : written;
		if (isAbsent(named)) return parent;
		require_tenant.checkTenant(named);
		checkSame(named, stored, column);
		return { tenant: named };
	}
	/** Where writes at the top level begin: with `$acrossTenants` nobody owns them until the data says so. */
	writeOwner() {
		return this.#across ? {} : this.owner;
	}
	/**
	* Settles who owns what is about to be transformed.
	*
	* @throws FieldsealError `TENANT_MISSING`
	*/
	settle(owner, field) {
		if (owner.tenant !== void 0) return;
		if (this.#defaultTenant !== void 0 && !this.#across) owner.tenant = this.#defaultTenant;
		else throw missing(field, this.#across);
	}
	#claim(tenant, source) {
		if (tenant === void 0) return;
		require_tenant.checkTenant(tenant);
		if (this.owner.tenant !== void 0 && this.owner.tenant !== tenant) throw new require_errors.FieldsealError("TENANT_MISMATCH", `${source} names tenant ${require_errors.quoted(tenant)}, but the operation runs for ${require_errors.quoted(this.owner.tenant)}`);
		this.owner.tenant = tenant;
	}
};
/** A row keeps its tenant: its other ciphertexts would stay behind. */
function checkSame(tenant, stored, column) {
	if (tenant === void 0 || typeof stored !== "string" || stored === tenant) return;
	throw new require_errors.FieldsealError("TENANT_MISMATCH", `the where names rows of tenant ${require_errors.quoted(stored)} by ${column}, but the operation runs for ${require_errors.quoted(tenant)}`);
}
function setValue(value) {
	return isPlainObject(value) && "set" in value ? value.set : value;
}
function missing(field, across) {
	return new require_errors.FieldsealError("TENANT_MISSING", `${field} is encrypted and nothing says for which tenant: ${across ? "with $acrossTenants() a write must carry the @tenant column, in its data or in its unique where, and a filter by value the @tenant column beside it" : "use prisma.$forTenant(id), run it inside withTenant(id, fn), or set the tenant or defaultTenant option"}`);
}
//#endregion
//#region src/prisma/watch.ts
/** Has `done`, the transformation of `slots`, told to whoever watches. Nobody: nothing is added. */
function watchSlots(watch, operation, { slots, done }) {
	if (!watch || slots.length === 0) return done;
	if (done) return done.then(() => report(watch, operation, slots));
	report(watch, operation, slots);
}
/** Has a refusal of `work` told to whoever watches. */
function watchRefusal(watch, call, work) {
	const emit = watch?.emit;
	if (!emit) return work();
	const refused = (error) => {
		if (require_errors.FieldsealError.is(error)) emit({
			type: "refused",
			model: call.model,
			operation: call.operation,
			code: error.code
		});
		throw error;
	};
	try {
		return work().catch(refused);
	} catch (error) {
		return refused(error);
	}
}
function report({ emit, audit }, operation, slots) {
	const at = /* @__PURE__ */ new Date();
	const actor = audit?.actor?.();
	for (const { slot, count } of tallies(slots)) {
		const { mode, owner } = slot;
		const field = slot.field.name;
		const tenant = typeof owner.tenant === "string" ? owner.tenant : null;
		audit?.record({
			at,
			tenant,
			actor,
			operation,
			field,
			mode,
			rows: count
		});
		emit?.({
			type: "values",
			field,
			mode,
			count
		});
	}
}
/** By tenant, field and mode. */
function tallies(slots) {
	const all = /* @__PURE__ */ new Map();
	for (const slot of slots) {
		const name = JSON.stringify([
			slot.owner.tenant,
			slot.field.name,
			slot.mode
		]);
		const tally = all.get(name);
		if (tally) tally.count += 1;
		else all.set(name, {
			slot,
			count: 1
		});
	}
	return all.values();
}
//#endregion
//#region src/prisma/within.ts
/** Waits for `promise`, but no longer than `milliseconds`; then rejects with what `late` makes. */
function within(promise, milliseconds, late) {
	let timer;
	const deadline = new Promise((_, reject) => {
		timer = setTimeout(() => reject(late()), milliseconds);
	});
	return Promise.race([promise, deadline]).finally(() => clearTimeout(timer));
}
//#endregion
//#region src/prisma/frozen.ts
/**
* A bound column, or one that a bound foreign key follows, must keep its value.
*
* @throws FieldsealError `QUERY_UNSUPPORTED`
*/
function checkFrozen(plan, data, fixed) {
	for (const column of plan.frozen) {
		const value = partOf(data[column], "set") ?? data[column];
		if (isAbsent(value) || sameBound(plan, column, value, fixed[column])) continue;
		throw new require_errors.FieldsealError("QUERY_UNSUPPORTED", `${plan.name}.${column} is what ciphertexts are bound to, so it cannot change: create a new row instead`);
	}
}
function sharedBound({ name, bind }) {
	return new require_errors.FieldsealError("QUERY_UNSUPPORTED", `${name} is bound to ${bind.join(", ")}, so rows cannot share one value: update them one by one`);
}
function frozenLink({ name }, operation) {
	return new require_errors.FieldsealError("QUERY_UNSUPPORTED", `${name}: "${operation}" would change a column that ciphertexts are bound to: create a new row instead`);
}
//#endregion
//#region src/prisma/links.ts
/** The data's own values, and the tenant and bound columns that its links give. */
function withLinks(plan, data) {
	const links = plan.links.filter(({ field }) => isPlainObject(data[field]));
	if (links.length === 0) return data;
	const linked = links.flatMap((relation) => {
		const row = linkedRow(relation, data[relation.field]);
		return relation.from.map((column, position) => [column, row[relation.to[position]]]);
	});
	const written = Object.entries(data).filter(([, value]) => !isAbsent(value));
	return Object.fromEntries([...linked, ...written]);
}
/** What is known of the row that a new link leads to. */
function linkedRow({ model }, link) {
	if (isPlainObject(link.connect)) return fixedBy(model, link.connect);
	if (isPlainObject(link.connectOrCreate)) return eitherWay(model, link.connectOrCreate);
	return isPlainObject(link.create) ? link.create : {};
}
/** What the row has, whether it was there or is created. */
function eitherWay(model, { where, create }) {
	const created = isPlainObject(create) ? create : {};
	return Object.fromEntries(Object.entries(fixedBy(model, where)).filter(([column, value]) => created[column] === value));
}
//#endregion
//#region src/prisma/writtenField.ts
/** Collects one encrypted field of a record and its blind indexes. NULL stays NULL and clears the indexes. */
function collectField(slots, record, field) {
	refuseChange(record, field);
	if (field.list) unwrapSet(record, field);
	const { holder, key } = place(record, field);
	if (isAbsent(holder[key])) return;
	for (const index of field.indexes) collectIndex(slots, record, index, field);
	if (isDbNull(holder[key])) {
		if (field.column !== "Json") holder[key] = null;
		return;
	}
	if (field.state === "ejecting") {
		holder[key] = checkedValue(field, () => textForm(field, jsonValue(field, holder[key])));
		return;
	}
	holder[key] = jsonValue(field, holder[key]);
	slots.push({
		mode: "encrypt",
		field,
		owner: record.owner,
		holder,
		key,
		bound: record.bound(field)
	});
}
/** `{ set: list }` says the same as the list, and Prisma misreads bytes inside it. */
function unwrapSet({ data }, { field }) {
	const value = data[field];
	if (isPlainObject(value) && !isAbsent(value.set)) data[field] = value.set;
}
/** JSON null as the value that it is. */
function jsonValue({ kind }, value) {
	return kind === "Json" && nullKind(value) === "JsonNull" ? null : value;
}
/** Fills the blind index of the record, once for all of its sources: by the first one that is written. */
function collectIndex(slots, record, index, field) {
	const { data, owner, context } = record;
	const values = index.sources.map((source) => valueIn$1(record, source));
	if (index.sources[values.findIndex((value) => !isAbsent(value))] !== field) return;
	const isCleared = values.some(isDbNull) || index.sources.some(({ state }) => state === "ejecting");
	const isPartial = values.some(isAbsent);
	if (isPartial && !isCleared && context === "update") throw partial(index, values);
	if (isCleared || isPartial) data[index.field] = null;
	else slots.push({
		mode: "index",
		field,
		owner,
		holder: data,
		key: index.field,
		index,
		values
	});
}
function valueIn$1(record, source) {
	const { holder, key } = place(record, source);
	return holder[key];
}
/** Updates may wrap a value in `{ set }`; in a Json field that would be the value itself. */
function place({ data, context }, { field, kind }) {
	const value = data[field];
	return context === "update" && kind !== "Json" && isPlainObject(value) && "set" in value ? {
		holder: value,
		key: "set"
	} : {
		holder: data,
		key: field
	};
}
const CHANGES = [
	"push",
	"increment",
	"decrement",
	"multiply",
	"divide"
];
/** Refuses what the database would compute from the value that is there. */
function refuseChange({ data }, { field, name, kind, list }) {
	const value = data[field];
	if (!isPlainObject(value) || kind === "Json" && !list) return;
	const change = CHANGES.find((operation) => !isAbsent(value[operation]));
	if (change === void 0) return;
	throw new require_errors.FieldsealError("QUERY_UNSUPPORTED", `${name} is encrypted, so the database cannot "${change}"; ${list ? "read the list, add to it, and write all of it with \"set\"" : "read the value, compute, and write"}`);
}
function partial({ name, sources }, values) {
	const missing = sources.filter((_, i) => isAbsent(values[i])).map(({ field }) => field);
	return new require_errors.FieldsealError("QUERY_UNSUPPORTED", `${name} is a blind index over ${sources.map(({ field }) => field).join(" and ")}: this update must give ${missing.join(" and ")} too`);
}
//#endregion
//#region src/prisma/writes.ts
/** Collects what a new record, and all nested in it, encrypts. */
function collectCreate(pass, plan, data, parent, given = {}) {
	if (!isPlainObject(data)) return;
	if (plan.encrypted.some(({ field, bind }) => bind.length > 0 && writes(data[field]))) fillBoundDefaults(plan, data);
	const known = {
		...withLinks(plan, data),
		...given
	};
	collectMembers(pass, plan, {
		data,
		known,
		context: "create",
		owner: pass.tenancy.ownerOf(plan, known, parent),
		bound: (field) => boundTexts$1(plan, field, known, "give it in the data of this create, or in the data of the record around it that has it")
	});
}
/** Collects what new records, one or many, encrypt. */
function collectCreates(pass, plan, data, parent, given = {}) {
	for (const record of listOf(data)) collectCreate(pass, plan, record, parent, given);
}
/** Collects what the update of the one row that `where` names encrypts. */
function collectUpdate(pass, plan, row, parent, given = {}) {
	const { where, data } = row;
	if (!isPlainObject(data)) return;
	const fixed = {
		...given,
		...fixedBy(plan, where)
	};
	checkFrozen(plan, data, fixed);
	collectMembers(pass, plan, {
		data,
		known: fixed,
		context: "update",
		owner: pass.tenancy.ownerOf(plan, withLinks(plan, data), parent, fixed),
		bound: (field) => boundTexts$1(plan, field, fixed, "name it in the unique where of this update")
	});
}
/** Collects what the update of any number of rows encrypts. */
function collectUpdateMany(pass, plan, rows, parent) {
	const { where, data } = rows;
	if (!isPlainObject(data)) return;
	const fixed = fixedBy(plan, where);
	checkFrozen(plan, data, {});
	collectMembers(pass, plan, {
		data,
		known: fixed,
		context: "update",
		owner: pass.tenancy.ownerOf(plan, data, parent, fixed),
		bound: (field) => {
			if (field.bind.length > 0) throw sharedBound(field);
			return field.bind;
		}
	});
}
function collectMembers(pass, plan, record) {
	const { data } = record;
	for (const key of Object.keys(data).filter((name) => !isAbsent(data[name]))) {
		const member = plan.members.get(key);
		if (member?.kind === "encrypted") collectField(pass.slots, record, member.field);
		else if (member?.kind === "relation") collectNested(pass, member.relation, record, data[key]);
		else if (member?.kind === "index") throw indexWritten(plan, key, member.index.sources.map(({ field }) => field));
	}
}
const NESTED = {
	create: (pass, { model }, value, { owner, given }) => collectCreates(pass, model, value, owner, given),
	createMany: (pass, { model }, value, { owner, given }) => collectCreates(pass, model, partOf(value, "data"), owner, given),
	connectOrCreate: forEach((pass, { model }, { where, create }, { owner, given }) => {
		rewriteUnique(pass, model, where, owner);
		collectCreate(pass, model, create, owner, given);
	}),
	upsert: forEach((pass, relation, { where, create, update }, { owner, given }) => {
		const { model } = relation;
		rewriteRow(pass, relation, where, owner);
		collectCreate(pass, model, create, owner, given);
		collectUpdate(pass, model, {
			where,
			data: update
		}, owner, given);
	}),
	update: forEach((pass, relation, value, { owner, given }) => {
		const { where, data } = rowUpdate(relation, value);
		rewriteRow(pass, relation, where, owner);
		collectUpdate(pass, relation.model, {
			where,
			data
		}, owner, given);
	}),
	updateMany: forEach((pass, { model }, { where, data }, { owner }) => {
		rewriteWhere(pass, model, where, owner, "a nested updateMany");
		collectUpdateMany(pass, model, {
			where,
			data
		}, owner);
	}),
	connect: (pass, { model }, value, { owner }) => rewriteUnique(pass, model, value, owner),
	disconnect: (pass, relation, value, { owner }) => rewriteRow(pass, relation, value, owner),
	set: (pass, { model }, value, { owner }) => rewriteUnique(pass, model, value, owner),
	delete: (pass, relation, value, { owner }) => rewriteRow(pass, relation, value, owner),
	deleteMany: (pass, { model }, value, { owner }) => rewriteWhere(pass, model, value, owner, "a nested deleteMany")
};
/** A row of a list is named by a unique `where`; the one at the other end of a to-one relation is only filtered. */
function rewriteRow(pass, { list, model }, where, owner) {
	if (list) rewriteUnique(pass, model, where, owner);
	else rewriteWhere(pass, model, where, owner, "a nested write");
}
/** These move a row from one parent to another. */
const LINKING = new Set([
	"connect",
	"connectOrCreate",
	"disconnect",
	"set"
]);
function collectNested(pass, relation, record, value) {
	if (!isPlainObject(value)) return;
	const { context } = record;
	const around = aroundOf(pass, relation, record);
	const ownLink = context === "create" && relation.from.length > 0;
	for (const [operation, part] of Object.entries(value)) {
		if (isAbsent(part)) continue;
		if (LINKING.has(operation) && relation.changesBound && !ownLink) throw frozenLink(relation, operation);
		const collect = NESTED[operation];
		if (!collect) throw new require_errors.FieldsealError("QUERY_UNSUPPORTED", `${relation.name}: the nested write "${operation}" is unknown`);
		collect(pass, relation, part, around);
	}
}
/** Records nested in the row that their tenant column refers to are of the tenant that it names. */
function aroundOf({ tenancy }, { model, given }, { owner, known }) {
	if (given.length === 0) return {
		owner,
		given: {}
	};
	const columns = given.filter(({ own }) => !isAbsent(known[own]));
	const values = Object.fromEntries(columns.map(({ column, own }) => [column, known[own]]));
	return {
		owner: tenancy.ownerOf(model, values, owner),
		given: values
	};
}
function forEach(collect) {
	return (pass, relation, value, around) => {
		for (const part of listOf(value)) if (isPlainObject(part)) collect(pass, relation, part, around);
	};
}
/** A to-one `update` takes the data itself, or `{ where, data }`. */
function rowUpdate({ list, model, name }, value) {
	const hasColumn = Object.hasOwn(model.columns, "data");
	const others = Object.keys(value).some((key) => key !== "data" && key !== "where");
	if (list || "data" in value && !hasColumn) return {
		where: value.where,
		data: value.data
	};
	if (!hasColumn || others || !isPlainObject(value.data)) return {
		where: void 0,
		data: value
	};
	throw new require_errors.FieldsealError("QUERY_UNSUPPORTED", `${name}: "update" could mean the field ${model.name}.data or the wrapper { where, data }; update ${model.name} itself`);
}
function writes(value) {
	return !isAbsent(value) && !isDbNull(value);
}
function indexWritten({ name }, column, sources) {
	return new require_errors.FieldsealError("QUERY_UNSUPPORTED", `${name}.${column} is a blind index, which fieldseal fills: write ${sources.join(" and ")} and leave it out`);
}
//#endregion
//#region src/prisma/operation.ts
/** Runs one operation: encrypts its arguments, passes it on, decrypts its result. */
function runOperation(context, call) {
	const plan = context.plans.get(call.model);
	const roles = OPERATIONS$1[call.operation];
	if (!roles) throw new require_errors.FieldsealError("QUERY_UNSUPPORTED", `${call.model}.${call.operation} is not known to fieldseal`);
	const args = call.args ?? {};
	const tenancy = new OperationTenancy(context.bindings.current(), context.tenancy);
	const { slots, shape } = collectArgs({
		plan,
		tenancy,
		roles,
		call
	}, args);
	for (const { owner, field } of slots) tenancy.settle(owner, field.name);
	if (shape?.decrypts) tenancy.settle(tenancy.owner, shape.plan.name);
	const encrypted = resolve(context, call, slots);
	if (shape) return readRows(context, call, {
		args,
		shape,
		tenancy,
		encrypted,
		commits: commits(roles, call)
	});
	return encrypted ? encrypted.then(() => call.query(args)) : call.query(args);
}
/** Whether something is committed by the time the result is decrypted: a failure then would look like none was. */
function commits({ changesRows }, { __internalParams }) {
	return changesRows === true || __internalParams?.transaction?.kind === "batch";
}
/** Rewrites every argument that only reads, and collects what the others write. */
function collectArgs({ plan, tenancy, roles, call }, args) {
	const pass = {
		slots: [],
		tenancy
	};
	const checks = roles.many ? checksOf(args) : call.operation;
	const query = {
		pass,
		plan,
		owner: tenancy.writeOwner(),
		unique: roles.unique,
		checks
	};
	rewriteQuery(query, args);
	if (roles.aggregates) checkAggregates(plan, args);
	const shape = roles.rows ? shapeAt(readShape(query, args), call.__internalParams?.dataPath ?? []) : null;
	collectData(pass, plan, roles, args);
	return {
		slots: pass.slots,
		shape
	};
}
function collectData(pass, plan, roles, args) {
	const { tenancy } = pass;
	const { where } = args;
	for (const [name, role] of Object.entries(roles.data ?? {})) {
		const data = args[name];
		if (role === "create") collectCreate(pass, plan, data, tenancy.writeOwner());
		else if (role === "createMany") collectCreates(pass, plan, data, tenancy.writeOwner());
		else if (role === "update") collectUpdate(pass, plan, {
			where,
			data
		}, tenancy.writeOwner());
		else collectUpdateMany(pass, plan, {
			where,
			data
		}, tenancy.writeOwner());
	}
}
async function readRows(context, call, read) {
	if (read.encrypted) await read.encrypted;
	if (read.commits && read.shape.decrypts) await openKey(context, call, read);
	const result = await call.query(read.args);
	const slots = [];
	collectRows(slots, read.shape, result, read.tenancy.owner);
	if (slots.length > 0) read.tenancy.settle(read.tenancy.owner, read.shape.plan.name);
	const decrypted = resolve(context, call, slots);
	if (decrypted) await decrypted;
	markDecrypted(slots);
	if (hasChecks(read.shape)) removeFalsePositives(read.shape, result);
	return result;
}
/** Sees before the SQL that rows can be decrypted after it, as far as the active DEK tells. */
async function openKey(context, call, { tenancy, shape }) {
	const { tenant } = tenancy.owner;
	if (typeof tenant !== "string" || context.ring.cachedActive(tenant, "encrypt")) return;
	await inTime(context, call, named(shape.plan.name, context.ring.open(tenant)));
}
function resolve(context, call, slots) {
	const done = transform(slots, context.ring, (keys) => inTime(context, call, keys));
	return watchSlots(context.watch, call.operation, {
		slots,
		done
	});
}
/** Inside an interactive transaction the keys table needs a second connection, which may never come free. */
function inTime(context, call, keys) {
	if (call.__internalParams?.transaction?.kind !== "itx") return keys;
	return within(keys, context.transactionWait, () => late(context, call));
}
function late({ keyStoreWaits, transactionWait }, { model, operation }) {
	const what = `the key of ${model}.${operation} is not in memory and could not be had within ${transactionWait} ms inside the interactive transaction`;
	return keyStoreWaits() ? new require_errors.FieldsealError("KEY_STORE_UNAVAILABLE", `${what}: the keys table needs a second connection. Give the pool more of them, or use the tenant once before the transaction`) : new require_errors.FieldsealError("KMS_UNAVAILABLE", `${what}: the KMS has not answered yet. Look at its status and the network`);
}
//#endregion
//#region src/prisma/options.ts
const KEY_DEFAULTS = {
	ttl: 3e5,
	max: 1e4,
	staleFor: 36e5,
	transactionWait: 2e3,
	...require_duration.ROTATION_DEFAULTS
};
const COUNTS = new Set(["max", "maxMessages"]);
const KNOWN = new Set([
	"schema",
	"kms",
	"tenant",
	"defaultTenant",
	"normalizers",
	"keys",
	"onEvent",
	"telemetry",
	"audit"
]);
/** @throws FieldsealError `OPTIONS_INVALID` or `TENANT_INVALID`, naming the option or the environment variable */
function checkOptions$1(options) {
	if (typeof options !== "object" || options === null) throw invalid$1("takes an object with schema and kms");
	checkKnown(options, KNOWN, "");
	require_duration.currentEngine();
	const { schema, kms, tenant, defaultTenant, normalizers = {}, keys = {} } = options;
	if (schema?.format !== 2) throw invalid$1("\"schema\" must be the encryptionSchema that `prisma generate` writes; run it again");
	if (typeof kms !== "function" && (typeof kms?.generate !== "function" || typeof kms.unwrap !== "function")) throw invalid$1("\"kms\" must be a Kms: tencentKms({ client, keyId }) or localKms({ … })");
	if (tenant !== void 0 && typeof tenant !== "function") throw invalid$1("\"tenant\" must be a function; for one fixed tenant use \"defaultTenant\"");
	if (defaultTenant !== void 0) require_tenant.checkTenant(defaultTenant);
	checkNormalizers(schema, normalizers);
	keySettings(keys);
	checkWatchers(options);
}
function checkWatchers({ onEvent, telemetry, audit }) {
	if (onEvent !== void 0 && typeof onEvent !== "function") throw invalid$1("\"onEvent\" must be a function");
	if (telemetry !== void 0 && typeof telemetry?.onEvent !== "function") throw invalid$1("\"telemetry\" must be what openTelemetry() of fieldseal/opentelemetry gives");
	if (audit === void 0) return;
	checkKnown(audit, new Set(["actor", "record"]), "audit.");
	if (typeof audit.record !== "function") throw invalid$1("\"audit.record\" must be a function");
	if (audit.actor !== void 0 && typeof audit.actor !== "function") throw invalid$1("\"audit.actor\" must be a function");
}
/**
* The key options with their defaults, times in milliseconds.
*
* @throws FieldsealError `OPTIONS_INVALID`
*/
function keySettings(keys = {}) {
	checkKnown(keys, new Set([...Object.keys(KEY_DEFAULTS), "notify"]), "keys.");
	if (keys.notify !== void 0 && typeof keys.notify !== "function") throw invalid$1("\"keys.notify\" must be a function that makes a client of the package pg");
	const settings = Object.fromEntries(Object.keys(KEY_DEFAULTS).map((name) => [name, setting(name, keys[name])]));
	if ((settings.maxMessages ?? 0) > require_duration.MOST_MESSAGES) throw invalid$1("\"keys.maxMessages\" must be at most 2 ** 32");
	return settings;
}
function setting(name, given) {
	if (given === void 0) return KEY_DEFAULTS[name];
	const value = COUNTS.has(name) ? given : require_duration.milliseconds(given);
	const least = name === "staleFor" ? 0 : 1;
	if (Number.isSafeInteger(value) && value >= least) return value;
	const what = COUNTS.has(name) ? "" : "; a time may be a text such as '90d'";
	throw invalid$1(`"keys.${name}" must be a whole number ${least === 0 ? "from" : "above"} 0${what}`);
}
function checkKnown(options, known, path) {
	const unknown = Object.keys(options).find((name) => !known.has(name));
	if (unknown) throw invalid$1(`does not know the option "${path}${unknown}"; it knows ${[...known].join(", ")}`);
}
function invalid$1(what) {
	return new require_errors.FieldsealError("OPTIONS_INVALID", `fieldEncryption ${what}`);
}
//#endregion
//#region src/maintenance/model.ts
/**
* The part of a model that a run works on: the chosen fields and the indexes over them.
*
* @param chosen names of encrypted fields; all of them unless given
* @throws FieldsealError `OPTIONS_INVALID` for a name that is no encrypted field
*/
function selectFields(model, chosen) {
	if (chosen === void 0) return model;
	const known = model.fields.map(({ field }) => field);
	for (const name of chosen) {
		if (known.includes(name)) continue;
		throw new require_errors.FieldsealError("OPTIONS_INVALID", `${model.name}.${name} is not an encrypted field; ${model.name} has ${known.join(", ") || "none"}`);
	}
	const indexes = model.indexes.filter(({ sources }) => sources.some((source) => chosen.includes(source)));
	const needed = new Set([...chosen, ...indexes.flatMap(({ sources }) => sources)]);
	return {
		name: model.name,
		fields: model.fields.filter(({ field }) => chosen.includes(field)),
		readable: model.readable.filter(({ field }) => needed.has(field)),
		indexes
	};
}
//#endregion
//#region src/maintenance/exactJson.ts
/** Strings, so as to pass over what stands in them, and numbers. */
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
/** Numbers with fewer digits than these are exact in JavaScript. */
const LONG_NUMBER = /[\d.]{16}|\d[eE][+-]?\d{2}/;
/**
* Whether JavaScript can hold every number in a JSON text exactly, as far as decimal digits go: PostgreSQL holds longer
* ones, which reading and writing again would round.
*
* @param json valid JSON
*/
function hasExactNumbers(json) {
	if (!LONG_NUMBER.test(json)) return true;
	return (json.match(TOKEN) ?? []).every((token) => token.startsWith("\"") || significant(token) === significant(String(Number(token))));
}
/** A number as its significant digits and the power of ten of the first: 120, 1.20e2 and 0.12e3 are the same. */
function significant(number) {
	const [, whole = "", fraction = "", exponent = "0"] = /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(number) ?? [];
	const digits = (whole + fraction).replace(/^0+/, "");
	if (digits === "") return "0";
	const power = Number(exponent) + digits.length - fraction.length;
	return `${digits.replace(/0+$/, "")}e${power}`;
}
//#endregion
//#region src/maintenance/storedCell.ts
const QUOTED_PREFIX = `"${require_duration.PREFIX}`;
const HEX = "\\x";
/** Whether a cell holds what looks like a ciphertext. */
function isCiphertext(field, cell) {
	if (cell === null) return false;
	if (field.list) return !isPlaintext(field, listIn(field, cell));
	if (field.column === "Json") return cell.startsWith(QUOTED_PREFIX);
	return require_duration.headOf(cell) !== null;
}
/** Whether a cell holds plaintext. An empty list is no value. */
function isPlain(field, cell) {
	return cell !== null && !(field.list && cell === "[]") && !isCiphertext(field, cell);
}
/** Whether a cell only begins like a ciphertext, so that nothing can read it. */
function isTorn(field, cell) {
	if (!isCiphertext(field, cell)) return false;
	try {
		dekIdIn(field, cell);
		return false;
	} catch {
		return true;
	}
}
/** The ciphertext in a cell that `isCiphertext`. */
function ciphertextIn(field, cell) {
	if (!field.list) return field.column === "Json" ? JSON.parse(cell) : cell;
	const [only, ...others] = listIn(field, cell);
	if (require_duration.headOf(only) !== null && others.length === 0) return only;
	throw fieldError("CIPHERTEXT_INVALID", field, "holds a list that is not one ciphertext of this library");
}
/**
* The DEK that a ciphertext names.
*
* @throws FieldsealError `CIPHERTEXT_INVALID`
*/
function dekIdIn(field, cell) {
	const header = require_duration.headerOfHead(require_duration.headOf(ciphertextIn(field, cell)));
	if (header) return header.dekId;
	throw fieldError("CIPHERTEXT_INVALID", field, "begins like a ciphertext and is none: look at the row, and take the beginning off if it is plaintext");
}
/** @param made what the cipher puts into the field: a ciphertext, or a list of one */
function cellOfCiphertext(field, made) {
	if (field.list) return cellOfList(made);
	return field.column === "Json" ? JSON.stringify(made) : made;
}
/**
* The value that plaintext in a cell stands for.
*
* @throws FieldsealError `VALUE_INVALID` for what is no value of the field, or none that JavaScript can hold exactly
*/
function plaintextIn(field, cell) {
	if ((field.column === "Json" || field.kind === "Json") && !hasExactNumbers(cell)) throw fieldError("VALUE_INVALID", field, "holds a number in its JSON that JavaScript would round: make it a string");
	const value = parseTextForm(field, field.list ? listIn(field, cell) : field.column === "Json" ? JSON.parse(cell) : cell);
	if (value !== void 0) return value;
	throw fieldError("VALUE_INVALID", field, `holds plaintext that is no value of ${field.kind}: correct it in the database`);
}
/** @throws FieldsealError `VALUE_INVALID` for a value that would be taken for a ciphertext */
function cellOfPlaintext(field, value) {
	const form = checkedValue(field, () => textForm(field, value));
	if (field.list) return cellOfList(form);
	return field.column === "Json" ? JSON.stringify(form) : form;
}
/** Bytes stand in JSON as PostgreSQL writes them. */
function listIn({ column }, cell) {
	const elements = JSON.parse(cell);
	if (column !== "Bytes") return elements;
	return elements.map((hex) => new Uint8Array(Buffer.from(hex.slice(2), "hex")));
}
function cellOfList(elements) {
	const written = elements.map((element) => element instanceof Uint8Array ? HEX + Buffer.from(element).toString("hex") : element);
	return JSON.stringify(written);
}
//#endregion
//#region src/maintenance/operation.ts
const OPERATIONS = [
	"encrypt",
	"re-encrypt",
	"reindex",
	"decrypt",
	"verify"
];
const NOTHING = {
	seal: [],
	reveal: [],
	open: [],
	index: [],
	clear: []
};
const planners = {
	encrypt: (model, row) => {
		const seal = model.fields.filter((field) => isPlain(field, cellAt(row, field)));
		const names = new Set(seal.map(({ field }) => field));
		return {
			seal,
			index: model.indexes.filter((index) => index.sources.some((name) => names.has(name)) || lacks(row, index)),
			open: model.fields.filter((field) => isTorn(field, cellAt(row, field)))
		};
	},
	"re-encrypt": (model, row) => ({ seal: ciphertexts(model, row) }),
	reindex: (model, row) => ({ index: indexesOfCiphertexts(model, row) }),
	decrypt: (model, row) => ({
		reveal: ciphertexts(model, row),
		clear: model.indexes.filter((index) => cellAt(row, index) !== null)
	}),
	verify: (model, row) => ({
		open: ciphertexts(model, row),
		index: indexesOfCiphertexts(model, row)
	})
};
function planRow(operation, model, row) {
	return {
		...NOTHING,
		...planners[operation](model, row),
		row
	};
}
function cellAt(row, { field }) {
	return row.cells[field] ?? null;
}
function ciphertexts(model, row) {
	return model.fields.filter((field) => isCiphertext(field, cellAt(row, field)));
}
/** Plaintext is the business of `encrypt`, which fills its indexes too. */
function indexesOfCiphertexts(model, row) {
	const plain = model.readable.filter((field) => isPlain(field, cellAt(row, field)));
	return model.indexes.filter(({ sources }) => !plain.some(({ field }) => sources.includes(field)));
}
function lacks(row, index) {
	return cellAt(row, index) === null && index.sources.every((source) => (row.cells[source] ?? null) !== null);
}
//#endregion
//#region src/maintenance/batchSize.ts
const SMALLEST = 20;
const LARGEST = 5e3;
const FIRST = 500;
/** How long one statement should take, in milliseconds: rows are locked for that long. */
const TARGET = 250;
/** The size of batches, so that each statement takes about as long as it should, whatever the rows and the load. */
var BatchSize = class {
	#rows = FIRST;
	get rows() {
		return Math.round(this.#rows);
	}
	/** Learns from a statement that took `ms`. */
	took(ms) {
		const factor = Math.min(2, Math.max(.25, TARGET / Math.max(ms, 1)));
		this.#rows = Math.min(LARGEST, Math.max(SMALLEST, this.#rows * factor));
	}
};
/** Keeps work at or below a rate, by waiting after each batch. */
var Throttle = class {
	#perSecond;
	#free = 0;
	/** @param perSecond rows; `Infinity` for no limit */
	constructor(perSecond) {
		this.#perSecond = perSecond;
	}
	async after(rows, signal) {
		const now = performance.now();
		this.#free = Math.max(this.#free, now) + rows / this.#perSecond * 1e3;
		await pause(this.#free - now, signal);
	}
};
/** Waits, but not once the signal is given. */
async function pause(ms, signal) {
	if (ms < 1 || signal?.aborted) return;
	await (0, node_timers_promises.setTimeout)(ms, void 0, signal && { signal }).catch(() => void 0);
}
//#endregion
//#region src/maintenance/problem.ts
/** These are no fault of a row: every other row would meet them too. */
const GENERAL = new Set([
	"OPTIONS_INVALID",
	"KEY_STORE_UNAVAILABLE",
	"KMS_UNAVAILABLE",
	"KMS_THROTTLED",
	"KMS_DENIED",
	"DATABASE_UNAVAILABLE"
]);
/** Whether an error is about single rows, which can be skipped. */
function isRowProblem(error) {
	return require_errors.FieldsealError.is(error) && !GENERAL.has(error.code);
}
/**
* Does work on all items at once; if one of them makes it fail, halves them until each is done or known to fail.
*
* @param work may be called again with any part of the items, so it must have no effect when it throws
* @param failed is told every item that fails alone
* @throws what is no row's fault
*/
async function isolate(items, work, failed) {
	if (items.length === 0) return;
	try {
		await work(items);
	} catch (error) {
		if (!isRowProblem(error)) throw error;
		if (items.length === 1) return failed(items[0], error);
		const middle = items.length >> 1;
		await isolate(items.slice(0, middle), work, failed);
		await isolate(items.slice(middle), work, failed);
	}
}
//#endregion
//#region src/maintenance/runKeys.ts
/**
* The keys of one batch. Those that cannot be had are known before the rows are touched, with one question for all of
* them: a tenant whose keys are destroyed must not cost a query per row.
*/
var RunKeys = class {
	#ring;
	#owners = /* @__PURE__ */ new Map();
	#actives = /* @__PURE__ */ new Map();
	constructor(ring) {
		this.#ring = ring;
	}
	/** @throws FieldsealError for what is no row's fault */
	async loadOwners(dekIds) {
		const missing = [...new Set(dekIds)].filter((id) => !this.#owners.has(id));
		const deks = this.#ring.loadEach(missing, require_duration.ANY_TENANT);
		const owner = async (dek) => (await dek).tenant;
		await collect(this.#owners, missing, (_, position) => owner(deks[position]));
	}
	/** Brings the tenants' active DEKs into memory; makes those that do not exist. */
	async loadActives(tenants) {
		const missing = [...new Set(tenants)].filter((tenant) => !this.#actives.has(tenant));
		await collect(this.#actives, missing, async (tenant) => (await this.#ring.active(tenant, "encrypt")).id);
	}
	/** The tenant of a DEK; throws why it cannot be used. */
	ownerOf(dekId) {
		return reached(this.#owners.get(dekId));
	}
	/** The id of a tenant's active DEK; throws why there is none. */
	activeOf(tenant) {
		return reached(this.#actives.get(tenant));
	}
};
async function collect(into, names, get) {
	(await Promise.allSettled(names.map(get))).forEach((outcome, position) => {
		if (outcome.status === "fulfilled") into.set(names[position], { value: outcome.value });
		else if (isRowProblem(outcome.reason)) into.set(names[position], { error: outcome.reason });
		else throw outcome.reason;
	});
}
function reached(outcome) {
	if ("value" in outcome) return outcome.value;
	throw new require_errors.FieldsealError(outcome.error.code, outcome.error.message, { cause: outcome.error });
}
//#endregion
//#region src/maintenance/transformRows.ts
/**
* What the operation makes of rows: those that change, with their new cells.
*
* @throws FieldsealError when one of the rows has a problem; nothing is done then
*/
async function transformRows({ operation, model, ring }, rows) {
	const works = rows.map((row) => planRow(operation, model, row));
	const keys = new RunKeys(ring);
	await keys.loadOwners(works.flatMap((work) => opened(model, work).map((field) => dekIdIn(field, cellAt(work.row, field)))));
	const owned = works.map((work) => ({
		work,
		tenant: tenantOf(model, work, keys)
	}));
	const sealing = owned.filter(({ work }) => work.seal.length > 0);
	await keys.loadActives(sealing.map(({ tenant }) => tenant));
	const drafts = owned.map(({ work, tenant }) => draftOf(work, tenant, keys));
	await transform(drafts.flatMap((draft) => openSlots(model, draft)), ring);
	await transform(drafts.flatMap((draft) => makeSlots(draft)), ring);
	return drafts.map(changeOf).filter((change) => change !== void 0);
}
/** The fields whose ciphertexts the work reads. */
function opened(model, work) {
	const sources = new Set(work.index.flatMap((index) => index.sources));
	const needed = new Set([
		...work.seal,
		...work.reveal,
		...work.open
	]);
	return model.readable.filter((field) => (needed.has(field) || sources.has(field.field)) && isCiphertext(field, cellAt(work.row, field)));
}
/** By the row's tenant column; every ciphertext must agree. */
function tenantOf(model, work, keys) {
	let { tenant } = work.row;
	for (const field of opened(model, work)) {
		const owner = keys.ownerOf(dekIdIn(field, cellAt(work.row, field)));
		tenant ??= owner;
		if (owner !== tenant) throw rowError("TENANT_MISMATCH", field, `is encrypted for ${require_errors.quoted(owner)}, in a row of ${require_errors.quoted(tenant)}`);
	}
	const first = work.seal[0];
	if (tenant === void 0 || tenant === null) {
		if (first) throw rowError("TENANT_MISSING", first, "is in a row whose tenant is not known: its tenant column is NULL");
		return "";
	}
	if (first) require_tenant.checkTenant(tenant);
	return tenant;
}
/** A ciphertext that is under the active DEK stays. */
function draftOf(work, tenant, keys) {
	const outdated = (field) => !isCiphertext(field, cellAt(work.row, field)) || dekIdIn(field, cellAt(work.row, field)) !== keys.activeOf(tenant);
	return {
		work: {
			...work,
			seal: work.seal.filter(outdated)
		},
		tenant,
		values: {},
		made: {}
	};
}
/** Reads plaintext cells at once, and collects the ciphertexts to decrypt. */
function openSlots(model, { work, tenant, values }) {
	const slots = [];
	const owner = { tenant };
	for (const field of neededFields(model, work)) {
		const cell = cellAt(work.row, field);
		if (cell === null) continue;
		if (isPlain(field, cell)) {
			values[field.field] = plaintextIn(field, cell);
			continue;
		}
		if (!isCiphertext(field, cell)) continue;
		values[field.field] = ciphertextIn(field, cell);
		slots.push({
			mode: "decrypt",
			field,
			owner,
			holder: values,
			key: field.field,
			bound: boundTexts(field, work.row)
		});
	}
	return slots;
}
function neededFields(model, { seal, reveal, open, index }) {
	const sources = new Set(index.flatMap((one) => one.sources));
	return model.readable.filter((field) => sources.has(field.field) || seal.includes(field) || reveal.includes(field) || open.includes(field));
}
function makeSlots(draft) {
	const { work, tenant, values, made } = draft;
	const owner = { tenant };
	const seals = work.seal.map((field) => {
		made[field.field] = values[field.field];
		return {
			mode: "encrypt",
			field,
			owner,
			holder: made,
			key: field.field,
			bound: boundTexts(field, work.row)
		};
	});
	const indexes = work.index.flatMap((index) => indexSlot(index, owner, draft));
	return [...seals, ...indexes];
}
/** An index over a value that is NULL is NULL. */
function indexSlot(index, owner, { values, made }) {
	if (!index.sources.every((name) => name in values)) {
		made[index.field] = null;
		return [];
	}
	const [field] = index.cipher.sources;
	const sources = index.sources.map((name) => values[name]);
	return [{
		mode: "index",
		field,
		owner,
		holder: made,
		key: index.field,
		index: index.cipher,
		values: sources
	}];
}
function boundTexts(field, row) {
	return field.bind.map((column) => {
		const text = row.bound[column];
		if (typeof text === "string") return text;
		throw rowError("BOUND_VALUE_MISSING", field, `is bound to ${column}, which is NULL in this row`);
	});
}
function changeOf({ work, values, made }) {
	const cells = {};
	for (const field of work.seal) cells[field.field] = cellOfCiphertext(field, made[field.field]);
	for (const field of work.reveal) cells[field.field] = cellOfPlaintext(field, values[field.field]);
	for (const { field } of work.index) cells[field] = made[field];
	for (const { field } of work.clear) cells[field] = null;
	const changed = Object.entries(cells).filter(([field, cell]) => !sameCell(cell, work.row.cells[field] ?? null));
	return changed.length === 0 ? void 0 : {
		row: work.row,
		cells: Object.fromEntries(changed)
	};
}
function sameCell(one, other) {
	if (one === null || other === null || typeof one === "string" || typeof other === "string") return one === other;
	return Buffer.compare(one, other) === 0;
}
function rowError(code, field, what) {
	return new require_errors.FieldsealError(code, `${field.name} ${what}`);
}
//#endregion
//#region src/maintenance/verifyRows.ts
/**
* What is wrong in rows whose every ciphertext could be read, by row.
*
* @throws FieldsealError as `transformRows`
*/
async function verifyRows(transformer, rows) {
	const mismatches = (await transformRows(transformer, rows)).map((change) => [change.row, mismatch(transformer, change)]);
	const plaintexts = rows.map((row) => plaintext(transformer, row)).filter((found) => found !== void 0);
	return new Map([...mismatches, ...plaintexts]);
}
function mismatch({ model }, { row, cells }) {
	const [name = ""] = Object.keys(cells);
	const what = row.cells[name] === null ? "is empty beside a value" : "is not the index of the value beside it";
	return new require_errors.FieldsealError("INDEX_MISMATCH", `${model.name}.${name} ${what}: run reindex`);
}
function plaintext({ model }, row) {
	const plain = model.fields.find((field) => isPlain(field, cellAt(row, field)));
	if (plain === void 0) return void 0;
	return [row, new require_errors.FieldsealError("CIPHERTEXT_INVALID", `${plain.name} is stored in plaintext: run encrypt`)];
}
//#endregion
//#region src/maintenance/run.ts
/** A row is read again this often when others change or lock it in between. */
const ATTEMPTS = 12;
const KEPT_PROBLEMS = 100;
/** Between saves of a run that finds nothing to change, in milliseconds. */
const SAVE_EVERY = 1e3;
/** Runs one operation over one model's table, page by page. Each batch is complete before the progress passes it. */
var MaintenanceRun = class {
	#run;
	#size = new BatchSize();
	#throttle;
	#problems;
	#counts;
	#cursor;
	#wanted = 0;
	#total = 0;
	#saved = performance.now();
	#stopped = false;
	/** The longest statement since the last page, in milliseconds. */
	#slowest = 0;
	/** Problems of the page under way: if the run stops in it, the next one meets them again. */
	#unpassed = 0;
	constructor(run) {
		const saved = run.record?.saved;
		const { scanned = 0, changed = 0, conflicts = 0, skipped = 0 } = saved ?? {};
		this.#run = run;
		this.#throttle = new Throttle(run.options.rowsPerSecond);
		this.#counts = {
			scanned,
			changed,
			conflicts,
			skipped
		};
		this.#cursor = saved?.cursor ?? null;
		this.#problems = [...saved?.problems ?? []];
	}
	/** @throws FieldsealError for what is no row's fault: `KMS_*`, `KEY_STORE_UNAVAILABLE`, `DATABASE_UNAVAILABLE` */
	async start() {
		this.#total = await this.#run.source.estimate();
		const ended = await this.#pages();
		const outcome = this.#stopped ? "stopped" : ended ? "done" : "interrupted";
		await this.#save(outcome === "done");
		const resumed = (this.#run.record?.saved ?? null) !== null;
		return {
			...this.#event(),
			outcome,
			resumed,
			wanted: this.#wanted,
			problems: this.#problems
		};
	}
	/** Reads a page, encrypts the one before and writes the one before that, all at once. `true` when the last is done. */
	async #pages() {
		let next = this.#read(this.#cursor);
		let writing = Promise.resolve();
		try {
			while (next !== void 0 && !this.#isOver()) {
				const page = await next;
				next = page.ended ? void 0 : this.#read(page.last);
				const prepared = await this.#prepare(page.rows);
				await writing;
				if (this.#stopped) return false;
				writing = this.#pass(page, prepared);
				writing.catch(() => void 0);
			}
			await writing;
			return next === void 0 && !this.#stopped;
		} finally {
			next?.catch(() => void 0);
			await writing.catch(() => void 0);
		}
	}
	#isOver() {
		return this.#run.options.signal?.aborted === true;
	}
	async #read(after) {
		const started = performance.now();
		const page = await this.#run.source.page({
			after,
			until: this.#run.until,
			limit: this.#size.rows
		});
		this.#slowest = Math.max(this.#slowest, performance.now() - started);
		return page;
	}
	/** Brings a page to its end, and the progress past it. */
	async #pass(page, prepared) {
		await this.#work(page.rows.length, prepared);
		this.#size.took(this.#slowest);
		this.#slowest = 0;
		if (this.#stopped) return;
		this.#cursor = page.last ?? this.#cursor;
		this.#counts.scanned += page.scanned;
		this.#unpassed = 0;
		if (page.scanned === 0) return;
		const due = performance.now() - this.#saved > SAVE_EVERY;
		if (page.rows.length > 0 || due) await this.#save(false);
		this.#run.options.onProgress(this.#event());
		await this.#throttle.after(page.rows.length, this.#run.options.signal);
	}
	async #work(wanted, { changes, problems }) {
		this.#wanted += wanted;
		for (const [row, error] of problems) this.#problem(row, error);
		if (changes.length > 0) await this.#change(changes);
	}
	/** What is to be written, and what stands against it; changes nothing. */
	async #prepare(rows) {
		const prepared = {
			changes: [],
			problems: []
		};
		if (this.#run.options.dryRun) return prepared;
		const work = async (part) => {
			if (this.#run.operation === "verify") prepared.problems.push(...await verifyRows(this.#run, part));
			else for (const change of await transformRows(this.#run, part)) prepared.changes.push(change);
		};
		await isolate(rows, work, (row, error) => prepared.problems.push([row, error]));
		return prepared;
	}
	/** What others changed or locked in between is read again until it is done. */
	async #change(changes) {
		let lost = await this.#write(changes);
		for (let attempt = 1; lost.length > 0 && !this.#stopped; attempt++) {
			this.#counts.conflicts += lost.length;
			if (attempt === ATTEMPTS) {
				for (const row of lost) this.#problem(row, busy(this.#run.model.name));
				return;
			}
			await pause(2 ** attempt, void 0);
			const again = await this.#prepare(await this.#run.source.reread(lost));
			for (const [row, error] of again.problems) this.#problem(row, error);
			lost = await this.#write(again.changes);
		}
	}
	/** Writes what can be written; answers the rows that others changed or locked. */
	async #write(changes) {
		const lost = [];
		const write = async (part) => {
			const started = performance.now();
			const written = await this.#run.source.change(part);
			this.#slowest = Math.max(this.#slowest, performance.now() - started);
			this.#counts.changed += written.size;
			for (const { row } of part) if (!written.has(row)) lost.push(row);
		};
		await isolate(changes, write, ({ row }, error) => this.#problem(row, error));
		return lost;
	}
	#problem({ key }, { code, message }) {
		const problem = {
			model: this.#run.model.name,
			key,
			code,
			message
		};
		this.#counts.skipped += 1;
		this.#unpassed += 1;
		if (this.#problems.length < KEPT_PROBLEMS) this.#problems.push(problem);
		if (this.#run.options.onError === "stop") this.#stopped = true;
		this.#run.options.onProblem(problem);
	}
	async #save(done) {
		this.#saved = performance.now();
		const skipped = this.#counts.skipped - this.#unpassed;
		const problems = this.#problems.slice(0, skipped);
		const progress = {
			...this.#counts,
			skipped,
			cursor: this.#cursor,
			problems
		};
		await (done ? this.#run.record?.finish(progress) : this.#run.record?.save(progress));
	}
	#event() {
		return {
			operation: this.#run.operation,
			model: this.#run.model.name,
			total: this.#total,
			...this.#counts
		};
	}
};
function busy(model) {
	return new require_errors.FieldsealError("ROW_BUSY", `a row of ${model} stayed locked, or changed between every read and write: run the command again later`);
}
//#endregion
//#region src/postgres/sql.ts
/** As the user's pool may parse types in its own way, everything is asked for as text. */
const asText = { getTypeParser: () => (text) => text };
/**
* Runs one statement.
*
* @throws FieldsealError `ROW_REFUSED` for a violated constraint, `ROW_BUSY` for a lock, `DATABASE_UNAVAILABLE` for anything else
*/
async function runSql(database, text, values = []) {
	try {
		const { rows } = await database.query({
			text,
			values: [...values],
			rowMode: "array",
			types: asText
		});
		return rows;
	} catch (error) {
		throw translated(error);
	}
}
/** Its class is the first two characters: https://www.postgresql.org/docs/current/errcodes-appendix.html */
function translated(error) {
	const { code, constraint, column, table, message } = error ?? {};
	const state = typeof code === "string" ? code : "";
	if (state.startsWith("22") || state.startsWith("23") || state === "54000") return new require_errors.FieldsealError("ROW_REFUSED", `the database refuses the new values of a row (${state}, ${String(constraint ?? column ?? table ?? "the type of a column")})`);
	if (state === "40001" || state === "40P01" || state === "55P03") return new require_errors.FieldsealError("ROW_BUSY", `a row is locked by another transaction (${state}): run the command again later`);
	return new require_errors.FieldsealError("DATABASE_UNAVAILABLE", `${`the database could not be used${state && ` (${state})`}: ${String(message ?? error)}`}. ${hint(state)}`, { cause: error });
}
function hint(state) {
	if (state === "42501") return "Its user lacks a right that maintenance needs: see docs/existing-data.md";
	if (state === "42P01" || state === "42703") return "Apply your migrations, and run `prisma generate`";
	return "Run the command again once it can: it goes on where it stopped";
}
/** A name in SQL. */
function quoteName(name) {
	return `"${name.replaceAll("\"", "\"\"")}"`;
}
/** A table's name in SQL; without a schema it is looked for on the search path. */
function tableName({ schema, table }) {
	return schema === void 0 ? quoteName(table) : `${quoteName(schema)}.${quoteName(table)}`;
}
//#endregion
//#region src/postgres/progressStore.ts
/** Runs of maintenance and how far they are. In a schema of its own, Prisma does not see it and reports no drift. */
const CREATE = `
  CREATE SCHEMA IF NOT EXISTS fieldseal;
  CREATE TABLE IF NOT EXISTS fieldseal.progress (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    operation text NOT NULL,
    model text NOT NULL,
    fields text[] NOT NULL,
    tenant text,
    state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'done', 'dropped')),
    cursor text[],
    scanned bigint NOT NULL DEFAULT 0,
    changed bigint NOT NULL DEFAULT 0,
    conflicts bigint NOT NULL DEFAULT 0,
    skipped bigint NOT NULL DEFAULT 0,
    problems jsonb NOT NULL DEFAULT '[]',
    started_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
  )`;
const SAME_TASK = `operation = $1 AND model = $2 AND fields = $3::text[] AND tenant IS NOT DISTINCT FROM $4`;
/**
* Keeps the progress of runs in the table `fieldseal.progress`, which it makes at first use.
*
* @throws FieldsealError `DATABASE_UNAVAILABLE`
*/
function postgresProgress(database) {
	return { async open(task, restart) {
		await createTable(database);
		const values = [
			task.operation,
			task.model,
			task.fields,
			task.tenant ?? null
		];
		if (restart) await runSql(database, `UPDATE fieldseal.progress SET state = 'dropped' WHERE state = 'running' AND ${SAME_TASK}`, values);
		return await resume(database, values) ?? await begin(database, values);
	} };
}
/** Two that create it at once disturb each other, though both say IF NOT EXISTS. */
async function createTable(database) {
	const [found] = await runSql(database, `SELECT to_regclass('fieldseal.progress')`);
	if (found?.[0]) return;
	await runSql(database, `DO $$ BEGIN PERFORM 1 FROM (SELECT pg_advisory_xact_lock(hashtext('fieldseal.progress'))) l; ${CREATE}; END $$`);
}
async function resume(database, values) {
	const [row] = await runSql(database, `SELECT id, array_to_json(cursor), scanned, changed, conflicts, skipped, problems FROM fieldseal.progress
     WHERE state = 'running' AND ${SAME_TASK} ORDER BY id DESC LIMIT 1`, values);
	if (!row) return null;
	const [id, cursor, scanned, changed, conflicts, skipped, problems] = row;
	return record(database, id, {
		cursor: cursor === null ? null : JSON.parse(cursor),
		scanned: Number(scanned),
		changed: Number(changed),
		conflicts: Number(conflicts),
		skipped: Number(skipped),
		problems: JSON.parse(problems)
	});
}
async function begin(database, values) {
	const [row] = await runSql(database, "INSERT INTO fieldseal.progress (operation, model, fields, tenant) VALUES ($1, $2, $3, $4) RETURNING id", values);
	return record(database, row[0], null);
}
function record(database, id, saved) {
	const write = async (state, progress) => {
		const { cursor, scanned, changed, conflicts, skipped, problems } = progress;
		await runSql(database, `UPDATE fieldseal.progress SET state = $2, cursor = $3, scanned = $4, changed = $5, conflicts = $6, skipped = $7,
       problems = $8, updated_at = now() WHERE id = $1`, [
			id,
			state,
			cursor,
			scanned,
			changed,
			conflicts,
			skipped,
			JSON.stringify(problems)
		]);
	};
	return {
		saved,
		save: (progress) => write("running", progress),
		finish: (progress) => write("done", progress)
	};
}
//#endregion
//#region src/postgres/wanted.ts
/** `fs1.` as a bytea literal. */
const PREFIX_HEX = `'\\x${Buffer.from(require_duration.PREFIX).toString("hex")}'::bytea`;
const HEAD = "[A-Za-z0-9_-]{24}";
/** A condition of SQL on the row `t`: whether a column holds what looks like a ciphertext. */
function holdsCiphertext(of) {
	const { storage } = of;
	const name = valueIn(of);
	if (storage === "Bytes") return `substring(${name} from 1 for ${require_duration.PREFIX.length}) = ${PREFIX_HEX}`;
	return storage === "Json" ? `left(${jsonString(name)}, 4) = '${require_duration.PREFIX}'` : `left(${name}, 4) = '${require_duration.PREFIX}'`;
}
/** The text of a JSON string; NULL for other JSON. It does not care whether the type is json or jsonb. */
function jsonString(name) {
	return `CASE WHEN left(${name}::text, 1) = '"' THEN ${name} #>> '{}' END`;
}
/** The DEK id that a ciphertext in a column names, as a UUID; NULL for anything else. */
function dekIdOf(of) {
	const { storage } = of;
	const name = valueIn(of);
	if (storage === "Bytes") return `CASE WHEN substring(${name} from 1 for ${require_duration.PREFIX.length}) = ${PREFIX_HEX} AND octet_length(${name}) >= 22 THEN encode(substring(${name} from 7 for 16), 'hex')::uuid END`;
	const text = storage === "Json" ? jsonString(name) : name;
	return `CASE WHEN ${text} ~ '^fs1\\.${HEAD}' THEN encode(substring(${`decode(translate(substring(${text} from 5 for 24), '-_', '+/'), 'base64')`} from 3 for 16), 'hex')::uuid END`;
}
/** The condition of SQL for the rows `t` that an operation has to look at closely. */
function wantedRows({ operation, model, table, keys }) {
	const columns = model.fields.map(({ field }) => table.fields[field]);
	const indexes = model.indexes.map(({ field, sources }) => {
		return {
			column: table.indexes[field],
			values: sources.map((source) => table.fields[source])
		};
	});
	switch (operation) {
		case "encrypt": return anyOf([...columns.map((column) => `(${isSet(column)} AND (${holdsCiphertext(column)} AND (${dekIdOf(column)}) IS NOT NULL) IS NOT TRUE)`), ...indexes.map(({ column, values }) => `(NOT ${isSet(column)} AND ${values.map(isSet).join(" AND ")})`)]);
		case "re-encrypt": return anyOf(columns.map((column) => `(${holdsCiphertext(column)} AND NOT ${isUnder(column, keys, isActive(keys))})`));
		case "decrypt": return anyOf([...columns.map(holdsCiphertext), ...indexes.map(({ column }) => isSet(column))]);
		case "reindex": return anyOf(indexes.flatMap(({ column, values }) => [column, ...values].map(isSet)));
		case "verify": return anyOf([...columns, ...indexes.map(({ column }) => column)].map(isSet));
	}
}
/** The condition of SQL that one of the ciphertexts is under a DEK of the tenant; `tenant` is SQL. */
function belongsTo(tenant, { model, table, keys }) {
	return anyOf(model.readable.map(({ field }) => table.fields[field]).map((column) => isUnder(column, keys, `k.${quoteName(keys.tenant)} = ${tenant}`)));
}
function isActive(keys) {
	return `k.${quoteName(keys.state)} = 'active'`;
}
function isUnder(column, keys, condition) {
	const id = `k.${quoteName(keys.id)} = (${dekIdOf(column)})::${keys.idType}`;
	return `EXISTS (SELECT FROM ${tableName(keys)} k WHERE ${id} AND ${condition})`;
}
/** A list is stored as a list of one ciphertext. */
function valueIn({ column, list }) {
	return `t.${quoteName(column)}${list ? "[1]" : ""}`;
}
/** Whether a column of the row `t` holds a value; an empty list is none. */
function isSet({ column, list }) {
	return list ? `cardinality(t.${quoteName(column)}) > 0` : `t.${quoteName(column)} IS NOT NULL`;
}
function anyOf(conditions) {
	return conditions.length === 0 ? "FALSE" : conditions.map((condition) => `coalesce(${condition}, FALSE)`).join(" OR ");
}
//#endregion
//#region src/postgres/pageStatement.ts
/** The most that the values of one page may weigh, in bytes; a single row may weigh more. */
const PAGE_BYTES = 8 * 1024 * 1024;
/** Looks at the next rows by primary key, and sends the values of those only that are wanted. */
function pageStatement(context, { after, until, limit }) {
	const values = [];
	const bounds = [keyBound(context, ">", after, values), keyBound(context, "<=", until, values)].filter(Boolean);
	return {
		text: select(context, `${bounds.length > 0 ? `WHERE ${bounds.join(" AND ")}` : ""} ORDER BY ${keyOrder(context, "t")} LIMIT ${limit}`, values),
		values
	};
}
/** The same of given rows. */
function rereadStatement(context, rows) {
	const { key } = context.facts;
	const values = key.map((_, position) => rows.map((row) => row.key[position]));
	return {
		text: select(context, `JOIN unnest(${key.map((_, position) => `$${position + 1}::text[]`)}) AS v(${key.map((_, position) => `v${position}`)}) ON ${key.map((column, position) => `t.${quoteName(column)} = v${position}::${typeOf(context, column)}`).join(" AND ")}`, values),
		values
	};
}
function typeOf({ facts, table }, column) {
	const type = facts.types.get(column);
	if (type === void 0) throw new TypeError(`${tableName(table)} has no column ${quoteName(column)}`);
	return type;
}
function keyBound(context, operator, bound, values) {
	if (bound === null) return "";
	const places = context.facts.key.map((column, position) => {
		values.push(bound[position]);
		return `$${values.length}::${typeOf(context, column)}`;
	});
	return `(${context.facts.key.map((column) => `t.${quoteName(column)}`)}) ${operator} (${places})`;
}
function keyOrder({ facts }, from) {
	return facts.key.map((column, position) => from === "t" ? `t.${quoteName(column)}` : `${from}.k${position}`).join(", ");
}
/** @param tail of the innermost query: which rows of `t`, in which order */
function select(context, tail, values) {
	const { facts, table } = context;
	const { columns, bound } = layout(context);
	const keys = facts.key.map((_, position) => `p.k${position}::text`);
	const sent = [
		"p.row_tenant",
		...bound.map((_, position) => `p.b${position}::text`),
		...columns.map((column, position) => sentAs(column, `p.c${position}`))
	].map((value) => `CASE WHEN p.wanted THEN ${value} END`);
	const rows = `SELECT ${[
		...facts.key.map((column, position) => `t.${quoteName(column)} AS k${position}`),
		"t.xmin AS row_version",
		`${tenantText(context)} AS row_tenant`,
		...bound.map(([, column], position) => `t.${quoteName(column)} AS b${position}`),
		...columns.map(({ column }, position) => `t.${quoteName(column)} AS c${position}`),
		`(${wantedOf(context, values)}) AS wanted`
	]} FROM ${tableName(table)} t ${tenantJoins(context)} ${tail}`;
	const weighed = `SELECT s.*, CASE WHEN s.wanted THEN ${weight(columns)} ELSE 0 END AS weight FROM (${rows}) s`;
	const summed = `SELECT s.*, sum(s.weight) OVER (ORDER BY ${keyOrder(context, "s")} ROWS UNBOUNDED PRECEDING) AS weights FROM (${weighed}) s`;
	return `
    SELECT ${[
		...keys,
		"p.row_version::text",
		"p.wanted::text",
		...sent
	]}
    FROM (${summed}) p WHERE p.weights - p.weight < ${PAGE_BYTES} ORDER BY ${keyOrder(context, "p")}`;
}
/** Bytes as base64, a list as JSON, anything else as PostgreSQL writes it. */
function sentAs({ storage, list }, value) {
	if (list) return `to_json(${value})::text`;
	return storage === "Bytes" ? `encode(${value}, 'base64')` : `${value}::text`;
}
/** What it takes in this process, about; without unpacking anything in the database. */
function weight(columns) {
	return ["0", ...columns.map(({ storage, list }, position) => {
		return `coalesce(${storage === "Json" || list ? `4 * pg_column_size(s.c${position})` : `octet_length(s.c${position})`}, 0)`;
	})].join(" + ");
}
function wantedOf(context, values) {
	const wanted = wantedRows(context);
	const { tenant, table } = context;
	if (tenant === void 0) return wanted;
	if (table.tenant.kind === "fixed") return table.tenant.tenant === tenant ? wanted : "FALSE";
	values.push(tenant);
	const place = `$${values.length}::text`;
	return `(${wanted}) AND coalesce(${table.tenant.kind === "column" ? `${tenantText(context)} = ${place}` : belongsTo(place, context)}, FALSE)`;
}
function tenantText({ table: { tenant } }) {
	if (tenant.kind !== "column") return "NULL";
	return `${tenant.joins.length === 0 ? "t" : `j${tenant.joins.length}`}.${quoteName(tenant.column)}::text`;
}
function tenantJoins({ table: { tenant } }) {
	if (tenant.kind !== "column") return "";
	return tenant.joins.map((join, position) => {
		const near = position === 0 ? "t" : `j${position}`;
		const far = `j${position + 1}`;
		const same = join.from.map((column, i) => `${far}.${quoteName(join.to[i])} = ${near}.${quoteName(column)}`);
		return `LEFT JOIN ${tableName(join)} ${far} ON ${same.join(" AND ")}`;
	}).join(" ");
}
/** The columns that are read, in order. */
function layout({ model, table }) {
	const bound = new Set(model.readable.flatMap(({ bind }) => bind));
	return {
		columns: [...model.readable.map(({ field }) => ({
			field,
			...table.fields[field]
		})), ...model.indexes.map(({ field }) => ({
			field,
			...table.indexes[field]
		}))],
		bound: [...bound].map((field) => [field, table.bound[field]])
	};
}
/** Makes rows of what these statements answer. */
var RowReader = class {
	#layout;
	#keys;
	#tenant;
	constructor(context) {
		this.#layout = layout(context);
		this.#keys = context.facts.key.length;
		this.#tenant = context.table.tenant;
	}
	key(row) {
		return row.slice(0, this.#keys);
	}
	isWanted(row) {
		return row[this.#keys + 1] === "true";
	}
	row(row) {
		const { bound, columns } = this.#layout;
		const first = this.#keys + 3;
		return {
			key: this.key(row),
			version: row[this.#keys],
			tenant: this.#tenantOf(row[this.#keys + 2]),
			bound: Object.fromEntries(bound.map(([field], position) => [field, row[first + position]])),
			cells: Object.fromEntries(columns.map((column, position) => [column.field, cellOf(column, row[first + bound.length + position])]))
		};
	}
	#tenantOf(text) {
		const place = this.#tenant;
		return place.kind === "column" ? text : place.kind === "fixed" ? place.tenant : void 0;
	}
};
function cellOf({ storage, list }, text) {
	return storage === "Bytes" && !list && text !== null ? Buffer.from(text, "base64") : text;
}
//#endregion
//#region src/postgres/changeStatement.ts
/**
* Writes rows that still have their version and that nobody has locked. Locks are taken before anything is changed and
* never waited for, so that this statement and the app cannot deadlock. A row that is locked here with its version can
* be found again by its place in the table until the statement ends.
*/
function changeStatement(context, changes) {
	const { facts, table } = context;
	const columns = changedColumns(context, changes);
	const key = facts.key.map((column, position) => ({
		column,
		name: `k${position}`,
		type: typeOf(context, column)
	}));
	const arrays = [
		...key.map((_, position) => changes.map(({ row }) => row.key[position])),
		changes.map(({ row }) => row.version),
		...columns.map(({ field }) => changes.map(({ row, cells }) => sent(cells[field] ?? (field in cells ? null : row.cells[field]))))
	];
	const names = [
		...key.map(({ name }) => `v_${name}`),
		"v_version",
		...columns.map((_, position) => `v_c${position}`)
	];
	const range = boundsOf(changes, arrays.length);
	const inRange = range.map(({ operator, from }) => {
		const places = key.map(({ type }, position) => `$${from + position}::${type}`);
		return `(${key.map(({ column }) => `t.${quoteName(column)}`)}) ${operator} (${places})`;
	});
	const lock = columns.some(({ column }) => facts.unique.has(column)) ? "UPDATE" : "NO KEY UPDATE";
	return {
		text: `
    WITH l AS MATERIALIZED (
      SELECT ${[
			...key.map(({ column, name }) => `t.${quoteName(column)} AS ${name}`),
			"t.ctid AS place",
			"v.*"
		]}
      FROM unnest(${arrays.map((_, position) => `$${position + 1}::text[]`)}) WITH ORDINALITY AS v(${[...names, "n"]})
      JOIN ${tableName(table)} t ON ${key.map(({ column, name, type }) => `t.${quoteName(column)} = v.v_${name}::${type}`).join(" AND ")}
      WHERE t.xmin = v.v_version::xid AND ${inRange.join(" AND ")}
      FOR ${lock} OF t SKIP LOCKED
    )
    UPDATE ${tableName(table)} t
    SET ${columns.map((column, position) => `${quoteName(column.column)} = ${stored(context, column, `l.v_c${position}`)}`)}
    FROM l WHERE t.ctid = l.place AND ${key.map(({ column, name }) => `t.${quoteName(column)} = l.${name}`).join(" AND ")}
    RETURNING l.n`,
		values: [...arrays, ...range.flatMap(({ key: bound }) => bound)]
	};
}
function changedColumns({ table }, changes) {
	return [...new Set(changes.flatMap(({ cells }) => Object.keys(cells)))].map((field) => ({
		field,
		...table.fields[field] ?? table.indexes[field]
	}));
}
/** Rows come in the order of their key: naming its range keeps the planner from reading the whole table. */
function boundsOf(changes, parameters) {
	const first = changes[0].row.key;
	const last = changes.at(-1).row.key;
	return [{
		operator: ">=",
		key: first,
		from: parameters + 1
	}, {
		operator: "<=",
		key: last,
		from: parameters + first.length + 1
	}];
}
function sent(cell) {
	return typeof cell === "string" || cell === null ? cell : Buffer.from(cell.buffer, cell.byteOffset, cell.byteLength).toString("base64");
}
function stored(context, { column, storage, list }, value) {
	if (list) return `CASE WHEN ${value} IS NOT NULL THEN ${arrayOf(storage, value)} END::${typeOf(context, column)}`;
	return storage === "Bytes" ? `decode(${value}, 'base64')` : `${value}::${typeOf(context, column)}`;
}
/** The array that a JSON text stands for. */
function arrayOf(storage, value) {
	if (storage === "Json") return `ARRAY(SELECT e FROM json_array_elements(${value}::json) e)`;
	return `ARRAY(SELECT e${storage === "Bytes" ? "::bytea" : ""} FROM json_array_elements_text(${value}::json) e)`;
}
//#endregion
//#region src/postgres/tableFacts.ts
const TYPES = `
  SELECT attname, format_type(atttypid, -1)
  FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped`;
/** The primary key first, then the shortest. */
const UNIQUES = `
  SELECT i.indisprimary::text, a.attname, (i.indpred IS NULL AND i.indimmediate AND bool_and(a.attnotnull) OVER (PARTITION BY i.indexrelid))::text,
    i.indexrelid::text
  FROM pg_index i
  CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(attnum, position)
  JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
  WHERE i.indrelid = to_regclass($1) AND i.indisunique AND i.indisvalid AND i.indexprs IS NULL AND k.position <= i.indnkeyatts
  ORDER BY i.indisprimary DESC, i.indnkeyatts, i.indexrelid, k.position`;
/**
* Asks the catalogue about a table.
*
* @param table its name in SQL
* @throws FieldsealError `DATABASE_UNAVAILABLE`; `OPTIONS_INVALID` for a table without a key to page by
*/
async function readTableFacts(database, table) {
	const [columns, uniques] = await Promise.all([runSql(database, TYPES, [table]), runSql(database, UNIQUES, [table])]);
	if (columns.length === 0) throw new require_errors.FieldsealError("DATABASE_UNAVAILABLE", `there is no table ${table} in this database: apply your migrations, and look at the database and schema of your configuration`);
	const first = uniques.find(([, , usable]) => usable === "true")?.[3];
	if (first === void 0) throw new require_errors.FieldsealError("OPTIONS_INVALID", `the table ${table} has no primary key, so its rows cannot be told apart`);
	return {
		key: uniques.filter(([, , , index]) => index === first).map(([, name]) => name),
		types: new Map(columns.map(([name, type]) => [name, type])),
		unique: new Set(uniques.map(([, name]) => name))
	};
}
//#endregion
//#region src/postgres/rowSource.ts
/**
* The rows of a model in PostgreSQL. A row's version is its `xmin`, the transaction that wrote it: it changes with every
* change of the row, and unlike the old values it can be sent back without showing plaintext in the server's log.
*
* @throws FieldsealError `DATABASE_UNAVAILABLE`; `OPTIONS_INVALID` for a table without a key
*/
async function postgresRows(options) {
	const { database, table } = options;
	const context = {
		...options,
		facts: await readTableFacts(database, tableName(table))
	};
	const reader = new RowReader(context);
	return {
		estimate: () => estimate(database, tableName(table)),
		page: (request) => readPage(context, reader, request),
		reread: async (rows) => {
			const { text, values } = rereadStatement(context, rows);
			return (await runSql(database, text, values)).filter((row) => reader.isWanted(row)).map((row) => reader.row(row));
		},
		change: (changes) => change(context, changes)
	};
}
/** As of the last ANALYZE, if there was one: counting takes as long as the table is big. */
async function estimate(database, name) {
	const [row] = await runSql(database, "SELECT reltuples::bigint FROM pg_class WHERE oid = to_regclass($1)", [name]);
	if (Number(row?.[0]) > 0) return Number(row[0]);
	const [counted] = await runSql(database, `SELECT count(*) FROM ${name}`);
	return Number(counted[0]);
}
async function readPage(context, reader, request) {
	const { text, values } = pageStatement(context, request);
	const found = await runSql(context.database, text, values);
	const last = found.at(-1);
	return {
		rows: found.filter((row) => reader.isWanted(row)).map((row) => reader.row(row)),
		scanned: found.length,
		last: last === void 0 ? null : reader.key(last),
		ended: found.length === 0
	};
}
async function change(context, changes) {
	if (changes.length === 0) return /* @__PURE__ */ new Set();
	const { text, values } = changeStatement(context, changes);
	const written = await runSql(context.database, text, values);
	return new Set(written.map(([position]) => changes[Number(position) - 1].row));
}
//#endregion
//#region src/prisma/maintained.ts
/** All models with encrypted fields. */
function maintainedModels(options) {
	checkPaths(options);
	return [...options.plans.values()].filter(({ encrypted }) => encrypted.length > 0).map((plan) => maintained(options, plan, options.schema.models[plan.name]));
}
function maintained(options, plan, schema) {
	const column = (field) => schema.columns[field];
	const fields = plan.encrypted;
	const indexes = [...new Set(plan.encrypted.flatMap(({ indexes }) => indexes))].map((cipher) => {
		return {
			field: cipher.field,
			sources: cipher.sources.map(({ field }) => field),
			cipher
		};
	});
	const place = ({ type, list }, field) => {
		return {
			column: column(field),
			storage: type,
			list: list === true
		};
	};
	return {
		model: {
			name: plan.name,
			fields,
			readable: fields,
			indexes
		},
		table: {
			table: schema.table,
			fields: mapped(schema.encrypted, place),
			indexes: mapped(schema.indexes, place),
			bound: mapped(schema.bound, (_, field) => column(field)),
			tenant: tenantPlace(options, plan.name)
		}
	};
}
function mapped(record, make) {
	return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, make(value, name)]));
}
function tenantPlace({ schema, tenants, defaultTenant }, name) {
	const model = schema.models[name];
	if (model.tenant !== void 0) return {
		kind: "column",
		joins: [],
		column: model.columns[model.tenant]
	};
	const path = tenants[name];
	if (path !== void 0) return follow(schema, name, path);
	return defaultTenant === void 0 ? { kind: "unknown" } : {
		kind: "fixed",
		tenant: defaultTenant
	};
}
function follow(schema, name, path) {
	const steps = path.split(".");
	const column = steps.pop();
	const joins = [];
	let at = name;
	for (const step of steps) {
		const relation = schema.models[at].relations[step];
		if (!relation || relation.list || relation.from.length === 0) throw badPath(name, path, `${at}.${step} is no relation with a foreign key`);
		const [near, far] = [schema.models[at], schema.models[relation.model]];
		const from = relation.from.map((field) => near.columns[field]);
		joins.push({
			table: far.table,
			from,
			to: relation.to.map((field) => far.columns[field])
		});
		at = relation.model;
	}
	const target = schema.models[at].columns[column];
	if (target === void 0) throw badPath(name, path, `${at} has no column ${column}`);
	return {
		kind: "column",
		joins,
		column: target
	};
}
function checkPaths({ schema, tenants }) {
	for (const [name, path] of Object.entries(tenants)) {
		const model = schema.models[name];
		if (!model) throw badPath(name, path, `there is no model ${name}`);
		if (model.tenant !== void 0) throw badPath(name, path, `${name}.${model.tenant} is marked @tenant and says it already`);
	}
}
/** Paths that lead from a model to a `@tenant` column, the shortest first: what may be meant. */
function possiblePaths(schema, name) {
	const found = [];
	const seen = new Set([name]);
	let ends = [{
		model: name,
		path: ""
	}];
	while (ends.length > 0) {
		const next = [];
		for (const { model, path } of ends) for (const [field, relation] of Object.entries(schema.models[model].relations)) {
			if (relation.from.length === 0 || seen.has(relation.model)) continue;
			seen.add(relation.model);
			const { tenant } = schema.models[relation.model];
			if (tenant === void 0) next.push({
				model: relation.model,
				path: `${path}${field}.`
			});
			else found.push(`${path}${field}.${tenant}`);
		}
		ends = next;
	}
	return found;
}
function badPath(model, path, why) {
	return new require_errors.FieldsealError("OPTIONS_INVALID", `tenants: { ${model}: "${path}" } leads nowhere: ${why}. Write relations and a column, as in "patient.clinicId"`);
}
//#endregion
//#region src/prisma/maintain.ts
/** Runs an operation over the chosen models, one after the other. A run that ends early leaves out those that follow. */
async function maintain(context, options) {
	checkOptions(context, options);
	const chosen = choose(context, options);
	if (options.operation === "encrypt") for (const one of chosen) checkTenantKnown(context.schema, one);
	const keys = await keysTable(context.schema, options.database);
	const reports = [];
	for (const one of chosen) {
		const report = await runOne(context, options, one, keys);
		reports.push(report);
		if (report.outcome !== "done") break;
	}
	return reports;
}
async function runOne({ ring }, options, { model, table }, keys) {
	const { operation, database, tenant, dryRun = false } = options;
	const task = {
		operation,
		model: model.name,
		fields: model.fields.map(({ field }) => field),
		tenant
	};
	return new MaintenanceRun({
		operation,
		model,
		ring,
		source: await postgresRows({
			database,
			operation,
			model,
			table,
			keys,
			tenant
		}),
		record: dryRun ? null : await postgresProgress(database).open(task, options.restart ?? false),
		until: null,
		options: {
			onError: options.onError ?? "skip",
			dryRun,
			rowsPerSecond: options.rowsPerSecond ?? Number.POSITIVE_INFINITY,
			signal: options.signal,
			onProgress: options.onProgress ?? (() => {}),
			onProblem: options.onProblem ?? (() => {})
		}
	}).start();
}
/** The models and fields that are asked for. */
function choose({ schema, plans, defaultTenant }, options) {
	const all = maintainedModels({
		schema,
		plans,
		tenants: options.tenants ?? {},
		defaultTenant
	});
	const fields = options.fields?.map(splitField);
	const models = new Set(options.models ?? fields?.map(([model]) => model) ?? all.map(({ model }) => model.name));
	for (const name of models) checkModel(all, name);
	for (const [name] of fields ?? []) if (!models.has(name)) throw invalid(`"fields" names a field of ${name}, which "models" leaves out`);
	return all.filter(({ model }) => models.has(model.name)).map(({ model, table }) => {
		const own = fields?.filter(([name]) => name === model.name).map(([, field]) => field);
		return {
			model: selectFields(model, own?.length === 0 ? void 0 : own),
			table
		};
	});
}
function splitField(name) {
	const [model = "", field = ""] = name.split(".");
	return [model, field];
}
function checkModel(all, name) {
	if (all.some(({ model }) => model.name === name)) return;
	throw invalid(`${name} is no model with encrypted fields; there are ${all.map(({ model }) => model.name).join(", ")}`);
}
/** Plaintext does not tell whose it is, and a guess would make it unreadable to its owner. */
function checkTenantKnown(schema, { model, table }) {
	if (table.tenant.kind !== "unknown") return;
	const paths = possiblePaths(schema, model.name).map((path) => `tenants: { ${model.name}: '${path}' }`);
	const advice = paths.length > 0 ? `say where it is, for example ${paths.join(" or ")}` : "mark one with /// @tenant";
	throw new require_errors.FieldsealError("TENANT_MISSING", `${model.name} has no @tenant column, so nothing says whose its rows are; ${advice}, or set defaultTenant`);
}
async function keysTable({ keysModel, models }, database) {
	const { table, columns } = models[keysModel];
	const { types } = await readTableFacts(database, tableName({ table }));
	const { id, tenant, version, state } = columns;
	return {
		table,
		id,
		idType: types.get(id),
		tenant,
		version,
		state
	};
}
function checkOptions({ schema }, options) {
	const { operation, database, tenant, rowsPerSecond = 1, onError = "skip" } = options;
	if (!OPERATIONS.includes(operation)) throw invalid(`"operation" must be one of ${OPERATIONS.join(", ")}`);
	if (typeof database?.query !== "function") throw invalid("\"database\" must be a Pool of the package pg");
	if (tenant !== void 0) require_tenant.checkTenant(tenant);
	if (!(rowsPerSecond > 0)) throw invalid("\"rowsPerSecond\" must be a number above 0");
	if (onError !== "skip" && onError !== "stop") throw invalid("\"onError\" must be \"skip\" or \"stop\"");
	if (schema.keysModel === "") throw invalid("the schema encrypts nothing yet: mark a field with /// @encrypted");
}
function invalid(what) {
	return new require_errors.FieldsealError("OPTIONS_INVALID", `$encryption.maintain: ${what}`);
}
//#endregion
//#region src/postgres/survey.ts
/** Counts what one field holds. It reads the whole table, in one statement that changes and locks nothing. */
async function surveyFields(database, { model, table }, keys) {
	return Promise.all(model.fields.map(async ({ field }) => {
		const column = table.fields[field];
		const kind = `CASE WHEN (${isSet(column)}) IS NOT TRUE THEN 'null' WHEN ${holdsCiphertext(column)} THEN 'ciphertext' ELSE 'plaintext' END`;
		const rows = await runSql(database, `SELECT s.kind, k.${quoteName(keys.version)}, k.${quoteName(keys.state)}, sum(s.count)
         FROM (SELECT ${kind} AS kind, (${dekIdOf(column)})::${keys.idType} AS dek, count(*) AS count
               FROM ${tableName(table)} t GROUP BY 1, 2) s
         LEFT JOIN ${tableName(keys)} k ON k.${quoteName(keys.id)} = s.dek
         GROUP BY 1, 2, 3 ORDER BY 2, 3`);
		const sum = (wanted) => rows.filter(wanted).reduce((total, row) => total + Number(row[3]), 0);
		return {
			model: model.name,
			field,
			rows: sum(() => true),
			null: sum(([kind]) => kind === "null"),
			plaintext: sum(([kind]) => kind === "plaintext"),
			ciphertext: sum(([kind]) => kind === "ciphertext"),
			unknownKey: sum(([kind, version]) => kind === "ciphertext" && version === null),
			versions: rows.filter(([kind, version]) => kind === "ciphertext" && version !== null).map(([, version, state, count]) => ({
				version: Number(version),
				state,
				rows: Number(count)
			}))
		};
	}));
}
async function surveyIndexes(database, { model, table }) {
	return Promise.all(model.indexes.map(async ({ field, sources }) => {
		const index = `t.${quoteName(table.indexes[field].column)}`;
		const set = sources.map((source) => isSet(table.fields[source])).join(" AND ");
		const [row] = await runSql(database, `SELECT count(*) FILTER (WHERE ${index} IS NULL AND ${set}), count(*) FILTER (WHERE ${index} IS NOT NULL AND NOT (${set}))
         FROM ${tableName(table)} t`);
		return {
			model: model.name,
			field,
			missing: Number(row[0]),
			stray: Number(row[1])
		};
	}));
}
/** The keys table, without what is wrapped. */
async function surveyKeys(database, { keysModel, models }, tenant) {
	const { columns, table } = models[keysModel];
	const names = [
		"id",
		"tenant",
		"purpose",
		"version",
		"state",
		"kms",
		"kekId",
		"messages"
	];
	const times = [
		"createdAt",
		"retiredAt",
		"destroyedAt"
	];
	const select = [...names.map((name) => quoteName(columns[name])), ...times.map((name) => `to_char(${quoteName(columns[name])}, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`)];
	const where = tenant === void 0 ? "" : `WHERE ${quoteName(columns.tenant)} = $1`;
	const order = [
		"tenant",
		"purpose",
		"version"
	].map((name) => quoteName(columns[name]));
	return (await runSql(database, `SELECT ${select} FROM ${tableName({ table })} ${where} ORDER BY ${order}`, tenant === void 0 ? [] : [tenant])).map(([id, owner, purpose, version, state, kms, kekId, messages, createdAt, retiredAt, destroyedAt]) => ({
		id,
		tenant: owner,
		purpose,
		version: Number(version),
		state,
		kms,
		kekId,
		messages: Number(messages),
		createdAt,
		retiredAt,
		destroyedAt
	}));
}
//#endregion
//#region src/prisma/survey.ts
/** Asks the database, and no KMS. Tables are read one after the other. */
async function survey(context, options) {
	const { database } = options;
	const keys = await keysTable(context.schema, database);
	const fields = [];
	const indexes = [];
	for (const one of choose(context, options)) {
		fields.push(...await surveyFields(database, one, keys));
		indexes.push(...await surveyIndexes(database, one));
	}
	return {
		at: (/* @__PURE__ */ new Date()).toISOString(),
		fields,
		indexes,
		keys: await surveyKeys(database, context.schema, options.tenant)
	};
}
//#endregion
//#region src/prisma/rawRows.ts
function encryptionOperations(context, schema, figures) {
	const { plans, ring, tenancy } = context;
	const maintenance = {
		schema,
		plans,
		ring,
		defaultTenant: tenancy.defaultTenant
	};
	return {
		decryptRows: (model, rows) => decryptRows(context, model, rows),
		encrypt: async (name, value, bound = {}) => {
			const { plan, field } = fieldOf(context, name);
			const holder = { value };
			const texts = boundTexts$1(plan, field, bound, "give it as the third argument");
			return run(context, holder, (owner) => ({
				mode: "encrypt",
				field,
				owner,
				holder,
				key: "value",
				bound: texts
			}));
		},
		blindIndex: async (name, value) => {
			const index = indexOf(context, name);
			const [field] = index.sources;
			const values = index.sources.length === 1 ? [value] : eachValue(index, value);
			const holder = {};
			return run(context, holder, (owner) => ({
				mode: "index",
				field,
				owner,
				holder,
				key: "value",
				index,
				values
			}));
		},
		maintain: (options) => maintain(maintenance, options),
		survey: (options) => survey(maintenance, options),
		checkKey: async (tenant) => {
			require_tenant.checkTenant(tenant);
			await ring.open(tenant);
		},
		schema,
		stats: () => ({
			...figures(),
			engine: require_duration.currentEngine().name
		})
	};
}
async function decryptRows(context, model, rows) {
	const plan = planOf(context, model);
	const owner = ownerOf(context, model);
	const copies = rows.map((row) => ({ ...row }));
	await transformAll(context, "decryptRows", copies.flatMap((row) => rowSlots(plan, row, owner)));
	return copies;
}
function rowSlots(plan, row, owner) {
	const nameIn = (field) => field in row ? field : plan.columns[field] ?? field;
	const known = Object.fromEntries([...plan.bound.keys()].map((column) => [column, row[nameIn(column)]]));
	const slots = [];
	for (const field of plan.encrypted) {
		const bound = () => boundTexts$1(plan, field, known, "select it too");
		collectStored(slots, {
			field,
			owner,
			holder: row,
			key: nameIn(field.field),
			bound
		});
	}
	return slots;
}
async function run(context, holder, slot) {
	const filled = slot({});
	const slots = [{
		...filled,
		owner: ownerOf(context, filled.field.name)
	}];
	await transformAll(context, filled.mode === "index" ? "blindIndex" : "encrypt", slots);
	return holder.value;
}
async function transformAll({ ring, watch }, method, slots) {
	await watchSlots(watch, `$encryption.${method}`, {
		slots,
		done: transform(slots, ring)
	});
}
function ownerOf(context, name) {
	const tenancy = new OperationTenancy(context.bindings.current(), context.tenancy);
	tenancy.settle(tenancy.owner, name);
	return tenancy.owner;
}
function eachValue({ name, sources }, value) {
	if (Array.isArray(value) && value.length === sources.length) return value;
	throw new require_errors.FieldsealError("VALUE_INVALID", `${name} indexes ${sources.length} fields: give an array with a value for each, in their order`);
}
function planOf(context, model) {
	const plan = context.plans.get(model);
	if (!plan) throw new require_errors.FieldsealError("OPTIONS_INVALID", `there is no model ${model} in encryptionSchema`);
	return plan;
}
function fieldOf(context, name) {
	const [model = "", field] = name.split(".");
	const plan = planOf(context, model);
	const found = plan.encrypted.find((candidate) => candidate.field === field);
	if (!found) throw new require_errors.FieldsealError("OPTIONS_INVALID", `${name} is not an encrypted field; write "Model.field"`);
	return {
		plan,
		field: found
	};
}
function indexOf(context, name) {
	const [model = "", column = ""] = name.split(".");
	const member = planOf(context, model).members.get(column);
	if (member?.kind !== "index") throw new require_errors.FieldsealError("OPTIONS_INVALID", `${name} is not a blind index; write "Model.indexField"`);
	return member.index;
}
//#endregion
//#region src/prisma/extension.ts
/** `Prisma.defineExtension`, by its type alone: at run time an extension is a function. */
const defineExtension = ((extension) => extension);
/**
* The Prisma client extension that encrypts the fields marked `@encrypted` in the schema.
*
* @throws FieldsealError `OPTIONS_INVALID`; `ALREADY_EXTENDED` when the client is extended with it twice
*
* @example
* ```ts
* import { fieldEncryption } from 'fieldseal/prisma'
* import { localKms } from 'fieldseal/local-kms'
* import { encryptionSchema } from './generated/encryption'
*
* const prisma = new PrismaClient({ adapter }).$extends(
*   fieldEncryption({ schema: encryptionSchema, kms: localKms({ env: 'FIELDSEAL_KEY' }) }),
* )
* const acme = prisma.$forTenant('acme')
* ```
*/
function fieldEncryption(options) {
	checkOptions$1(options);
	return defineExtension((client) => {
		const base = client;
		if ("$encryption" in base) throw alreadyExtended();
		checkClientMatches(options.schema, base._runtimeDataModel);
		const { context, figures, keys } = contextFor(base, options);
		const methods = {
			$forTenant(tenant) {
				require_tenant.checkTenant(tenant);
				return context.bindings.bind(this, tenant);
			},
			$acrossTenants() {
				return context.bindings.bind(this, require_duration.ANY_TENANT);
			},
			$encryption: {
				...encryptionOperations(context, options.schema, figures),
				...keys
			}
		};
		return client.$extends({
			name: "fieldseal",
			client: {
				...methods,
				...transactionMethod(base, context)
			},
			query: queryHooks(context)
		});
	});
}
/** A model that reaches no encrypted field gets no hook: Prisma's own cost of one would be most of what it pays. */
function queryHooks(context) {
	const run = (call) => watchRefusal(context.watch, call, () => runOperation(context, call));
	const hook = { $allOperations: run };
	const reaching = [...context.plans.values()].filter(({ reaches }) => reaches);
	return Object.fromEntries(reaching.map(({ name }) => [clientName(name), hook]));
}
function contextFor(base, options) {
	const { schema, tenant, defaultTenant, keys, normalizers, telemetry, audit } = options;
	const emit = emitTo([options.onEvent, telemetry?.onEvent]);
	const { ttl, max, staleFor, transactionWait, ...rotation } = keySettings(keys);
	const cache = new require_duration.DekCache({
		ttl,
		max,
		staleFor
	});
	const store = prismaKeyStore(base, schema.keysModel);
	const observation = {
		emit,
		around: telemetry?.around
	};
	const kms = openKms(options.kms, store, observation);
	const ring = new require_duration.KeyRing({
		kms,
		store,
		cache,
		rotation,
		onRotated: (tenant) => news.rotated(tenant),
		observation
	});
	const news = new KeyNews(ring, keys?.notify);
	const context = {
		plans: compilePlans(schema, base._globalOmit, normalizers),
		ring,
		keyStoreWaits: store.isWaiting,
		bindings: new Bindings(Object.keys(schema.models).map(clientName)),
		tenancy: {
			tenant,
			defaultTenant
		},
		transactionWait,
		watch: emit || audit ? {
			emit,
			audit
		} : void 0
	};
	const figures = () => ({
		cachedDeks: cache.size,
		cacheHits: cache.hits,
		cacheMisses: cache.misses
	});
	telemetry?.watch?.(figures);
	return {
		context,
		figures,
		keys: keyOperations({
			kms,
			ring,
			store,
			news,
			emit,
			memory: ttl + staleFor
		})
	};
}
/**
* An interactive transaction holds a connection while the key ring needs another, so a known tenant's DEKs are fetched
* before it begins. That is a help, not a condition: what fails here fails again, and clearly, where the key is used.
*/
function transactionMethod(base, context) {
	const scopes = indexScopes(context.plans);
	return { async $transaction(input, options) {
		const outermost = typeof this.$connect === "function";
		if (typeof input === "function" && outermost) await warm(context, scopes);
		return base.$transaction.call(this, input, options);
	} };
}
async function warm(context, scopes) {
	await within(warmKeys(context, scopes), context.transactionWait, () => /* @__PURE__ */ new Error("late")).catch(() => void 0);
}
async function warmKeys({ ring, bindings, tenancy }, scopes) {
	const tenant = bindings.current() ?? require_tenant.ambientTenant() ?? tenancy.tenant?.() ?? tenancy.defaultTenant;
	if (tenant === require_duration.ANY_TENANT || tenant === void 0) return;
	require_tenant.checkTenant(tenant);
	await Promise.all(keysOf(tenant, scopes).map(([owner, purpose]) => ring.prepare(owner, purpose)));
}
function indexScopes(plans) {
	const fields = [...plans.values()].flatMap(({ encrypted }) => encrypted);
	return new Set(fields.flatMap(({ indexes }) => indexes.map(({ scope }) => scope)));
}
/** The keys that a write of this tenant may need. */
function keysOf(tenant, scopes) {
	const owners = [...scopes].map((scope) => scope === "global" ? "*" : tenant);
	return [[tenant, "encrypt"], ...owners.map((owner) => [owner, "index"])];
}
function alreadyExtended() {
	return new require_errors.FieldsealError("ALREADY_EXTENDED", "this client is extended with fieldEncryption already; twice would encrypt twice. Extend it once, where it is made");
}
//#endregion
exports.assertEncrypted = assertEncrypted;
exports.fieldEncryption = fieldEncryption;
