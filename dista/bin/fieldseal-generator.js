#!/usr/bin/env node
import { t as FieldsealError } from "../errors-DjzEY_1A.js";
import { a as idFields, c as relationOver, i as defaultKind, l as writtenNativeType, n as checkKeysModelCount, o as indexTypesOf, r as keysModelSource, s as referenceTo, t as checkKeysModel, u as writtenType } from "../keysModelRules-CnEqgkpc.js";
import { createHash } from "node:crypto";
import { basename, dirname, isAbsolute, join, relative, resolve } from "node:path";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import helper from "@prisma/generator-helper";
//#region src/schema/suggestion.ts
/** ``did you mean `…`?`` with the nearest candidate, or an empty text when none is near. */
function didYouMean(word, candidates) {
	const near = nearest(word, candidates, Math.min(2, word.length / 2));
	return near === void 0 ? "" : `did you mean \`${near}\`?`;
}
/** The text and a blank, or nothing. */
function andThen(text) {
	return text === "" ? "" : `${text} `;
}
/** The candidate with the smallest edit distance, upper and lower case, `_` and `-` aside. */
function nearest(word, candidates, limit) {
	let best;
	let bestDistance = limit;
	for (const candidate of candidates) {
		const distance = editDistance(fold(word), fold(candidate));
		if (distance > bestDistance || best !== void 0 && distance === bestDistance) continue;
		best = candidate;
		bestDistance = distance;
	}
	return best;
}
/** Letters and digits in lower case, so that `blind_index` equals `blindIndex`. */
function fold(word) {
	return word.toLowerCase().replace(/[_-]/g, "");
}
function editDistance(a, b) {
	let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
	for (let i = 1; i <= a.length; i++) {
		const row = [i];
		for (let j = 1; j <= b.length; j++) {
			const substituted = previous[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
			row.push(Math.min(substituted, previous[j] + 1, row[j - 1] + 1));
		}
		previous = row;
	}
	return previous[b.length];
}
//#endregion
//#region src/schema/annotationOptions.ts
const normalizers = [
	"trim",
	"lowercase",
	"nfkc",
	"digits",
	"diacritics"
];
const scopes = ["tenant", "global"];
const states = ["migrating", "ejecting"];
const laterOptions = ["mode", "mask"];
function encryptedOptions(annotation, report) {
	const args = readArguments(annotation, {
		options: [
			"bind",
			"as",
			"type",
			"pad"
		],
		words: states
	}, report);
	return defined({
		bind: names(args, "bind", report) ?? [],
		as: context(args, report),
		type: typeName(args, report),
		pad: pad(args, report),
		state: state(args, report)
	});
}
function blindIndexOptions(annotation, report) {
	const args = readArguments(annotation, {
		source: true,
		options: [
			"normalize",
			"scope",
			"bits"
		]
	}, report);
	return {
		sources: sourceNames(args, report),
		normalize: (names(args, "normalize", report) ?? []).flatMap((name) => normalizer(name, report)),
		scope: scope(args, report) ?? "tenant",
		bits: bits(args, report) ?? 128
	};
}
/** For annotations that take no arguments. */
function noOptions(annotation, report) {
	if (annotation.args.length > 0) report(`\`@${annotation.name}\` takes no arguments; write only \`@${annotation.name}\``);
}
const source = "<source>";
function readArguments(annotation, shape, report) {
	const args = /* @__PURE__ */ new Map();
	for (const [i, { name, value }] of annotation.args.entries()) {
		const key = shape.source === true && i === 0 && name === void 0 ? source : checkedName(annotation, shape, name, value, report);
		if (key === void 0) continue;
		if (args.has(key)) report(`option \`${key}\` of \`@${annotation.name}\` is given twice; keep one`);
		args.set(key, value);
	}
	return args;
}
function checkedName(annotation, { options, words = [] }, name, value, report) {
	const word = name ?? (value.kind === "identifier" ? value.text : void 0);
	if (name === void 0 ? word !== void 0 && words.includes(word) : options.includes(name)) return word;
	const all = [...options.map((option) => `\`${option}:\``), ...words.map((each) => `\`${each}\``)];
	const known = `\`@${annotation.name}\` knows ${all.join(", ")}`;
	if (word === void 0) report(`\`@${annotation.name}\` got a value without a name; ${known}`);
	else if (laterOptions.includes(word)) report(`option \`${word}\` is not supported by this version of fieldseal; leave it out`);
	else if (words.includes(word)) report(`\`${word}\` takes no value; write only \`${word}\``);
	else if (options.includes(word)) report(`option \`${word}\` has no value; write \`${word}: …\``);
	else report(`unknown option \`${word}\`; ${andThen(didYouMean(word, [...options, ...words]))}${known}`);
}
function sourceNames(args, report) {
	const value = args.get(source);
	if (value?.kind === "identifier") return [value.text];
	if (value?.kind === "list") return names(new Map([["@blindIndex", value]]), "@blindIndex", report) ?? [];
	if (value === void 0) report("`@blindIndex` does not say which field it indexes; write `@blindIndex(email)`");
	else report("the field that `@blindIndex` indexes is written as a bare name: `@blindIndex(email)`");
	return [];
}
/** A name that is nearly a built-in one is a mistake; any other is one of the application's own. */
function normalizer(name, report) {
	return didYouMean(name, normalizers) === "" ? [name] : oneOf(name, normalizers, "normalize", report);
}
function typeName(args, report) {
	const value = args.get("type");
	if (value === void 0 || value.kind === "identifier") return value?.text;
	report("`type` is the bare name of a type or an enum; write `type: DateTime`");
}
function pad(args, report) {
	const value = args.get("pad");
	if (value === void 0) return void 0;
	if (value.kind === "number" && Number.isInteger(value.number) && value.number >= 2 && value.number <= 65536) return value.number;
	report("`pad` is a length in bytes from 2 to 65536, to multiples of which values are filled up; write `pad: 64`");
}
function state(args, report) {
	const given = states.filter((word) => args.has(word));
	if (given.length > 1) report("`migrating` and `ejecting` exclude each other: `migrating` while plaintext is being encrypted, `ejecting` while ciphertext is being turned back; keep one");
	return given[0];
}
/** Without the properties that are undefined. */
function defined(values) {
	return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== void 0));
}
function names(args, option, report) {
	const value = args.get(option);
	if (value === void 0) return void 0;
	const items = value.kind === "list" ? value.items : [value];
	const texts = items.flatMap((item) => item.kind === "identifier" ? [item.text] : []);
	if (texts.length < items.length) report(`\`${option}\` takes bare names; write \`${option}: [a, b]\``);
	if (items.length === 0) report(`\`${option}\` is an empty list; leave the option out`);
	const twice = texts.find((text, i) => texts.indexOf(text) !== i);
	if (twice !== void 0) report(`\`${option}\` names \`${twice}\` twice; keep one`);
	return texts;
}
function context(args, report) {
	const value = args.get("as");
	if (value === void 0) return void 0;
	if (value.kind === "string" && /^[A-Za-z][A-Za-z0-9_]*\.[A-Za-z][A-Za-z0-9_]*$/.test(value.text)) return value.text;
	report("`as` pins the name a field had when it was first encrypted; write it as `as: \"Model.field\"`");
}
function scope(args, report) {
	const value = args.get("scope");
	if (value === void 0) return void 0;
	if (value.kind === "identifier") return oneOf(value.text, scopes, "scope", report)[0];
	report("`scope` is one bare word; write `scope: tenant` or `scope: global`");
}
function bits(args, report) {
	const value = args.get("bits");
	if (value === void 0) return void 0;
	if (value.kind === "number" && value.number >= 8 && value.number <= 256 && value.number % 8 === 0) return value.number;
	report("`bits` is a multiple of 8 from 8 to 256; leave it out for 128");
}
function oneOf(word, known, option, report) {
	const found = known.find((candidate) => candidate === word);
	if (found !== void 0) return [found];
	report(`\`${option}\` does not know \`${word}\`; ${andThen(didYouMean(word, known))}it knows ${known.join(", ")}`);
	return [];
}
//#endregion
//#region src/schema/annotationToken.ts
const blank = /\s*/y;
const patterns = [
	["identifier", /[A-Za-z][A-Za-z0-9_]*/y],
	["number", /-?\d+(?:\.\d+)?(?![A-Za-z0-9_.])/y],
	["string", /"(?:[^"\\\p{Cc}]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/uy],
	["punctuation", /[()[\],:]/y],
	["unknown", /[\s\S]/uy]
];
/** The token at or after `offset`; line breaks are blanks. Past the last one it answers `end`. */
function tokenAt(text, offset) {
	const start = offset + match(blank, text, offset).length;
	for (const [kind, pattern] of patterns) {
		const found = match(pattern, text, start);
		if (found !== void 0) return {
			kind,
			text: found,
			start,
			end: start + found.length
		};
	}
	return {
		kind: "end",
		text: "",
		start,
		end: start
	};
}
function match(sticky, text, offset) {
	sticky.lastIndex = offset;
	return sticky.exec(text)?.[0];
}
//#endregion
//#region src/schema/annotation.ts
/** The annotations of this library, as they are written after the `@`. */
const annotationNames = [
	"encrypted",
	"blindIndex",
	"tenant",
	"encryptionKeys"
];
/**
* Reads the arguments of an annotation by the grammar of docs/annotations.md.
*
* @param text what stands after the annotation's name
* @returns the arguments, and the offset in `text` after the closing parenthesis (0 when there are none)
* @throws FieldsealError `SCHEMA_INVALID` naming what was expected where
*/
function parseArguments(text) {
	if (!/^[^\S\n]*\(/.test(text)) return {
		args: [],
		end: 0
	};
	const cursor = new Cursor(text);
	cursor.expect("(");
	return {
		args: separated(cursor, ")", parseArgument),
		end: cursor.take().end
	};
}
function parseArgument(cursor) {
	if (cursor.peek().kind !== "identifier" || cursor.peek(1).text !== ":") return { value: parseValue(cursor) };
	const name = cursor.take().text;
	cursor.expect(":");
	return {
		name,
		value: parseValue(cursor)
	};
}
function parseValue(cursor) {
	if (cursor.peek().text !== "[") return parseScalar(cursor);
	cursor.expect("[");
	const items = separated(cursor, "]", parseScalar);
	cursor.expect("]");
	return {
		kind: "list",
		items
	};
}
function parseScalar(cursor) {
	const token = cursor.peek();
	switch (token.kind) {
		case "identifier": return {
			kind: token.kind,
			text: cursor.take().text
		};
		case "string": return {
			kind: token.kind,
			text: JSON.parse(cursor.take().text)
		};
		case "number": return {
			kind: token.kind,
			number: Number(cursor.take().text)
		};
		case "punctuation":
		case "unknown":
		case "end": throw unexpected(token, "a name, a list [a, b], a number or a text in double quotes");
	}
}
function separated(cursor, close, parseItem) {
	const items = [];
	if (cursor.peek().text === close) return items;
	for (;;) {
		items.push(parseItem(cursor));
		if (cursor.peek().text === close) return items;
		if (cursor.peek().text !== ",") throw unexpected(cursor.peek(), `\`,\` or \`${close}\``);
		cursor.take();
	}
}
var Cursor = class {
	#offset = 0;
	#text;
	constructor(text) {
		this.#text = text;
	}
	peek(ahead = 0) {
		let token = tokenAt(this.#text, this.#offset);
		for (let i = 0; i < ahead; i++) token = tokenAt(this.#text, token.end);
		return token;
	}
	take() {
		const token = this.peek();
		this.#offset = token.end;
		return token;
	}
	expect(punctuation) {
		const token = this.take();
		if (token.text !== punctuation) throw unexpected(token, `\`${punctuation}\``);
	}
};
function unexpected(token, wanted) {
	return new FieldsealError("SCHEMA_INVALID", `${token.kind === "end" ? "the documentation ends" : `\`${token.text}\` stands`} where ${wanted} should be${hint(token)}`);
}
function hint(token) {
	if (token.text === "\"" || token.text === "'") return "; a text stands in double quotes, closed on the same line";
	if (token.text === ".") return "; a text with a dot stands in double quotes: as: \"User.email\"";
	if (/[（）［］，：＂“”]/u.test(token.text)) return "; type the ASCII character";
	return "";
}
//#endregion
//#region src/schema/documentation.ts
const annotationStart = new RegExp(`^\\s*@(${annotationNames.join("|")})(?![A-Za-z0-9_-])(?!\\.[A-Za-z])`);
const mention = /(?<![A-Za-z0-9_])[@＠]+([A-Za-z][A-Za-z0-9_-]*)(:[a-z]+|\.(?=[A-Za-z]))?/g;
/**
* Reads the documentation of one element of the schema. An annotation begins its line and has the rest of it for
* itself; arguments may run over several lines. Everything else is prose, in which a name of ours after an `@`, or
* one that is nearly ours, is a problem: it would leave a field in plaintext that someone thinks is encrypted.
*/
function readDocumentation(text) {
	const found = {
		annotations: [],
		damaged: [],
		problems: []
	};
	let rest = (text ?? "").replace(/\r\n?/g, "\n");
	while (rest !== "") rest = rest.slice(readLine(rest, found));
	return found;
}
function readLine(text, found) {
	const start = annotationStart.exec(text);
	if (start !== null && isOnFirstLine(text, start[0])) return readAnnotation(text, start[1], start[0].length, found);
	const end = lineEnd(text, 0);
	found.problems.push(...mentionsIn(text.slice(0, end)));
	return end;
}
function readAnnotation(text, name, nameEnd, found) {
	try {
		const { args, end } = parseArguments(text.slice(nameEnd));
		found.annotations.push({
			name,
			args
		});
		return readTrailer(text, name, nameEnd + end, found);
	} catch (error) {
		if (!FieldsealError.is(error)) throw error;
		found.damaged.push(name);
		found.problems.push(`cannot read \`@${name}(…)\`: ${error.message}`);
		return lineEnd(text, nameEnd);
	}
}
function readTrailer(text, name, offset, found) {
	const end = lineEnd(text, offset);
	const trailer = text.slice(offset, end).trim();
	if (trailer !== "") found.problems.push(`\`@${name}\` is followed by \`${shorten(trailer)}\`; an annotation has its line for itself: ` + (/^[（［]/u.test(trailer) ? "arguments stand in ASCII parentheses" : "put other text on a line of its own, or, if this is prose, leave out the @"));
	return end;
}
function mentionsIn(line) {
	const problems = [];
	for (const [written, name, suffix] of line.matchAll(mention)) {
		const meant = meantBy(name, suffix ?? "");
		if (meant === void 0) continue;
		const correct = written === `@${meant}`;
		problems.push(correct ? `mentions \`@${meant}\` inside a line, where it does nothing; to switch it on, begin a \`///\` line with \`@${meant}\`; in prose, leave out the @` : `unknown annotation \`${written}\`; did you mean \`@${meant}\`? It begins its \`///\` line; in prose, leave out the @`);
	}
	return problems;
}
/** The annotation that a word after an `@` is, or is nearly. Dotted names belong to other generators, unless ours. */
function meantBy(name, suffix) {
	const same = annotationNames.find((known) => fold(known) === fold(name));
	if (same !== void 0) return same;
	if (/^encrypt/.test(fold(name))) return suffix === ":hash" ? "blindIndex" : nearest(name, annotationNames, Infinity);
	return suffix === "." ? void 0 : nearest(name, annotationNames, 2);
}
function isOnFirstLine(text, start) {
	return start.length <= lineEnd(text, 0);
}
function lineEnd(text, offset) {
	const at = text.indexOf("\n", offset);
	return at < 0 ? text.length : at + 1;
}
function shorten(text) {
	return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
//#endregion
//#region src/schema/annotatedModel.ts
/** Reads the annotations of a model and its fields. */
function annotateModel(model, reportAt) {
	const draft = {
		tenants: [],
		encrypted: [],
		indexes: []
	};
	const isKeys = readModel(model, (problem) => reportAt(model.name, problem));
	for (const field of model.fields) readField(field, draft, (problem) => reportAt(`${model.name}.${field.name}`, problem));
	return {
		model,
		isKeys,
		...draft
	};
}
/** Reports annotations on enums and their values, which can carry none. */
function refuseOnEnums({ enums }, reportAt) {
	for (const { name, documentation, values } of enums) {
		refuseAll(documentation, (problem) => reportAt(name, problem));
		for (const value of values) refuseAll(value.documentation, (problem) => reportAt(`${name}.${value.name}`, problem));
	}
}
function readModel({ documentation }, report) {
	const { found, damaged } = readOnce(documentation, report);
	for (const annotation of found) if (annotation.name === "encryptionKeys") noOptions(annotation, report);
	else report(`\`@${annotation.name}\` stands on a model; put it on the field that it means`);
	return damaged.includes("encryptionKeys") || found.some(({ name }) => name === "encryptionKeys");
}
function readField(field, draft, report) {
	const { found, damaged } = readOnce(field.documentation, report);
	const [first, second] = found;
	if (second !== void 0) report(`\`@${first.name}\` and \`@${second.name}\` exclude each other on one field; put each on a field of its own`);
	for (const annotation of found) readFieldAnnotation(annotation, field, draft, report);
	for (const name of damaged) assumeDefaults(name, field, draft);
}
function readFieldAnnotation(annotation, field, draft, report) {
	switch (annotation.name) {
		case "encrypted":
			draft.encrypted.push({
				field,
				options: encryptedOptions(annotation, report)
			});
			return;
		case "blindIndex":
			draft.indexes.push({
				field,
				options: blindIndexOptions(annotation, report)
			});
			return;
		case "tenant":
			noOptions(annotation, report);
			draft.tenants.push(field);
			return;
		case "encryptionKeys":
			report("`@encryptionKeys` stands on a field; put it on the line before the model that stores the keys");
			return;
		default: annotation.name;
	}
}
/** An unreadable annotation is reported once; taking it for its plain form keeps follow-up problems away. */
function assumeDefaults(name, field, draft) {
	if (name === "encrypted") draft.encrypted.push({
		field,
		options: { bind: [] }
	});
	if (name === "tenant") draft.tenants.push(field);
}
function readOnce(documentation, report) {
	const { annotations, damaged, problems } = readDocumentation(documentation);
	for (const problem of problems) report(problem);
	const found = /* @__PURE__ */ new Map();
	for (const annotation of annotations) {
		if (found.has(annotation.name)) report(`\`@${annotation.name}\` is written twice; keep one`);
		found.set(annotation.name, annotation);
	}
	return {
		found: [...found.values()],
		damaged
	};
}
function refuseAll(documentation, report) {
	for (const { name } of readOnce(documentation, report).found) report(`\`@${name}\` stands on an enum, which cannot carry it; put it on a model's String, Bytes or Json field`);
}
//#endregion
//#region src/schema/valueRules.ts
const storageTypes = [
	"String",
	"Bytes",
	"Json"
];
/** Types whose values are all of one length, or nearly so. */
const fixedTypes = [
	"Int",
	"BigInt",
	"Float",
	"Boolean",
	"DateTime"
];
const valueTypes = [
	...storageTypes,
	...fixedTypes,
	"Decimal"
];
/** Whether a Prisma type can hold ciphertext. */
function isStorageType(type) {
	return storageTypes.some((storage) => storage === type);
}
/** The enum that `type:` names. */
function enumOf({ options, facts }) {
	return facts.datamodel.enums.find(({ name }) => name === options.type);
}
/** What the field holds; an unknown name was reported by `typeProblem`. */
function valueTypeOf(subject) {
	const { field, options } = subject;
	if (enumOf(subject) !== void 0) return "Enum";
	return options.type ?? field.type;
}
/** What `type:` must not be. */
function typeProblem(subject) {
	const { field, options, facts } = subject;
	const { type } = options;
	if (type === void 0 || !isStorageType(field.type)) return void 0;
	const names = [...valueTypes, ...facts.datamodel.enums.map(({ name }) => name)];
	if (!names.includes(type)) return `has \`type: ${type}\`, which is no type; ${andThen(didYouMean(type, names))}write ${valueTypes.join(", ")} or an enum of the schema`;
	if (field.type === "Json" && type !== "Json") return `is Json, which holds JSON only; leave out \`type: ${type}\`, or make it String`;
}
/** Where `pad:` would hide nothing. */
function padProblem(subject) {
	const { field, options } = subject;
	const type = valueTypeOf(subject);
	if (options.pad === void 0 || field.isList || !fixedTypes.some((fixed) => fixed === type)) return void 0;
	return `has \`pad: ${options.pad}\`, yet all values of the type ${type} are equally long; leave it out`;
}
/** Plaintext of a typed field has a form in text columns only. */
function stateProblem(subject) {
	const { field, options } = subject;
	const type = valueTypeOf(subject);
	if (options.state === void 0 || field.type !== "Bytes" || type === "Bytes") return void 0;
	return `is \`${options.state}\` and holds ${type} in ${writtenType(field)}, where plaintext of that type has no form; leave out \`${options.state}\`, or make it String`;
}
//#endregion
//#region src/schema/blindIndexRules.ts
/** Below this, different values collide often enough to fail a unique constraint. */
const leastUniqueBits = 128;
/** What a `@blindIndex` column and the field behind it must be. */
const blindIndexRules = [
	({ owner }) => {
		if (owner.isKeys) return "is in the model that stores the keys; remove `@blindIndex`";
	},
	({ owner, facts }) => {
		if (facts.views.has(owner.model.name)) return "is in a view; put `@blindIndex` on a column of the model behind it";
	},
	({ field }) => {
		if (!isIndexType(field)) return `is a blind index of the type ${writtenType(field)}; make it String? or Bytes?`;
	},
	({ field, options }) => {
		if (!isIndexType(field) || !field.nativeType || holds(field, textLength(options.bits))) return void 0;
		const instead = field.type === "Bytes" ? "@db.ByteA" : `@db.Text or @db.VarChar(${textLength(options.bits)})`;
		return `has the native type ${writtenNativeType(field)}, which does not hold an index of ${options.bits} bits; use ${instead}`;
	},
	({ field }) => {
		if (field.isRequired && isIndexType(field)) return `is required; make it ${field.type}?: it is null in rows without a value and in rows not indexed yet`;
	},
	({ field }) => {
		if (field.hasDefaultValue) return "has a @default, which is no index of any value; remove it";
	},
	({ field, owner, facts }) => {
		const key = relationOver(owner.model, field.name)?.name ?? referenceTo(facts.datamodel, owner.model.name, field.name);
		if (key !== void 0) return `is a key of the relation \`${key}\`; use another column for the blind index`;
	},
	({ field, options, owner, facts }) => {
		const types = indexTypesOf(facts.datamodel, owner.model.name, field.name);
		if (!(field.isUnique || types.includes("unique")) || options.bits >= leastUniqueBits) return void 0;
		return `is unique with ${options.bits} bits, so that different values could violate the constraint; remove the uniqueness or use ${leastUniqueBits} bits or more`;
	},
	(subject) => firstOf(subject.options.sources, (source) => sourceProblem(subject, source)),
	({ options, owner, facts }) => {
		const sources = options.sources.flatMap((source) => encryptedSource(owner, source) ?? []);
		if (options.normalize.length === 0 || sources.length === 0) return void 0;
		const typed = sources.map((source) => ({
			name: source.field.name,
			type: valueTypeOf({
				...source,
				facts
			})
		}));
		if (typed.some(({ type }) => type === "String")) return void 0;
		const { name, type } = typed[0];
		return `normalises \`${name}\`, which is ${type}; leave out \`normalize\`: it works on String values only`;
	}
];
function sourceProblem({ field, owner, facts }, source) {
	const encrypted = encryptedSource(owner, source);
	if (encrypted !== void 0) return valueProblem(source, {
		...encrypted,
		facts
	});
	if (source === field.name) return "indexes itself; name the `@encrypted` field it is made from";
	if (owner.model.fields.some(({ name }) => name === source)) return `indexes \`${source}\`, which is not encrypted; put \`@encrypted\` on it or remove the blind index`;
	const candidates = owner.encrypted.map((candidate) => candidate.field.name);
	return `indexes \`${source}\`, which is no field of ${owner.model.name}; ${didYouMean(source, candidates) || "name an encrypted field of the same model"}`;
}
function valueProblem(source, subject) {
	if (subject.field.isList) return `indexes \`${source}\`, which is a list; index a field of one value`;
	if (valueTypeOf(subject) !== "Json") return void 0;
	return `indexes \`${source}\`, which is Json and has no one form to compare; index a field of another type`;
}
function firstOf(sources, problemOf) {
	return sources.map(problemOf).find((problem) => problem !== void 0);
}
function encryptedSource(owner, source) {
	return owner.encrypted.find(({ field }) => field.name === source);
}
function isIndexType(field) {
	return field.kind === "scalar" && !field.isList && (field.type === "String" || field.type === "Bytes");
}
function holds({ nativeType }, characters) {
	const [name, args] = nativeType;
	if (name === "VarChar") return args.length === 0 || Number(args[0]) >= characters;
	return name === "Text" || name === "ByteA";
}
/** Base64url without padding: six bits a character. */
function textLength(bits) {
	return Math.ceil(bits / 6);
}
//#endregion
//#region src/schema/boundColumnRules.ts
const databaseDefaults = [
	"autoincrement",
	"dbgenerated",
	"now",
	"sequence"
];
const clientDefaults = [
	"uuid",
	"cuid",
	"ulid",
	"nanoid"
];
/** What a bound column must be: known before the row is written, in one canonical form, and never changed. */
const boundColumnRules = [
	({ column, owner }) => {
		if (owner.encrypted.some(({ field }) => field === column)) return because(column, "is itself encrypted; bind to a plaintext column");
	},
	({ column, owner }) => {
		if (owner.indexes.some(({ field }) => field === column)) return because(column, "is a blind index; bind to the id");
	},
	({ column }) => {
		if (column.isUpdatedAt) return because(column, "changes at every update (@updatedAt); bind to a column that never changes");
	},
	({ column }) => {
		if (column.isUpdatedAt || boundType(column) !== void 0) return void 0;
		return because(column, `is ${describeType(column)}; bind to a column of the type String (@db.Text, @db.VarChar, @db.Uuid or none), Int or BigInt`);
	},
	({ column }) => {
		if (!column.isRequired) return because(column, `may be null (${writtenType(column)}); make it required`);
	},
	({ column }) => defaultProblem(column),
	({ column, owner }) => {
		const relation = relationOver(owner.model, column.name);
		if (relation === void 0 || ["Restrict", "NoAction"].includes(relation.relationOnUpdate ?? "")) return void 0;
		return because(column, `is the foreign key of \`${relation.name}\`, and the database changes it when the referred row's key changes; write \`onUpdate: Restrict\` in the @relation`);
	}
];
/** What to say when a model has no field of this name. */
function missingBoundColumn(name, { model }) {
	const fields = model.fields.filter(({ kind }) => kind === "scalar").map((field) => field.name);
	return `binds to \`${name}\`, which is no field of ${model.name}; ${didYouMean(name, fields) || "name columns of the same model"}`;
}
/** The bound column as the run time needs it, or nothing when its type has no canonical form. */
function boundType(column) {
	if (column.kind !== "scalar" || column.isList) return void 0;
	if (column.type === "Int" || column.type === "BigInt") return column.type;
	if (column.type !== "String") return void 0;
	const native = column.nativeType?.[0] ?? "Text";
	if (native === "Uuid") return "Uuid";
	return native === "Text" || native === "VarChar" ? "String" : void 0;
}
/** The client-side default that the extension makes itself. */
function boundDefault({ default: value }) {
	if (typeof value !== "object" || !("name" in value) || !clientDefaults.includes(value.name)) return void 0;
	const name = value.name;
	const argument = value.args[0];
	return typeof argument === "number" ? {
		name,
		argument
	} : { name };
}
function defaultProblem(column) {
	const kind = defaultKind(column);
	if (kind === void 0 || boundDefault(column) !== void 0) return void 0;
	if (kind === "constant") return because(column, "has a constant @default; remove it and give the value in `data`");
	if (databaseDefaults.includes(kind)) return because(column, `gets its value from the database (@default(${kind}(…))), too late to encrypt with it; use @default(uuid()) or give the value in \`data\``);
	return because(column, `has @default(${kind}(…)), which fieldseal does not make; use @default(uuid()) or @default(cuid())`);
}
function describeType(column) {
	if (column.kind === "object") return "a relation";
	if (column.kind === "enum") return `of the enum ${column.type}`;
	return `${column.isList ? "a list" : "of a type without one canonical form"} (${writtenType(column)})`;
}
function because(column, reason) {
	return `binds to \`${column.name}\`, which ${reason}`;
}
//#endregion
//#region src/schema/encryptedRules.ts
/** The native types that hold any ciphertext unchanged, none included; the first is what to use instead. */
const nativeTypes = {
	String: ["Text", "VarChar"],
	Bytes: ["ByteA"],
	Json: ["JsonB", "Json"]
};
/** What an `@encrypted` field must and must not be. */
const encryptedRules = [
	({ owner }) => {
		if (owner.isKeys) return "is in the model that stores the keys; remove `@encrypted`: wrapped keys are ciphertext already";
	},
	({ owner, facts }) => {
		if (facts.views.has(owner.model.name)) return "is in a view; put `@encrypted` on the field of the model behind it";
	},
	({ field }) => columnProblem(field),
	({ field }) => {
		if (field.isList && field.type === "Json") return `is a list (${writtenType(field)}), which cannot be encrypted; use one Json field for the whole list`;
	},
	(subject) => typeProblem(subject),
	(subject) => padProblem(subject),
	(subject) => stateProblem(subject),
	({ field }) => {
		if (!isStorageType(field.type) || !field.nativeType) return void 0;
		const [name, args] = field.nativeType;
		const allowed = nativeTypes[field.type];
		if (allowed.includes(name) && args.length === 0) return void 0;
		return `has the native type ${writtenNativeType(field)}, which does not hold every ciphertext; use @db.${allowed[0]}`;
	},
	({ field, owner, facts }) => {
		const types = indexTypesOf(facts.datamodel, owner.model.name, field.name);
		if (field.isId || types.includes("id")) return "is in the primary key, and equal values have different ciphertexts; use another field as the id";
		if (field.isUnique || types.includes("unique")) return "is unique, and equal values have different ciphertexts; put `@unique` on a `@blindIndex` column of it instead";
		if (types.length > 0) return "is in an @@index, which cannot find ciphertext; index a `@blindIndex` column of it instead";
	},
	({ field, owner }) => {
		const relation = relationOver(owner.model, field.name);
		if (relation !== void 0) return `is a foreign key of the relation \`${relation.name}\`; leave keys of relations in plaintext`;
	},
	({ field, owner, facts }) => {
		const relation = referenceTo(facts.datamodel, owner.model.name, field.name);
		if (relation !== void 0) return `is what the relation ${relation} refers to; leave keys of relations in plaintext`;
	},
	({ field }) => {
		if (field.hasDefaultValue && !isEmptyList(field)) return "has a @default, which would store plaintext; remove it and give the value in `data`";
	}
];
/** What `as:` must not be: the context of two fields. */
function duplicateContext(subject) {
	const context = contextOf(subject.owner, subject);
	const other = subject.facts.annotated.flatMap((owner) => owner.encrypted.map((encrypted) => ({
		owner,
		encrypted
	}))).find(({ owner, encrypted }) => encrypted.field !== subject.field && contextOf(owner, encrypted) === context);
	if (other === void 0) return void 0;
	return `has the context "${context}", as ${`${other.owner.model.name}.${other.encrypted.field.name}`} has: their ciphertexts could be exchanged; give each its own name in \`as:\``;
}
/** The context that goes into the AAD: `Model.field`, or what `as:` pins. */
function contextOf({ model }, { field, options }) {
	return options.as ?? `${model.name}.${field.name}`;
}
/** What a field's column is made of: Prisma's own type may be another one than that of its values. */
function columnProblem(field) {
	if (field.kind === "object") return "is a relation; put `@encrypted` on a String, Bytes or Json field";
	if (isStorageType(field.type)) return void 0;
	const [, optional = ""] = /(\[\]|\?)?$/.exec(writtenType({
		...field,
		nativeType: null
	}));
	const instead = `make it String${optional} with \`@encrypted(type: ${field.type})\``;
	if (field.kind === "enum") return `has the enum type ${field.type}, whose column cannot hold ciphertext; ${instead}`;
	return `has the type ${writtenType(field)}, whose column cannot hold ciphertext; ${instead}`;
}
/** An empty list is stored as one, and read as one. */
function isEmptyList(field) {
	return field.isList && Array.isArray(field.default) && field.default.length === 0;
}
//#endregion
//#region src/schema/modelSchema.ts
/** What the run time needs of a model that passed every check. */
function modelSchema(annotated, facts) {
	const { model, tenants } = annotated;
	const columns = model.fields.filter(({ kind }) => kind === "scalar" || kind === "enum");
	return {
		table: model.dbName ?? model.name,
		id: idFields(model),
		uniques: record(compoundUniques(model)),
		columns: record(columns.map(({ name, dbName }) => [name, dbName ?? name])),
		...tenants[0] === void 0 ? {} : { tenant: tenants[0].name },
		encrypted: record(encryptedFields(annotated, facts)),
		indexes: record(blindIndexes(annotated)),
		bound: record(boundColumns(annotated)),
		relations: record(relations(model))
	};
}
/** Prisma selects by a single field under that field's own name, whatever its `@@id` or `@@unique` is called. */
function compoundUniques({ primaryKey, uniqueIndexes }) {
	return (primaryKey === null ? uniqueIndexes : [primaryKey, ...uniqueIndexes]).filter(({ fields }) => fields.length > 1).map(({ name, fields }) => [name ?? fields.join("_"), fields]);
}
function encryptedFields(owner, facts) {
	return owner.encrypted.map((encrypted) => {
		const { field, options } = encrypted;
		const type = field.type;
		const context = contextOf(owner, encrypted);
		const values = valuesOf({
			...encrypted,
			facts
		});
		return [field.name, {
			type,
			required: field.isRequired,
			...values,
			context,
			bind: options.bind
		}];
	});
}
/** What a field holds, where that is not simply what its column holds: plain fields keep their few keys. */
function valuesOf(subject) {
	const { field, options } = subject;
	const value = valueTypeOf(subject);
	return {
		...value === field.type ? {} : { value },
		...value === "Enum" ? { enum: enumOf(subject).values.map(({ name }) => name) } : {},
		...field.isList ? { list: true } : {},
		...options.pad === void 0 ? {} : { pad: options.pad },
		...options.state === void 0 ? {} : { state: options.state }
	};
}
function blindIndexes({ model, indexes }) {
	return indexes.map(({ field, options }) => {
		const { sources, normalize, scope, bits } = options;
		const type = field.type;
		const unique = isUniqueAlone(model, field) ? { unique: true } : {};
		return [field.name, {
			type,
			sources,
			normalize,
			scope,
			bits,
			...unique
		}];
	});
}
function isUniqueAlone({ uniqueIndexes }, { name, isUnique }) {
	return isUnique || uniqueIndexes.some(({ fields }) => fields.length === 1 && fields[0] === name);
}
function boundColumns({ model, encrypted }) {
	const names = new Set(encrypted.flatMap(({ options }) => options.bind));
	return model.fields.filter(({ name }) => names.has(name)).map((column) => {
		const type = boundType(column);
		const made = boundDefault(column);
		return [column.name, made === void 0 ? { type } : {
			type,
			default: made
		}];
	});
}
function relations({ fields }) {
	return fields.filter(({ kind }) => kind === "object").map(({ name, type, isList, relationName, relationFromFields = [], relationToFields = [] }) => [name, {
		model: type,
		relationName,
		list: isList,
		from: relationFromFields,
		to: relationToFields
	}]);
}
function record(entries) {
	return Object.fromEntries(entries);
}
//#endregion
//#region src/schema/problem.ts
/** Reports what every rule of a table says about the subject. */
function applyRules(rules, subject, place, reportAt) {
	for (const rule of rules) {
		const text = rule(subject);
		if (text !== void 0) reportAt(place, text);
	}
}
/** One error that lists all problems, a line each. */
function schemaError(problems, footer) {
	const count = problems.length === 1 ? "a problem" : `${problems.length} problems`;
	const lines = problems.map(({ place, text }) => `  ${place}: ${text}`);
	return new FieldsealError("SCHEMA_INVALID", [
		`fieldseal found ${count} in the Prisma schema:`,
		"",
		...lines,
		...footer ? ["", footer] : []
	].join("\n"));
}
//#endregion
//#region src/schema/tenantRules.ts
/** Types that give a tenant id back as it was written. */
const exactTypes = [
	"Text",
	"VarChar",
	"Uuid"
];
/** What a `@tenant` column must be. */
const tenantRules = [
	({ owner }) => {
		if (owner.isKeys) return "is in the model that stores the keys; remove `@tenant`: its `tenant` field is known by name";
	},
	({ field, owner }) => {
		const [first] = owner.tenants;
		if (first !== field) return `is a second \`@tenant\` of ${owner.model.name}, after \`${first.name}\`; a row belongs to one tenant: keep one`;
	},
	({ field }) => {
		if (field.kind === "scalar" && field.type === "String" && !field.isList) return void 0;
		return `holds the tenant and has the type ${writtenType(field)}; make it a String`;
	},
	({ field }) => {
		if (!field.isRequired) return "holds the tenant and may be null; make it required: a row without tenant has no key";
	},
	({ field }) => {
		if (field.type !== "String" || !field.nativeType || exactTypes.includes(field.nativeType[0])) return void 0;
		return `has the native type ${writtenNativeType(field)}, which changes what it stores or compares; use @db.Text, @db.VarChar or @db.Uuid`;
	},
	({ field }) => {
		if (defaultKind(field) !== "constant") return void 0;
		return "has a constant @default, so that rows would name another tenant than their key does; remove it, or use the `defaultTenant` option";
	}
];
//#endregion
//#region src/schema/encryptionSchemaOf.ts
/**
* Makes of an annotated Prisma data model what the library needs at run time.
*
* @returns the models sorted by name; `keysModel` is empty when nothing is encrypted and nothing stores keys
* @throws FieldsealError `SCHEMA_INVALID` listing everything that is wrong, a line each
*/
function encryptionSchemaOf({ datamodel, provider, views = /* @__PURE__ */ new Set() }) {
	const problems = [];
	const reportAt = (place, text) => problems.push({
		place,
		text
	});
	checkProvider(provider, reportAt);
	const annotated = datamodel.models.map((model) => annotateModel(model, reportAt));
	const needsKeysModel = check({
		datamodel,
		views,
		annotated
	}, reportAt);
	refuseOnEnums(datamodel, reportAt);
	if (problems.length > 0) throw schemaError(problems, needsKeysModel ? pasteKeysModel : "");
	return {
		format: 2,
		keysModel: annotated.find(({ isKeys }) => isKeys)?.model.name ?? "",
		models: Object.fromEntries([...annotated].sort(byName).map((model) => [model.model.name, modelSchema(model, { datamodel })]))
	};
}
const pasteKeysModel = `The model that stores the keys, to paste into the schema:\n\n${keysModelSource}`;
function checkProvider(provider, reportAt) {
	if (provider === "postgresql" || provider === "postgres") return;
	reportAt("datasource", `has the provider "${provider}"${provider === "cockroachdb" ? ", which is not tested with it" : ""}; this version of fieldseal works with "postgresql" only`);
}
function check(facts, reportAt) {
	for (const owner of facts.annotated) checkModel(owner, facts, reportAt);
	const incomplete = facts.annotated.filter(({ isKeys }) => isKeys).map(({ model }) => checkKeysModel(model, reportAt)).includes(true);
	return checkKeysModelCount(facts.annotated, reportAt) || incomplete;
}
function checkModel(owner, facts, reportAt) {
	const place = (field) => `${owner.model.name}.${field.name}`;
	for (const field of owner.tenants) applyRules(tenantRules, {
		field,
		owner
	}, place(field), reportAt);
	for (const encrypted of owner.encrypted) {
		const subject = {
			...encrypted,
			owner,
			facts
		};
		applyRules([...encryptedRules, duplicateContext], subject, place(encrypted.field), reportAt);
		checkBind(subject, (text) => reportAt(place(encrypted.field), text));
	}
	for (const index of owner.indexes) applyRules(blindIndexRules, {
		...index,
		owner,
		facts
	}, place(index.field), reportAt);
}
function checkBind({ options, owner }, report) {
	for (const name of options.bind) {
		const column = owner.model.fields.find((field) => field.name === name);
		if (column === void 0) report(missingBoundColumn(name, owner));
		else applyRules(boundColumnRules, {
			column,
			owner
		}, "", (_, text) => report(text));
	}
}
function byName(a, b) {
	return a.model.name < b.model.name ? -1 : 1;
}
//#endregion
//#region src/prisma/generator/generatorOrder.ts
/**
* Prisma runs generators in the order in which they stand, those of several files by the names of the files.
*
* @param datamodel the schema's text, all files merged in Prisma's order
* @throws FieldsealError `OPTIONS_INVALID` when the client is generated after us, and so over what we change in it
*/
function requireClientBefore(own, client, datamodel) {
	const order = Array.from(datamodel.matchAll(/^\s*generator\s+([\w-]+)\s*\{/gm), ([, name]) => name);
	if (order.indexOf(client.name) <= order.indexOf(own.name)) return;
	throw new FieldsealError("OPTIONS_INVALID", `generator ${own.name} stands before generator ${client.name}, whose types it makes fit the encrypted fields; move it below that block, into the same file (Prisma takes files by name), or set \`types = "off"\` in it`);
}
//#endregion
//#region src/prisma/generator/render.ts
/** Near the top of every generated file; a file without it is not ours to replace or remove. */
const marker$1 = "generated by fieldseal-generator; do not edit";
const lineWidth = 100;
const typeImport = "import type { EncryptionSchema } from 'fieldseal/prisma'";
/** Writes the schema as source text: the same schema gives the same bytes. */
function render(schema, target) {
	const literal = renderValue(schema, "");
	switch (target.language) {
		case "typescript": return { "index.ts": file(typeImport, "", `export const encryptionSchema = ${literal} as const satisfies EncryptionSchema`) };
		case "javascript": return {
			"index.js": file(target.moduleFormat === "esm" ? `export const encryptionSchema = ${literal}` : commonJs(literal)),
			"index.d.ts": file(typeImport, "", "export declare const encryptionSchema: EncryptionSchema")
		};
	}
}
/** A package.json that lets Node read `index.js` in this format where the project's own says otherwise. */
function renderPackage(moduleFormat) {
	return { "package.json": `${JSON.stringify({
		"//": marker$1,
		type: moduleFormat === "esm" ? "module" : "commonjs"
	}, null, 2)}\n` };
}
/** Assigning to `exports` lets Node offer the name to `import { encryptionSchema }` too. */
function commonJs(literal) {
	return `'use strict'\n\nexports.encryptionSchema = ${literal}`;
}
function file(...lines) {
	return `${[
		`// ${marker$1}`,
		"",
		...lines
	].join("\n")}\n`;
}
function renderValue(value, indent) {
	if (typeof value !== "object" || value === null) return renderScalar(value);
	const isList = Array.isArray(value);
	const inner = `${indent}  `;
	return layOut(isList ? value.map((item) => renderValue(item, inner)) : Object.entries(value).map(([key, item]) => `${key}: ${renderValue(item, inner)}`), isList ? [
		"[",
		"]",
		""
	] : [
		"{",
		"}",
		" "
	], indent);
}
function layOut(items, [open, close, pad], indent) {
	if (items.length === 0) return `${open}${close}`;
	const line = `${open}${pad}${items.join(", ")}${pad}${close}`;
	if (!line.includes("\n") && indent.length + line.length <= lineWidth) return line;
	return `${open}\n${items.map((item) => `${indent}  ${item},\n`).join("")}${indent}${close}`;
}
/** JSON's escapes are JavaScript's; single quotes are the style of generated Prisma clients. */
function renderScalar(value) {
	if (typeof value !== "string") return JSON.stringify(value);
	return `'${JSON.stringify(value).slice(1, -1).replaceAll("\\\"", "\"").replaceAll("'", "\\'")}'`;
}
//#endregion
//#region src/prisma/generator/guards.ts
/** PostgreSQL cuts longer names off. */
const MOST_NAME_BYTES = 63;
const PREFIX_HEX = "\\x6673312e";
const NOTICE = [
	`-- ${marker$1}`,
	"-- Apply it after the tables are there and hold no plaintext, and again whenever it changes:",
	"--   npx prisma db execute --file <this file>"
];
/**
* SQL that lets no tool put plaintext into encrypted columns. It may be run again and again. Fields that are `migrating`
* or `ejecting` lose their guard.
*
* @param models the data model, which knows of database schemas and native types
*/
function renderGuards({ models: encrypted }, models) {
	const statements = models.flatMap((model) => Object.entries(encrypted[model.name]?.encrypted ?? {}).flatMap(([field, spec]) => guard(model, field, spec)));
	return `${[
		...NOTICE,
		"",
		...statements
	].join("\n")}\n`;
}
function guard(model, field, spec) {
	const { dbName, nativeType } = model.fields.find(({ name }) => name === field);
	const column = dbName ?? field;
	const table = model.dbName ?? model.name;
	const alter = `ALTER TABLE ${[...model.schema ? [model.schema] : [], table].map(identifier).join(".")}`;
	const name = identifier(constraintName(table, column));
	const drop = `${alter} DROP CONSTRAINT IF EXISTS ${name};`;
	if (spec.state !== void 0) return [drop];
	return [drop, `${alter} ADD CONSTRAINT ${name} CHECK (${condition(identifier(column), spec, nativeType?.[0] === "Json")});`];
}
/** True of NULL and of ciphertext. */
function condition(column, { type, list }, isJsonText) {
	if (!list) return begins(column, type, isJsonText);
	return `${column} IS NULL OR cardinality(${column}) = 0 OR COALESCE(${`cardinality(${column}) = 1 AND ${begins(`${column}[1]`, type, isJsonText)}`}, false)`;
}
function begins(value, type, isJsonText) {
	switch (type) {
		case "String": return `${value} LIKE 'fs1.%'`;
		case "Bytes": return `substring(${value} FROM 1 FOR 4) = '${PREFIX_HEX}'::bytea`;
		case "Json": return `${isJsonText ? "json" : "jsonb"}_typeof(${value}) = 'string' AND ${value} #>> '{}' LIKE 'fs1.%'`;
	}
}
/** A name of its own for each column, of which PostgreSQL cuts nothing off. */
function constraintName(table, column) {
	const whole = `fieldseal_${table}_${column}`;
	if (Buffer.byteLength(whole) <= MOST_NAME_BYTES) return whole;
	const digest = createHash("sha256").update(`${table}\0${column}`).digest("hex").slice(0, 12);
	return `${cut(whole, MOST_NAME_BYTES - digest.length - 1)}_${digest}`;
}
function cut(text, bytes) {
	let kept = text;
	while (Buffer.byteLength(kept) > bytes) kept = [...kept].slice(0, -1).join("");
	return kept;
}
function identifier(name) {
	return `"${name.replaceAll("\"", "\"\"")}"`;
}
//#endregion
//#region src/prisma/generator/outputFolder.ts
/** Every name this generator may write; those it does not write now are left-overs of another setting. */
const fileNames = [
	"index.ts",
	"index.js",
	"index.d.ts",
	"package.json"
];
/**
* Brings a folder to hold these files, and none of ours beside them. Files of others stay; unchanged files are not
* touched, so that watchers stay quiet.
*
* @throws FieldsealError `OPTIONS_INVALID` when a file of somebody else would be overwritten
*/
function writeFiles(folder, files) {
	const present = new Map(fileNames.map((name) => [name, readIfThere(join(folder, name))]));
	for (const name of Object.keys(files)) refuseForeign(folder, name, present.get(name));
	mkdirSync(folder, { recursive: true });
	for (const [name, text] of Object.entries(files)) if (present.get(name) !== text) writeFileSync(join(folder, name), text);
	for (const [name, text] of present) if (!Object.hasOwn(files, name) && isGenerated(text)) rmSync(join(folder, name));
}
/**
* Writes one file, unless it is there already.
*
* @throws FieldsealError `OPTIONS_INVALID` when a file of somebody else would be overwritten
*/
function writeOwnFile(path, text, option) {
	const present = readIfThere(path);
	if (present === text) return;
	refuseForeign(dirname(path), basename(path), present, `another file as \`${option}\``);
	mkdirSync(dirname(path), { recursive: true });
	writeFileSync(path, text);
}
/** The file's text, or nothing when there is no such file. */
function readIfThere(file) {
	try {
		return readFileSync(file, "utf8");
	} catch (error) {
		if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR")) return void 0;
		throw error;
	}
}
/** Whether this generator wrote the text. */
function isGenerated(text) {
	return text?.slice(0, 200).includes("generated by fieldseal-generator; do not edit") ?? false;
}
function refuseForeign(folder, name, text, instead = "another folder as `output`") {
	if (text === void 0 || isGenerated(text)) return;
	throw new FieldsealError("OPTIONS_INVALID", `${join(folder, name)} was not written by fieldseal-generator and would be overwritten; choose ${instead}`);
}
//#endregion
//#region src/prisma/generator/moduleFormat.ts
/** What the Prisma client generator of the same schema says, if it does. */
function clientModuleFormat(generators) {
	return generators.filter(isClient).map(({ config }) => config.moduleFormat).find((format) => format === "esm" || format === "cjs");
}
/** How Node reads a `.js` file in `folder`: by the `type` of the nearest package.json that is not our own. */
function nodeModuleFormat(folder) {
	const text = readIfThere(join(folder, "package.json"));
	if (text !== void 0 && !isGenerated(text)) return packageType(text);
	const parent = dirname(folder);
	return parent === folder ? "cjs" : nodeModuleFormat(parent);
}
/** Whether the block generates a Prisma client. */
function isClient(block) {
	return isTypeScriptClient(block) || block.provider.value === "prisma-client-js";
}
/** Whether the block generates a Prisma client as TypeScript source. */
function isTypeScriptClient({ provider }) {
	return provider.value === "prisma-client";
}
function packageType(text) {
	try {
		return JSON.parse(text)?.type === "module" ? "esm" : "cjs";
	} catch {
		return "cjs";
	}
}
//#endregion
//#region src/prisma/generator/options.ts
/** Of these the values are no choice. */
const free = ["guards"];
const values$1 = {
	language: ["typescript", "javascript"],
	moduleFormat: ["esm", "cjs"],
	types: ["on", "off"]
};
/**
* Reads a generator block.
*
* @throws FieldsealError `OPTIONS_INVALID` naming the option, and what it may be
*/
function generatorOptions(block) {
	const output = block.output?.value;
	if (!output) throw invalid$1(block, "has no `output`; add the folder to write to: output = \"../src/generated/encryption\"");
	refuseUnknown(block);
	const language = choice(block, "language") ?? "typescript";
	const moduleFormat = choice(block, "moduleFormat");
	if (language === "typescript" && moduleFormat !== void 0) throw invalid$1(block, "has a `moduleFormat`, which only language = \"javascript\" uses; remove it: TypeScript serves both");
	const guards = guardsFile(block);
	return {
		output,
		language,
		types: choice(block, "types") ?? "on",
		...moduleFormat === void 0 ? {} : { moduleFormat },
		...guards === void 0 ? {} : { guards }
	};
}
function refuseUnknown(block) {
	const known = [...Object.keys(values$1), ...free];
	const unknown = Object.keys(block.config).find((option) => !known.includes(option));
	if (unknown === void 0) return;
	const list = [
		"provider",
		"output",
		...known
	].join(", ");
	throw invalid$1(block, `has an unknown option \`${unknown}\`; ${andThen(didYouMean(unknown, known))}it knows ${list}`);
}
/** Relative to the schema file, as `output` is. */
function guardsFile(block) {
	const { guards } = block.config;
	if (guards === void 0) return void 0;
	if (typeof guards === "string" && guards.endsWith(".sql")) return resolve(dirname(block.sourceFilePath ?? "."), guards);
	throw invalid$1(block, `has guards = ${JSON.stringify(guards)}; write the name of an SQL file: "../prisma/guards.sql"`);
}
function choice(block, option) {
	const value = block.config[option];
	if (value === void 0) return void 0;
	const known = values$1[option];
	const found = known.find((candidate) => candidate === value);
	if (found !== void 0) return found;
	throw invalid$1(block, `has ${option} = ${JSON.stringify(value)}; write ${known.map((each) => `"${each}"`).join(" or ")}`);
}
function invalid$1({ name }, text) {
	return new FieldsealError("OPTIONS_INVALID", `generator ${name} ${text}`);
}
//#endregion
//#region src/prisma/generator/types/clientSource.ts
/** What `strictUndefinedChecks` adds to every optional argument. */
const SKIP = " | runtime.Types.Skip";
const DECLARATION = /^export (?:type|interface) ([$\w]+)\b.*\{$/;
const PROPERTY = /^( +(?:readonly )?)(\w+)(\??): (.+)$/;
/**
* A TypeScript file that Prisma generated, line by line: Prisma writes a property to a line, and ends a type with a
* line that starts with a brace. Whatever is not found stops `prisma generate`: types that are only half narrowed
* would lie.
*/
var ClientSource = class {
	#lines;
	#declarations;
	constructor(file, text) {
		this.file = file;
		this.#lines = text.split("\n");
		this.#declarations = declarationsOf(this.#lines);
	}
	get text() {
		return this.#lines.join("\n");
	}
	find(name) {
		return this.#declarations.get(name);
	}
	/** @throws FieldsealError `OPTIONS_INVALID` when there is no such declaration */
	get(name) {
		return this.find(name) ?? this.unexpected(`the type ${name} is missing`);
	}
	/** The object type inside a declaration that one of its properties has. */
	inner({ name, first, last }, property) {
		const start = this.#lines.findIndex((line, number) => number > first && number < last && line.startsWith(`  ${property}: `) && line.endsWith("{"));
		const end = this.#lines.findIndex((line, number) => number > start && line.startsWith("  }"));
		if (start === -1 || end === -1) this.unexpected(`${name} has no object \`${property}\``);
		return {
			name: `${name}.${property}`,
			first: start,
			last: end
		};
	}
	properties({ first, last }) {
		return this.#lines.slice(first + 1, last).flatMap((line) => propertyOf(line) ?? []);
	}
	/**
	* Gives a property another type, and leaves `?`, `readonly` and the allowance of `Prisma.skip` as they are.
	*
	* @throws FieldsealError `OPTIONS_INVALID` when it is missing, or its type is not the expected one
	*/
	retype(declaration, name, expected, type) {
		const number = this.#lineOf(declaration, name);
		const [, indent, , , written] = PROPERTY.exec(this.#lines[number]);
		const { key, type: present } = propertyOf(this.#lines[number]);
		if (present !== expected) this.unexpected(`${declaration.name}.${name} has the type \`${present}\` instead of \`${expected}\``);
		this.#lines[number] = `${indent}${key}: ${type}${written.endsWith(" | runtime.Types.Skip") ? SKIP : ""}`;
	}
	/** Writes something behind a property, on its line. Declarations keep their line numbers. */
	append(declaration, name, text) {
		this.#lines[this.#lineOf(declaration, name)] += text;
	}
	/** Whether strictUndefinedChecks is on for this property. */
	skips(declaration, name) {
		return this.#lines[this.#lineOf(declaration, name)].endsWith(SKIP);
	}
	/** Replaces the last line of a declaration, the one with the closing brace. */
	replaceEnd({ name, last }, pattern, replacement) {
		const line = this.#lines[last];
		if (!pattern.test(line)) this.unexpected(`${name} ends with \`${line}\``);
		this.#lines[last] = line.replace(pattern, replacement);
	}
	/**
	* Replaces whole properties by others, wherever they stand, but for their indent and {@link SKIP}.
	*
	* @returns how many of each there were
	*/
	replaceAll(replacements) {
		const counts = /* @__PURE__ */ new Map();
		this.#lines.forEach((line, number) => {
			const code = line.trim();
			const property = code.endsWith(" | runtime.Types.Skip") ? code.slice(0, -21) : code;
			const replacement = replacements.get(property);
			if (replacement === void 0) return;
			this.#lines[number] = line.replace(property, () => replacement);
			counts.set(property, (counts.get(property) ?? 0) + 1);
		});
		return counts;
	}
	/** A property that has one of the types given for its name, anywhere. */
	leftOver(types) {
		return this.#lines.find((line) => {
			const property = propertyOf(line);
			return property !== void 0 && types.get(property.name)?.has(property.type);
		});
	}
	unexpected(what) {
		throw unexpectedShape(this.file, what);
	}
	#lineOf({ name: owner, first, last }, name) {
		for (let number = first + 1; number < last; number += 1) if (propertyOf(this.#lines[number])?.name === name) return number;
		return this.unexpected(`${owner} has no property ${name}`);
	}
};
/** The error of types that cannot be narrowed. */
function unexpectedShape(file, what) {
	return new FieldsealError("OPTIONS_INVALID", `the generated client no longer has the expected shape: in ${file}, ${what}; set \`types = "off"\` in the generator block of fieldseal to keep the types that Prisma gives, and use a Prisma 7.10 version that fieldseal knows`);
}
function propertyOf(line) {
	const found = PROPERTY.exec(line);
	if (found === null) return void 0;
	const [, , name, optional, type] = found;
	return {
		name,
		key: `${name}${optional}`,
		type: type.endsWith(" | runtime.Types.Skip") ? type.slice(0, -21) : type
	};
}
function declarationsOf(lines) {
	const found = /* @__PURE__ */ new Map();
	let open;
	lines.forEach((line, number) => {
		const name = DECLARATION.exec(line)?.[1];
		if (name !== void 0) open = {
			name,
			first: number
		};
		else if (open !== void 0 && line.startsWith("}")) {
			found.set(open.name, {
				...open,
				last: number
			});
			open = void 0;
		}
	});
	return found;
}
//#endregion
//#region src/prisma/generator/types/valueTypes.ts
/** What Prisma itself writes for a column of the type. */
const values = {
	String: both("string"),
	Int: both("number"),
	BigInt: {
		read: "bigint",
		write: "bigint | number"
	},
	Float: both("number"),
	Decimal: {
		read: "runtime.Decimal",
		write: "runtime.Decimal | runtime.DecimalJsLike | number | string"
	},
	Boolean: both("boolean"),
	DateTime: {
		read: "Date",
		write: "Date | string"
	},
	Json: {
		read: "runtime.JsonValue",
		write: "runtime.InputJsonValue"
	},
	Bytes: both("runtime.Bytes")
};
/**
* The types of what a field holds, which may be another type than that of its column.
*
* @param enumName the enum's name in the schema, where the field holds one
*/
function fieldTypes(field, enumName) {
	const item = valueText(field, enumName);
	const value = field.list ? {
		read: arrayOf(item.read),
		write: arrayOf(item.write)
	} : item;
	const isJson = valueType(field) === "Json" && !field.list;
	const create = isJson ? jsonWrite(field, value.write) : value.write + orNull(field);
	const whole = isJson ? create : `{ set?: ${value.write}${orNull(field)} } | ${create}`;
	return {
		value,
		read: value.read + orNull(field),
		create: field.list ? `{ set: ${value.write} } | ${create}` : create,
		update: whole
	};
}
/** Whether the field holds the type of its column, so that Prisma's own types are right already. */
function isPlainValue(field) {
	return valueType(field) === field.type && !field.list;
}
/** ` | null` for an optional field. */
function orNull({ required }) {
	return required ? "" : " | null";
}
/** Prisma's type of a column that stores ciphertext. */
function columnType(type) {
	return values[type];
}
function valueType({ value, type }) {
	return value ?? type;
}
function valueText(field, enumName) {
	const type = valueType(field);
	if (type !== "Enum") return values[type];
	return both(enumName === void 0 ? (field.enum ?? []).map((name) => `'${name}'`).join(" | ") : `$Enums.${enumName}`);
}
/** Null has two kinds, for which Prisma has names only where the schema has a Json column; other columns take it plain. */
function jsonWrite({ required, type }, write) {
	if (required) return `typeof runtime.JsonNull | ${write}`;
	return `typeof runtime.DbNull | typeof runtime.JsonNull | ${write}${type === "Json" ? "" : " | null"}`;
}
/** Each kind of value its own array, as Prisma has it: `Date[] | string[]`. */
function arrayOf(type) {
	return type.split(" | ").map((each) => `${each}[]`).join(" | ");
}
function both(type) {
	return {
		read: type,
		write: type
	};
}
//#endregion
//#region src/prisma/generator/types/filterTypes.ts
const LEAST_DISTINCT_BITS = 128;
/** What the blind indexes of a model offer for one of its encrypted fields. */
function searchable({ indexes, encrypted }, name) {
	const { list, state } = encrypted[name];
	const all = list ? [] : Object.values(indexes).filter(({ sources }) => sources.includes(name));
	const own = all.filter(({ sources }) => sources.length === 1);
	return {
		alone: own.length > 0,
		combined: all.length > own.length,
		unique: state === void 0 && own.some(({ unique }) => unique),
		distinct: state === void 0 && own.some(({ bits }) => bits >= LEAST_DISTINCT_BITS)
	};
}
/** What may stand in a `where` for the field. */
function filterType(field, { alone, combined }, write) {
	const Null = field.required ? "never" : "null";
	if (alone) return `Prisma.EncryptedFilter<${write}, ${Null}> | ${write}${orNull(field)}`;
	if (combined) return `Prisma.EncryptedEqualsFilter<${write}, ${Null}> | ${write}${orNull(field)}`;
	if (field.required) return "never";
	return field.type === "Json" ? "Prisma.EncryptedJsonFilter" : "Prisma.EncryptedNullFilter | null";
}
/** The declarations that {@link filterType} refers to, for the end of the client's commonInputTypes. */
function filterDeclarations(skips) {
	const skip = skips ? " | runtime.Types.Skip" : "";
	return `
/** A filter on an encrypted field that has a blind index of its own. */
export type EncryptedFilter<Value, Null extends null = never> = {
  equals?: Value | Null${skip}
  in?: Value[] | Null${skip}
  notIn?: Value[] | Null${skip}
  not?: EncryptedFilter<Value, Null> | Value | Null${skip}
}

/** A filter on an encrypted field that only a blind index over several fields covers. */
export type EncryptedEqualsFilter<Value, Null extends null = never> = {
  equals?: Value | Null${skip}
  not?: ([Null] extends [never] ? never : EncryptedNullFilter | null)${skip}
}

/** A filter on an encrypted field without a blind index. */
export type EncryptedNullFilter = {
  equals?: null${skip}
  not?: EncryptedNullFilter | null${skip}
}

/** A filter on an encrypted Json column. */
export type EncryptedJsonFilter = {
  equals?: typeof runtime.DbNull${skip}
  not?: typeof runtime.DbNull${skip}
}
`;
}
//#endregion
//#region src/prisma/generator/types/columnTypes.ts
/** Works out what must stand in the generated client, so that nothing is replaced that was not understood. */
function columnTypes(column) {
	const { model, field, type, list, nullable } = column;
	const orNull = nullable ? " | null" : "";
	const Null = nullable ? "Nullable" : "";
	const one = columnType(type);
	const many = `${one.write}[]`;
	const json = `Prisma.${Null}JsonNullValueInput | ${one.write}`;
	const write = type === "Json" && !list ? json : one.write + orNull;
	const filter = (kind) => `Prisma.${type}${Null}${kind}<"${model}">${type === "Json" ? "" : ` | ${one.write}${orNull}`}`;
	const listFilter = `Prisma.${type}NullableListFilter<"${model}">`;
	return {
		read: list ? `${one.read}[]` : one.read + orNull,
		create: list ? `Prisma.${model}Create${field}Input | ${many}` : write,
		update: list ? `Prisma.${model}Update${field}Input | ${many}` : updateType(column, write),
		where: list ? listFilter : filter("Filter"),
		having: list ? listFilter : filter("WithAggregatesFilter"),
		order: nullable ? "Prisma.SortOrderInput | Prisma.SortOrder" : "Prisma.SortOrder",
		reference: `Prisma.FieldRef<"${model}", '${type}${list ? "[]" : ""}'>`
	};
}
function updateType({ type, nullable }, write) {
	return type === "Json" ? write : `Prisma.${nullable ? "Nullable" : ""}${type}FieldUpdateOperationsInput | ${write}`;
}
//#endregion
//#region src/prisma/generator/types/modelFile.ts
/** As Prisma makes the names of types. */
function capitalized(name) {
	return name.charAt(0).toUpperCase() + name.slice(1);
}
//#endregion
//#region src/prisma/generator/types/modelTypes.ts
/** The filters on the model. Those of lists are there only where a relation reaches it. */
function wheres({ name, source }) {
	const required = [source.get(`${name}WhereInput`), source.get(`${name}WhereUniqueInput`)];
	const nested = source.find(`${name}ScalarWhereInput`);
	return nested === void 0 ? required : [...required, nested];
}
/** What new rows are made from, at the top and through each relation. */
function creates(file) {
	const { name } = file;
	const nested = (relation) => [
		`${name}CreateWithout${relation}Input`,
		`${name}UncheckedCreateWithout${relation}Input`,
		`${name}CreateMany${relation}Input`
	];
	return inputs(file, [
		`${name}CreateInput`,
		`${name}UncheckedCreateInput`,
		`${name}CreateManyInput`
	], nested);
}
/** What rows are changed by, at the top and through each relation. */
function updates(file) {
	const { name } = file;
	const top = [
		"UpdateInput",
		"UncheckedUpdateInput",
		"UpdateManyMutationInput",
		"UncheckedUpdateManyInput"
	];
	const nested = (relation) => [
		`${name}UpdateWithout${relation}Input`,
		`${name}UncheckedUpdateWithout${relation}Input`,
		`${name}UncheckedUpdateManyWithout${relation}Input`
	];
	return inputs(file, top.map((kind) => name + kind), nested);
}
/** Those for every relation are there only as far as something can be written through it. */
function inputs({ source, model }, required, nested) {
	const names = Object.keys(model.relations).flatMap((relation) => nested(capitalized(relation)));
	return [...required.map((name) => source.get(name)), ...names.flatMap((name) => source.find(name) ?? [])];
}
/** What sorts rows (`WithRelation`) or groups (`WithAggregation`). */
function orderBy({ name, source }, kind) {
	return source.find(`${name}OrderBy${kind}AndSearchRelevanceInput`) ?? source.get(`${name}OrderBy${kind}Input`);
}
//#endregion
//#region src/prisma/generator/types/narrowUniques.ts
/** Lets rows be named by encrypted fields whose blind index is unique, alone or together with other columns. */
function narrowUniques(file) {
	const { name, model, source } = file;
	const where = source.get(`${name}WhereUniqueInput`);
	const names = Object.keys(model.encrypted).filter((field) => searchable(model, field).unique);
	for (const field of names) narrowUnique(file, where, field);
	const aliases = Object.entries(model.uniques).flatMap(([selector, fields]) => narrowCompound(file, where, selector, fields));
	const added = [...names, ...aliases].map((each) => ` | ${JSON.stringify(each)}`).join("");
	source.replaceEnd(where, END, `$1$2${added}>${together(file).join("")}`);
}
/** `}, "id" | "email">`: the names of which at least one must be given. */
const END = /^(\}, )("\w+"(?: \| "\w+")*)>$/;
/** A unique index over several fields has no name of its own in a `where`: its fields stand beside each other. */
function together({ name, model, enumOf }) {
	return Object.entries(model.indexes).filter(([field, { unique, sources }]) => unique && sources.length > 1 && isComplete(model, field)).map(([, { sources }]) => {
		return ` | (Omit<Prisma.${name}WhereInput, $2> & { ${sources.map((field) => `${field}: ${fieldTypes(model.encrypted[field], enumOf(field)).value.write}`).join("; ")} })`;
	});
}
/** In a unique `where`, a field that names the row takes nothing but a value. */
function narrowUnique({ model, source, enumOf }, where, field) {
	const spec = model.encrypted[field];
	const { write } = fieldTypes(spec, enumOf(field)).value;
	source.retype(where, field, filterType(spec, searchable(model, field), write), write);
}
/** @returns the name that the compound unique now has besides its own */
function narrowCompound(file, where, selector, fields) {
	const { model, source } = file;
	const indexes = fields.filter((field) => model.indexes[field] !== void 0);
	if (indexes.length === 0 || !indexes.every((field) => isComplete(model, field))) return [];
	const own = source.properties(where).find(({ name }) => name === selector)?.type;
	const declaration = source.get(own?.replace("Prisma.", "") ?? selector);
	const columns = source.properties(declaration);
	const value = `{ ${fields.flatMap((field) => columnsOf(file, columns, field)).join("; ")} }`;
	if (selector !== fields.join("_")) {
		source.retype(where, selector, own, `${own} | ${value}`);
		return [];
	}
	const alias = fields.flatMap((field) => sourcesOf(model, field)).join("_");
	if (Object.hasOwn(model.uniques, alias) || Object.hasOwn(model.columns, alias)) return [];
	appendAlias(source, where, selector, `${alias}?: ${value}`);
	return alias;
}
function appendAlias(source, where, selector, property) {
	const skip = source.skips(where, selector) ? " | runtime.Types.Skip" : "";
	source.append(where, selector, `\n  ${property}${skip}`);
}
function columnsOf({ model, enumOf }, columns, field) {
	if (model.indexes[field] === void 0) {
		const { type } = columns.find(({ name }) => name === field);
		return [`${field}: ${type}`];
	}
	return sourcesOf(model, field).map((name) => {
		const { write } = fieldTypes(model.encrypted[name], enumOf(name)).value;
		return `${name}: ${write}`;
	});
}
function sourcesOf(model, field) {
	return model.indexes[field]?.sources ?? [field];
}
/** Whether every row has the blind index. */
function isComplete({ indexes, encrypted }, field) {
	return indexes[field]?.sources.every((name) => encrypted[name]?.state === void 0) ?? false;
}
//#endregion
//#region src/prisma/generator/types/narrowModel.ts
/** Makes the types of a model's file say what its encrypted fields and their blind indexes are. */
function narrowModel(file) {
	for (const [name, field] of Object.entries(file.model.encrypted)) narrowField(file, name, field);
	for (const [name, index] of Object.entries(file.model.indexes)) narrowIndex(file, name, index);
	refuseLeftOver(file);
	narrowUniques(file);
	narrowRelevance(file);
}
function narrowField(file, field, spec) {
	const { name, model, source } = file;
	const present = columnTypes(columnOf(name, field, spec));
	const types = fieldTypes(spec, file.enumOf(field));
	if (!isPlainValue(spec)) narrowValue(file, field, present, types);
	const filter = filterType(spec, searchable(model, field), types.value.write);
	for (const declaration of wheres(file)) source.retype(declaration, field, present.where, filter);
	const having = source.get(`${name}ScalarWhereWithAggregatesInput`);
	source.retype(having, field, present.having, "never");
	refuseOrder(file, field, present);
	const references = source.get(`${name}FieldRefs`);
	source.retype(references, field, present.reference, `Prisma.FieldRef<"${name}", 'Encrypted'>`);
}
function narrowValue(file, field, present, types) {
	const { name, source } = file;
	source.retype(source.inner(source.get(`$${name}Payload`), "scalars"), field, present.read, types.read);
	for (const create of creates(file)) source.retype(create, field, present.create, types.create);
	for (const update of updates(file)) source.retype(update, field, present.update, types.update);
}
/** Its column is filled from the fields that it indexes, never by hand. */
function narrowIndex(file, field, { type }) {
	const present = columnTypes(indexColumn(file.name, field, type));
	for (const create of creates(file)) file.source.retype(create, field, present.create, "never");
	for (const update of updates(file)) file.source.retype(update, field, present.update, "never");
}
/** Ciphertexts have no order, no least and no greatest. */
function refuseOrder(file, field, present) {
	const { name, source } = file;
	for (const kind of ["WithRelation", "WithAggregation"]) source.retype(orderBy(file, kind), field, present.order, "never");
	for (const aggregate of [
		"Count",
		"Max",
		"Min"
	]) {
		const order = source.get(`${name}${aggregate}OrderByAggregateInput`);
		if (has(source, order, field)) source.retype(order, field, "Prisma.SortOrder", "never");
	}
	for (const aggregate of ["Max", "Min"]) {
		const input = source.get(`${capitalized(name)}${aggregate}AggregateInputType`);
		if (has(source, input, field)) source.retype(input, field, "true", "never");
	}
}
/** With the preview feature fullTextSearchPostgres, rows can be sorted by how well they match. */
function narrowRelevance({ name, model, source }) {
	const relevance = source.find(`${name}OrderByRelevanceInput`);
	if (relevance === void 0) return;
	const all = `Prisma.${name}OrderByRelevanceFieldEnum`;
	const open = `Exclude<${all}, ${Object.keys(model.encrypted).map((field) => JSON.stringify(field)).join(" | ")}>`;
	source.retype(relevance, "fields", `${all} | ${all}[]`, `${open} | ${open}[]`);
}
/** Whatever still says what a plain column could do was not found above. */
function refuseLeftOver({ name, model, source }) {
	const types = /* @__PURE__ */ new Map();
	for (const [field, spec] of Object.entries(model.encrypted)) {
		const { where, having, update } = columnTypes(columnOf(name, field, spec));
		types.set(field, new Set(isPlainValue(spec) ? [where, having] : [
			where,
			having,
			update
		]));
	}
	for (const [field, { type }] of Object.entries(model.indexes)) types.set(field, new Set([columnTypes(indexColumn(name, field, type)).update]));
	const left = source.leftOver(types);
	if (left !== void 0) source.unexpected(`\`${left.trim()}\` stands where it is not expected`);
}
function columnOf(model, field, { type, required, list }) {
	return {
		model,
		field,
		type,
		nullable: !required,
		list: list === true
	};
}
function indexColumn(model, field, type) {
	return {
		model,
		field,
		type,
		nullable: true,
		list: false
	};
}
function has(source, declaration, field) {
	return source.properties(declaration).some(({ name }) => name === field);
}
//#endregion
//#region src/prisma/generator/types/scalarFieldEnums.ts
/** Takes encrypted fields out of `by`, and out of `distinct` those whose equal values cannot be told. */
function scalarFieldEnums({ models }) {
	const replacements = /* @__PURE__ */ new Map();
	const expected = /* @__PURE__ */ new Map();
	for (const [name, model] of Object.entries(models)) {
		const encrypted = Object.keys(model.encrypted);
		if (encrypted.length === 0) continue;
		const all = `Prisma.${capitalized(name)}ScalarFieldEnum`;
		const by = `by: ${all}[] | ${all}`;
		const distinct = `distinct?: ${all} | ${all}[]`;
		const grouped = without(all, encrypted);
		const told = without(all, encrypted.filter((field) => !searchable(model, field).distinct));
		replacements.set(by, `by: ${grouped}[] | ${grouped}`);
		replacements.set(distinct, `distinct?: ${told} | ${told}[]`);
		expected.set(name, [by, distinct]);
	}
	return {
		replacements,
		expected
	};
}
/** @throws FieldsealError `OPTIONS_INVALID` when the file of the model lacks one of its own */
function narrowScalarFieldEnums(source, model, { replacements, expected }) {
	const counts = source.replaceAll(replacements);
	for (const property of expected.get(model) ?? []) if (!counts.has(property)) source.unexpected(`\`${property}\` is missing`);
}
function without(all, fields) {
	if (fields.length === 0) return all;
	return `Exclude<${all}, ${fields.map((field) => JSON.stringify(field)).join(" | ")}>`;
}
//#endregion
//#region src/prisma/generator/types/narrowTypes.ts
/** Begins what is added to a client; behind it stands for which schema the types were narrowed. */
const marker = "// Types narrowed by fieldseal-generator, for the encrypted fields of schema ";
/**
* Makes the types of a client that `prisma-client` has just written tell the truth about encrypted fields. Every file
* is worked out before the first is written, and a client that was narrowed already is left alone.
*
* @throws FieldsealError `OPTIONS_INVALID` when the generated client does not look as Prisma 7.10 writes it
*/
function narrowTypes(client, input) {
	if (!Object.values(input.schema.models).some(({ encrypted }) => Object.keys(encrypted).length > 0)) return;
	const fileOf = clientFiles(client);
	const common = fileOf("commonInputTypes");
	const text = read(common, client);
	const mark = marker + digestOf(input);
	if (text.includes(mark)) return;
	if (text.includes(marker)) throw stale(client);
	const narrowed = narrowAll(Object.entries(input.schema.models).map(([name, model]) => {
		const file = fileOf(`models/${name}`);
		return {
			name,
			model,
			source: new ClientSource(file, read(file, client))
		};
	}), input);
	for (const { file, text: changed } of narrowed) writeFileSync(file, changed);
	writeFileSync(common, `${text.trimEnd()}\n\n${mark}\n${filterDeclarations(text.includes(SKIP))}`);
}
/** @returns the files that changed */
function narrowAll(models, { schema, enums }) {
	const fieldEnums = scalarFieldEnums(schema);
	return models.flatMap(({ name, model, source }) => {
		const before = source.text;
		const enumOf = (field) => enumName(enums, model.encrypted[field]?.enum);
		if (Object.keys(model.encrypted).length > 0) narrowModel({
			name,
			model,
			source,
			enumOf
		});
		narrowScalarFieldEnums(source, name, fieldEnums);
		return source.text === before ? [] : [source];
	});
}
/** The generated enum with these values; two with the same values are the same type. */
function enumName(enums, values) {
	if (values === void 0) return void 0;
	const wanted = JSON.stringify(values);
	return enums.find((candidate) => JSON.stringify(candidate.values.map(({ name }) => name)) === wanted)?.name;
}
function clientFiles({ output, config }) {
	const { generatedFileExtension: extension = "ts" } = config;
	return (name) => join(output?.value ?? "", `${name}.${extension}`);
}
function read(file, client) {
	const text = readIfThere(file);
	if (text !== void 0) return text;
	throw invalid(client, `has not written ${file}, whose types are to be narrowed; run \`prisma generate\` for all generators together`);
}
function stale(client) {
	return invalid(client, "has types that were narrowed for another encryption schema; run `prisma generate` for all generators together");
}
function invalid({ name }, text) {
	return new FieldsealError("OPTIONS_INVALID", `generator ${name} ${text}, or set \`types = "off"\` in the generator block of fieldseal to keep the types that Prisma gives`);
}
function digestOf(input) {
	return createHash("sha256").update(JSON.stringify(input)).digest("hex").slice(0, 16);
}
//#endregion
//#region src/prisma/generator/generate.ts
/**
* Writes the encryption schema of a Prisma schema to the generator's output folder, and makes the types of the clients
* that `prisma-client` wrote fit it.
*
* @throws FieldsealError `OPTIONS_INVALID` for the generator block, `SCHEMA_INVALID` for the models
*/
function generate({ generator, otherGenerators, datasources, datamodel, dmmf }) {
	const options = generatorOptions(generator);
	refuseClientFolder(generator, options.output, otherGenerators);
	const narrowed = options.types === "on" ? otherGenerators.filter(isTypeScriptClient) : [];
	const provider = datasources[0]?.activeProvider ?? "none";
	const schema = encryptionSchemaOf({
		datamodel: dmmf.datamodel,
		provider,
		views: viewNames(datamodel)
	});
	for (const client of narrowed) requireClientBefore(generator, client, datamodel);
	if (options.language === "typescript") writeFiles(options.output, render(schema, { language: "typescript" }));
	else writeJavaScript(options, otherGenerators, schema);
	if (options.guards) writeOwnFile(options.guards, renderGuards(schema, dmmf.datamodel.models), "guards");
	for (const client of narrowed) narrowTypes(client, {
		schema,
		enums: dmmf.datamodel.enums
	});
}
function writeJavaScript({ output, moduleFormat }, otherGenerators, schema) {
	const node = nodeModuleFormat(output);
	const format = moduleFormat ?? clientModuleFormat(otherGenerators) ?? node;
	const files = render(schema, {
		language: "javascript",
		moduleFormat: format
	});
	writeFiles(output, format === node ? files : {
		...files,
		...renderPackage(format)
	});
}
/** Prisma empties the folders of its clients whenever it generates them. */
function refuseClientFolder(generator, output, others) {
	const client = others.filter(isClient).find((other) => other.output?.value && contains(other.output.value, output));
	if (client === void 0) return;
	throw new FieldsealError("OPTIONS_INVALID", `generator ${generator.name} writes into the output folder of generator ${client.name}, which Prisma empties; give it a folder of its own: output = "../src/generated/encryption"`);
}
function contains(folder, path) {
	const way = relative(folder, path);
	return !isAbsolute(way) && way.split(/[\\/]/)[0] !== "..";
}
/** The data model does not tell views from models; the text does. */
function viewNames(datamodel) {
	return new Set([...datamodel.matchAll(/^\s*view\s+([A-Za-z][A-Za-z0-9_]*)\s*\{/gm)].map(([, name]) => name));
}
//#endregion
//#region src/bin/fieldseal-generator.ts
if (process.stdin.isTTY) {
	console.error("fieldseal-generator is started by `prisma generate`, from a generator block of the Prisma schema:");
	console.error("generator encryption {\n  provider = \"fieldseal-generator\"\n  output   = \"../src/generated/encryption\"\n}");
	process.exit(1);
}
helper.generatorHandler({
	onManifest: () => ({ prettyName: "fieldseal encryption schema" }),
	onGenerate: async (options) => generate(options)
});
//#endregion
export {};
