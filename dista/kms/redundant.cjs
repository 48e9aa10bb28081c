Object.defineProperty(exports, Symbol.toStringTag, { value: "Module" });
require("../duration-C3QRX9XE.cjs");
const require_errors = require("../errors-BaUhUZ7f.cjs");
const require_breaker = require("../breaker-C7GjUcql.cjs");
let node_crypto = require("node:crypto");
//#region src/kms/redundant.ts
const PREFIX = "fsm1.";
const NAME = /^[a-z0-9][a-z0-9-]{0,31}$/;
/**
* Each DEK wrapped by several KEKs, in several regions or at several vendors: any one of them opens it, so that the loss
* of one loses nothing. A wrapped DEK is `fsm1.` ‖ the JSON of `{ member: { kekId, wrapped } }`, in the column that is
* there already. A member that cannot be reached when a DEK is made is left out; `$encryption.rewrap()` adds it, as it
* does a member that is new, and drops one that is no longer among them.
*
* @throws FieldsealError `OPTIONS_INVALID`. Its methods throw the error of the first member when none helps.
* @example
* ```ts
* import { redundantKms } from 'fieldseal/redundant-kms'
*
* const kms = redundantKms({
*   members: {
*     guangzhou: tencentKms({ client: guangzhou, keyId: guangzhouKeyId }),
*     shanghai: tencentKms({ client: shanghai, keyId: shanghaiKeyId }),
*   },
* })
* ```
*/
function redundantKms(options) {
	checkOptions(options);
	const { minimum = 1 } = options;
	const members = Object.entries(options.members).map(([name, kms]) => [name, require_breaker.withBreaker(kms)]);
	return {
		name: "redundant",
		generate: (identity) => generate(members, identity, minimum),
		unwrap: (wrapped, identity) => unwrap(members, entriesOf(wrapped), identity),
		wrap: async (dek, identity) => textOf(enough(await wrapAll(members, dek, identity), minimum)),
		rewrap: (wrapped, identity) => rewrap(members, wrapped, identity)
	};
}
/** The first that can makes the DEK; the others wrap it. */
async function generate(members, identity, minimum) {
	const [maker, { dek, ...first }] = await firstOf(members, (kms) => kms.generate(identity));
	try {
		const { entries, errors } = await wrapAll(members.filter(([name]) => name !== maker), dek, identity);
		return {
			dek,
			...textOf(enough({
				entries: {
					[maker]: first,
					...entries
				},
				errors
			}, minimum))
		};
	} catch (error) {
		dek.fill(0);
		throw error;
	}
}
async function unwrap(members, entries, identity) {
	const able = members.filter(([name]) => entries[name]);
	if (able.length === 0) {
		const names = Object.keys(entries).map(require_errors.quoted).join(", ");
		throw unusable(`the DEK ${identity.key} is wrapped by ${names || "none"}, and none of these is a member now`);
	}
	const [, dek] = await firstOf(able, (kms, name) => kms.unwrap(entries[name], identity));
	return dek;
}
/** The first member that answers, and its answer. */
async function firstOf(members, ask) {
	let first;
	for (const [name, kms] of members) try {
		return [name, await ask(kms, name)];
	} catch (error) {
		first ??= error;
	}
	throw first;
}
async function wrapAll(members, dek, identity) {
	const outcomes = await Promise.allSettled(members.map(([, kms]) => wrapChecked(kms, dek, identity)));
	const entries = {};
	outcomes.forEach((outcome, i) => {
		if (outcome.status === "fulfilled") entries[members[i][0]] = outcome.value;
	});
	return {
		entries,
		errors: outcomes.flatMap((outcome) => outcome.status === "rejected" ? [outcome.reason] : [])
	};
}
/** A text that opens to something else would be found when it is the last one left. */
async function wrapChecked(kms, dek, identity) {
	const wrapped = await kms.wrap(dek, identity);
	const opened = await kms.unwrap(wrapped, identity);
	try {
		if (opened.length === dek.length && (0, node_crypto.timingSafeEqual)(opened, dek)) return wrapped;
		throw new require_errors.FieldsealError("KMS_REFUSED", `The KMS ${require_errors.quoted(kms.name)} wrapped another DEK than it was given.`);
	} finally {
		opened.fill(0);
	}
}
function enough({ entries, errors }, minimum) {
	if (Object.keys(entries).length >= minimum) return entries;
	throw errors[0] ?? unusable("too few members wrapped the DEK");
}
/** Every member must answer: an operator asks for it, and should know what is missing. */
async function rewrap(members, wrapped, identity) {
	const entries = entriesOf(wrapped);
	const dek = await unwrap(members, entries, identity);
	try {
		const next = await Promise.all(members.map(async ([name, kms]) => {
			const old = entries[name];
			const same = old && kms.rewrap ? await kms.rewrap(old, identity) : void 0;
			if (same && same.wrapped === old.wrapped) return [name, old];
			return [name, same ?? await wrapChecked(kms, dek, identity)];
		}));
		const text = textOf(Object.fromEntries(next));
		return text.wrapped === wrapped.wrapped ? wrapped : text;
	} finally {
		dek.fill(0);
	}
}
function textOf(entries) {
	const sorted = Object.keys(entries).sort();
	const list = sorted.map((name) => [name, {
		kekId: entries[name].kekId,
		wrapped: entries[name].wrapped
	}]);
	const kekId = sorted.map((name) => `${name}=${entries[name].kekId}`).join(" ");
	return {
		wrapped: PREFIX + JSON.stringify(Object.fromEntries(list)),
		kekId
	};
}
function entriesOf({ wrapped, kekId }) {
	try {
		const entries = wrapped.startsWith(PREFIX) ? JSON.parse(wrapped.slice(5)) : void 0;
		if (isEntries(entries) && textOf(entries).kekId === kekId) return entries;
	} catch {}
	throw new require_errors.FieldsealError("KMS_REFUSED", `The wrapped DEK under ${require_errors.quoted(kekId)} was changed: compare its row of the keys table with a backup.`);
}
function isEntries(value) {
	if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
	return Object.values(value).every((entry) => {
		return typeof entry?.kekId === "string" && typeof entry.wrapped === "string";
	});
}
function checkOptions({ members, minimum = 1, ...rest }) {
	const [unknown] = Object.keys(rest);
	if (unknown !== void 0) throw invalid(`does not know the option "${unknown}"; it knows members, minimum`);
	const list = Object.entries(members ?? {});
	if (list.length === 0) throw invalid("needs at least one member");
	for (const [name, kms] of list) {
		if (!NAME.test(name)) throw invalid(`needs names of lower-case letters, digits and hyphens, not ${require_errors.quoted(name)}`);
		if (typeof kms?.unwrap !== "function" || typeof kms.generate !== "function" || typeof kms.wrap !== "function") throw invalid(`needs a Kms with wrap() as member ${require_errors.quoted(name)}`);
	}
	if (!(Number.isInteger(minimum) && minimum >= 1 && minimum <= list.length)) throw invalid(`needs a "minimum" from 1 to the number of members, ${list.length}`);
}
function unusable(what) {
	return new require_errors.FieldsealError("KMS_KEY_UNUSABLE", `redundantKms: ${what}.`);
}
function invalid(why) {
	return new require_errors.FieldsealError("OPTIONS_INVALID", `redundantKms ${why}.`);
}
//#endregion
exports.redundantKms = redundantKms;
