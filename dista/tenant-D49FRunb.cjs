require("./duration-C3QRX9XE.cjs");
const require_errors = require("./errors-BaUhUZ7f.cjs");
let node_async_hooks = require("node:async_hooks");
//#region src/tenant.ts
const SHARED = Symbol.for("fieldseal.tenant");
/** One storage for the whole process, whichever builds of this library (ESM, CommonJS) are loaded. */
const ambient = sharedStorage(globalThis);
function sharedStorage(place) {
	place[SHARED] ??= new node_async_hooks.AsyncLocalStorage();
	return place[SHARED];
}
/**
* Runs `fn` with a tenant for every operation on encrypted fields in it, however deep and across `await`s. A Prisma
* query that `fn` returns without awaiting it keeps the tenant.
*
* @param tenant the tenant's id, as the application knows it
* @returns what `fn` returns
* @throws FieldsealError `TENANT_INVALID`
*
* @example
* ```ts
* import { withTenant } from 'fieldseal'
*
* app.use((request, response, next) => withTenant(request.user.tenantId, next))
* ```
*/
function withTenant(tenant, fn) {
	checkTenant(tenant);
	const run = (work) => ambient.run(tenant, work);
	return keepContext(run(fn), run);
}
/** The tenant of the innermost `withTenant`, if any. */
function ambientTenant() {
	return ambient.getStore();
}
/** @throws FieldsealError `TENANT_INVALID` when `tenant` cannot be a tenant's id */
function checkTenant(tenant) {
	const problem = tenantProblem(tenant);
	if (problem) throw new require_errors.FieldsealError("TENANT_INVALID", `a tenant id ${problem}`);
}
function tenantProblem(tenant) {
	if (typeof tenant !== "string") return `must be a string, not ${tenant === null ? "null" : typeof tenant}`;
	if (tenant === "") return "must not be empty";
	if (tenant === "*") return `must not be "*", which is reserved for global blind indexes`;
	if (tenant.includes("\0") || !tenant.isWellFormed()) return "must be well-formed text without NUL characters";
}
const STARTS = new Set([
	"then",
	"catch",
	"finally",
	"requestTransaction"
]);
/**
* Prisma's promises are lazy: they run when they are awaited, perhaps far from where they were made. This gives such a
* promise, and those that its fluent API makes, back their context. Anything else is returned as it is.
*/
function keepContext(value, run) {
	if (!isPrismaPromise(value)) return value;
	return new Proxy(value, { get(target, property) {
		const member = Reflect.get(target, property, target);
		if (typeof member !== "function") return member;
		return (...args) => {
			const result = run(() => Reflect.apply(member, target, args));
			return STARTS.has(property) ? result : keepContext(result, run);
		};
	} });
}
function isPrismaPromise(value) {
	return typeof value === "object" && value !== null && Reflect.get(value, Symbol.toStringTag) === "PrismaPromise";
}
//#endregion
Object.defineProperty(exports, "ambientTenant", {
	enumerable: true,
	get: function() {
		return ambientTenant;
	}
});
Object.defineProperty(exports, "checkTenant", {
	enumerable: true,
	get: function() {
		return checkTenant;
	}
});
Object.defineProperty(exports, "keepContext", {
	enumerable: true,
	get: function() {
		return keepContext;
	}
});
Object.defineProperty(exports, "withTenant", {
	enumerable: true,
	get: function() {
		return withTenant;
	}
});
