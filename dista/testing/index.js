import { t as FieldsealError } from "../errors-DjzEY_1A.js";
import { t as startKmsEmulator } from "../kmsEmulator-C5L-_Yol.js";
import { setImmediate } from "node:timers/promises";
//#region src/testing/memoryKeyStore.ts
/**
* A keys table in memory for tests. Every call takes a turn of the event loop, as a query does, so calls that are
* started together interleave; `insert` and `reserve` themselves are atomic: of concurrent writers of one tenant,
* purpose and version exactly one gets `true`. Several key rings may share one store, as several processes share one table.
*
* @example
* ```ts
* import { memoryKeyStore } from 'fieldseal/testing'
*
* const store = memoryKeyStore()
* await store.findNewest('acme', 'encrypt') // null
* store.calls.findNewest // 1
* ```
*/
function memoryKeyStore(initial = [], options = {}) {
	return new MemoryTable(initial, options.now ?? Date.now);
}
var MemoryTable = class {
	calls = {
		findNewest: 0,
		findByIds: 0,
		insert: 0,
		reserve: 0,
		list: 0,
		count: 0,
		rewrap: 0,
		destroy: 0
	};
	#rows = /* @__PURE__ */ new Map();
	#fault;
	constructor(initial, now) {
		this.now = now;
		for (const row of initial) this.#rows.set(row.id, { ...row });
	}
	get rows() {
		return [...this.#rows.values()].map((row) => ({ ...row }));
	}
	async findNewest(tenant, purpose) {
		await this.#query("findNewest");
		return this.rows.filter((row) => row.tenant === tenant && row.purpose === purpose).reduce((newest, row) => row.version > (newest?.version ?? 0) ? row : newest, null);
	}
	async findByIds(ids) {
		await this.#query("findByIds");
		const wanted = new Set(ids);
		return this.rows.filter((row) => wanted.has(row.id));
	}
	async insert(key, { reopens = false } = {}) {
		await this.#query("insert");
		const before = this.rows.find((row) => sameVersion(row, {
			...key,
			version: key.version - 1
		}));
		if (before?.state === "destroyed" && !reopens) return false;
		if (this.rows.some((row) => sameVersion(row, key))) return false;
		if (this.#rows.has(key.id)) throw broken(`another row has the id ${key.id}`);
		if (before?.state === "active") this.tamper(before.id, { state: "retired" });
		this.#put(key);
		return true;
	}
	#put(key) {
		const createdAt = new Date(this.now());
		this.#rows.set(key.id, {
			...key,
			createdAt,
			destroyedAt: key.state === "destroyed" ? createdAt : null
		});
	}
	async reserve(id, count, limit) {
		await this.#query("reserve");
		const row = this.#rows.get(id);
		if (row?.state !== "active") return 0;
		const granted = Math.max(0, Math.min(count, limit - row.messages));
		this.#rows.set(id, {
			...row,
			messages: row.messages + granted
		});
		return granted;
	}
	async list(filter, page) {
		await this.#query("list");
		const { after = "", limit } = page;
		return this.rows.filter((row) => fits(row, filter) && row.id > after).sort((a, b) => a.id < b.id ? -1 : 1).slice(0, limit);
	}
	async count(filter) {
		await this.#query("count");
		return this.rows.filter((row) => fits(row, filter)).length;
	}
	async rewrap(key, to) {
		await this.#query("rewrap");
		const row = this.#rows.get(key.id);
		if (row?.wrapped !== key.wrapped || row.state === "destroyed") return false;
		this.#rows.set(key.id, {
			...row,
			...to
		});
		return true;
	}
	async destroy(tenant, tombstones) {
		await this.#query("destroy");
		const isOwn = (row) => row.tenant === tenant && row.purpose !== "wrap";
		const own = this.rows.filter(isOwn);
		if (own.length === 0) return [];
		for (const { id, state } of own) if (state !== "destroyed") this.tamper(id, {
			state: "destroyed",
			wrapped: null,
			destroyedAt: new Date(this.now())
		});
		for (const tombstone of tombstones) if (!own.some((row) => sameVersion(row, tombstone))) this.#put(tombstone);
		return this.rows.filter(isOwn);
	}
	tamper(id, change) {
		this.#rows.set(id, {
			...this.#existing(id),
			...change
		});
	}
	remove(id) {
		this.#rows.delete(this.#existing(id).id);
	}
	fail(options = {}) {
		const { method, times = Number.POSITIVE_INFINITY, error = broken("it was told to fail") } = options;
		this.#fault = {
			method,
			times,
			error
		};
	}
	repair() {
		this.#fault = void 0;
	}
	async #query(method) {
		this.calls[method] += 1;
		await setImmediate();
		const fault = this.#fault;
		if (!fault || fault.times <= 0 || (fault.method ?? method) !== method) return;
		fault.times -= 1;
		throw fault.error;
	}
	#existing(id) {
		const row = this.#rows.get(id);
		if (!row) throw new RangeError(`memoryKeyStore has no row with the id ${id}`);
		return row;
	}
};
function sameVersion(a, b) {
	return a.tenant === b.tenant && a.purpose === b.purpose && a.version === b.version;
}
function fits(row, { tenants, purpose, states, before }) {
	const one = tenants === void 0 || tenants.includes(row.tenant);
	const other = (purpose ?? row.purpose) === row.purpose && (states === void 0 || states.includes(row.state));
	return one && other && (before === void 0 || row.createdAt < before);
}
function broken(why) {
	return new FieldsealError("KEY_STORE_UNAVAILABLE", `The keys table could not be used: ${why}.`);
}
//#endregion
export { memoryKeyStore, startKmsEmulator };
