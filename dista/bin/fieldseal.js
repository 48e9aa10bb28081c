#!/usr/bin/env node
import { t as FieldsealError } from "../errors-DjzEY_1A.js";
import { n as runSql, r as tableName, t as quoteName } from "../sql-CCip6gzn.js";
import { r as keysModelSource } from "../keysModelRules-CnEqgkpc.js";
import { basename, dirname, join, posix, relative, resolve, sep } from "node:path";
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { Command, InvalidArgumentError, Option } from "commander";
import { SingleBar } from "cli-progress";
import Table from "cli-table3";
import { writeFile } from "node:fs/promises";
import { confirm, isCancel, text } from "@clack/prompts";
import { createTwoFilesPatch } from "diff";
import { createJiti } from "jiti";
import pg from "pg";
//#region src/cli/doctor/finding.ts
/** All encrypted fields of a schema. */
function encryptedFields(schema) {
	return Object.entries(schema.models).flatMap(([name, model]) => Object.entries(model.encrypted).map(([field, spec]) => ({
		name,
		model,
		field,
		spec,
		column: model.columns[field]
	})));
}
//#endregion
//#region src/cli/doctor/copies.ts
/** Rows that are looked at in each table: the newest by their place, which are read quickly. */
const SAMPLE = 300;
/** Shorter values are found everywhere. */
const TELLING$1 = 6;
/**
* Values of encrypted fields that stand in the clear in another column: a search text, a log, a payload. It compares
* samples in this process, so that no value travels into a statement. What it does not find may still be there.
*/
const plaintextCopies = async (patient) => {
	const secrets = await sampleSecrets(patient);
	if (secrets.size === 0) return [];
	const found = [];
	for (const [name, model] of Object.entries(patient.schema.models)) {
		if (name === patient.schema.keysModel) continue;
		for (const [field, column] of await plainColumns(patient.database, model)) {
			const texts = await sample(patient.database, model, column);
			const copied = [...secrets].find(([value]) => texts.some((text) => text.includes(value)));
			if (copied === void 0) continue;
			const what = `${name}.${field} holds values of ${copied[1]} in the clear`;
			found.push({
				severity: "problem",
				check: "copies",
				what,
				next: `mark ${name}.${field} too, or stop writing it there`
			});
		}
	}
	return found;
};
/** Decrypted values, and the field of each. */
async function sampleSecrets({ client, database, schema }) {
	const secrets = /* @__PURE__ */ new Map();
	const across = client.$acrossTenants();
	for (const { name, model, field, spec, column } of encryptedFields(schema)) {
		if (spec.type !== "String") continue;
		const names = [column, ...spec.bind.map((one) => model.columns[one])];
		const rows = await runSql(database, `SELECT ${names.map((one) => `${quoteName(one)}::text`)} FROM ${tableName(model)} WHERE ${quoteName(column)} LIKE 'fs1.%' LIMIT ${SAMPLE}`);
		for (const row of rows) {
			const stored = Object.fromEntries(names.map((one, i) => [one, row[i]]));
			const [opened] = await across.$encryption.decryptRows(name, [stored]).catch(() => []);
			const value = opened?.[column];
			if (typeof value === "string" && value.trim().length >= TELLING$1) secrets.set(value.trim(), `${name}.${field}`);
		}
	}
	return secrets;
}
/** Columns for text and JSON that are not encrypted. */
async function plainColumns(database, model) {
	const types = await runSql(database, `SELECT attname FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped
     AND atttypid IN ('text'::regtype, 'varchar'::regtype, 'json'::regtype, 'jsonb'::regtype, 'text[]'::regtype)`, [tableName(model)]);
	const names = new Set(types.map(([name]) => name));
	return Object.entries(model.columns).filter(([field, column]) => names.has(column) && !(field in model.encrypted) && !(field in model.indexes) && !model.id.includes(field));
}
async function sample(database, model, column) {
	const name = quoteName(column);
	return (await runSql(database, `SELECT left(${name}::text, 20000) FROM ${tableName(model)} WHERE ${name} IS NOT NULL LIMIT ${SAMPLE}`)).map(([text]) => text);
}
//#endregion
//#region src/cli/terminal.ts
/** A line of progress this often where there is no terminal, in milliseconds. */
const LINE_EVERY = 5e3;
/** Prints for people: with a progress bar in a terminal, in plain lines elsewhere. */
function humanTerminal(stdout, stdin) {
	const write = (text) => stdout.write(`${text}\n`);
	const progress = stdout.isTTY ? new BarProgress(stdout) : new LineProgress(write);
	return {
		say: (text) => progress.above(() => write(text)),
		table: (head, rows) => progress.above(() => write(tableText(head, rows, stdout.isTTY ? stdout.columns : void 0))),
		event: () => {},
		progress: (step) => progress.show(step),
		settle: () => progress.settle(),
		asks: stdout.isTTY === true && stdin.isTTY === true
	};
}
/** Prints one JSON object a line. */
function jsonTerminal(stdout) {
	const event = (object) => void stdout.write(`${JSON.stringify(object)}\n`);
	return {
		say: () => {},
		table: () => {},
		event,
		progress: () => {},
		settle: () => {},
		asks: false
	};
}
/** As wide as it must be, or each row as lines of its own where a terminal is too narrow for that. */
function tableText(head, rows, columns = Number.POSITIVE_INFINITY) {
	const table = new Table({
		head: [...head],
		style: {
			head: [],
			border: [],
			compact: true
		}
	});
	table.push(...rows.map((row) => row.map(String)));
	const text = table.toString();
	if (Math.max(...text.split("\n").map((line) => line.length)) <= columns) return text;
	return rows.map((row) => row.map((cell, i) => `${head[i] || ""}: ${cell}`).join("\n")).join("\n\n");
}
var BarProgress = class {
	#stdout;
	#bar;
	#meter = new Meter();
	#name = "";
	constructor(stdout) {
		this.#stdout = stdout;
	}
	show(step) {
		if (step.name !== this.#name) this.#meter = new Meter();
		this.#name = step.name;
		this.#bar ??= this.#begin(step);
		this.#bar.setTotal(Math.max(step.total, step.done));
		this.#bar.update(step.done, {
			...this.#meter.read(step),
			name: step.name
		});
	}
	/** As narrow as the window is now. */
	#begin(step) {
		const columns = this.#stdout.columns || 80;
		const format = columns >= 90 ? `{name} {bar} {percentage} %  {value} of about {total} ${step.unit}  {rate}/s  {left} left` : `{name} {percentage} % {rate}/s {left} left`;
		const barsize = Math.max(10, Math.min(30, columns - 70 - step.name.length));
		const formatValue = (value, _, type) => type === "total" || type === "value" ? count(value) : String(value);
		const bar = new SingleBar({
			stream: this.#stdout,
			format,
			barsize,
			linewrap: false,
			formatValue,
			gracefulExit: false,
			barCompleteChar: "█",
			barIncompleteChar: "░",
			hideCursor: true,
			clearOnComplete: true,
			fps: 8
		});
		bar.start(step.total, 0, {
			...this.#meter.read(step),
			name: step.name
		});
		return bar;
	}
	settle() {
		this.#bar?.stop();
		this.#bar = void 0;
		this.#name = "";
	}
	/** The bar goes back to the line where it began, so another begins below what is printed. */
	above(print) {
		this.#bar?.stop();
		this.#bar = void 0;
		print();
	}
};
var LineProgress = class {
	#next = performance.now() + LINE_EVERY;
	#meter = new Meter();
	#name = "";
	constructor(write) {
		this.write = write;
	}
	show(step) {
		if (step.name !== this.#name) this.#meter = new Meter();
		this.#name = step.name;
		const { rate, left } = this.#meter.read(step);
		if (performance.now() < this.#next) return;
		this.#next = performance.now() + LINE_EVERY;
		this.write(`${step.name}: ${count(step.done)} of about ${count(step.total)} ${step.unit}, ${rate}/s, ${left} left`);
	}
	settle() {
		this.#name = "";
	}
	above(print) {
		print();
	}
};
/** Rate and time left, since the first step: an earlier run's part does not count. */
var Meter = class {
	#started = performance.now();
	#first;
	read({ done, total }) {
		this.#first ??= done;
		const seconds = (performance.now() - this.#started) / 1e3;
		const rate = seconds > 0 ? (done - this.#first) / seconds : 0;
		const left = rate > 0 ? duration(Math.max(0, total - done) / rate) : "?";
		return {
			rate: count(Math.round(rate)),
			left
		};
	}
};
function count(number) {
	return number.toLocaleString("en");
}
/** `1 row`, `2,000 rows` */
function counted(number, noun) {
	return `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
}
/** `1 h 02 min`, `3 min 04 s`, `5 s` */
function duration(seconds) {
	const whole = Math.round(seconds);
	const two = (number) => String(Math.floor(number)).padStart(2, "0");
	if (whole >= 3600) return `${Math.floor(whole / 3600)} h ${two(whole % 3600 / 60)} min`;
	return whole >= 60 ? `${Math.floor(whole / 60)} min ${two(whole % 60)} s` : `${whole} s`;
}
//#endregion
//#region src/cli/doctor/keys.ts
const DAY$2 = 864e5;
const OLD = 365;
/** Of the 2³² encryptions that are safe under one key with random nonces (NIST SP 800-38D). */
const MANY = .8 * 2 ** 32;
/** How many tenants are tried: one for each KEK, up to here. */
const TRIED = 20;
/** The KMS answers, and may be used, for a tenant of each KEK. */
const kmsAnswers = async ({ client, survey }) => {
	const usable = survey.keys.filter(({ state, purpose, tenant }) => state === "active" && purpose === "encrypt" && tenant !== "*");
	const perKek = [...new Map(usable.map((key) => [`${key.kms} ${key.kekId}`, key])).values()].slice(0, TRIED);
	const found = await Promise.all(perKek.map(({ tenant, kekId }) => tryKey(client, tenant, kekId)));
	if (perKek.length > 0) return found.flat();
	return [{
		severity: "hint",
		check: "KMS",
		what: "there is no key yet, so the KMS was not tried",
		next: "write a first value, then run this again"
	}];
};
async function tryKey(client, tenant, kekId) {
	try {
		await client.$encryption.checkKey(tenant);
		return [];
	} catch (error) {
		if (!FieldsealError.is(error)) throw error;
		return [{
			severity: "problem",
			check: "KMS",
			what: `a key under the KEK ${kekId} cannot be unwrapped: ${error.code}: ${error.message}`,
			next: `see ${error.code} in docs/errors.md`
		}];
	}
}
/** Keys that are old or nearly used up. */
const keyAges = async ({ survey: { keys, at } }) => {
	const active = keys.filter(({ state, purpose }) => state === "active" && purpose === "encrypt");
	const old = active.filter(({ createdAt }) => Date.parse(at) - Date.parse(createdAt) > OLD * DAY$2);
	const used = active.filter(({ messages }) => messages > MANY);
	const found = [];
	if (old.length > 0) {
		const what = `${counted(old.length, "active key")} of more than a year`;
		found.push({
			severity: "risk",
			check: "keys",
			what,
			next: "fieldseal rotate, then fieldseal re-encrypt"
		});
	}
	for (const { tenant, messages } of used) {
		const what = `the key of ${JSON.stringify(tenant)} is near its limit: ${count(messages)} of ${count(2 ** 32)} encryptions`;
		found.push({
			severity: "risk",
			check: "keys",
			what,
			next: `fieldseal rotate --tenant ${JSON.stringify(tenant)}`
		});
	}
	return found;
};
//#endregion
//#region src/cli/doctor/names.ts
/** Words in names of fields that mostly stand for personal or secret data. */
const TELLING = new Set(`email mail phone mobile telephone fax ssn passport iban bic account card cvv birth birthday birthdate dob address street
   zip postcode firstname lastname surname fullname maiden salary income diagnosis medical health religion ethnicity
   password secret token apikey credential latitude longitude ip`.split(/\s+/));
/** Together with these, a name stands for something about the data, or for its hash. */
const HARMLESS = new Set([
	"id",
	"at",
	"count",
	"verified",
	"hash",
	"type",
	"status",
	"enabled",
	"sent",
	"expires",
	"index",
	"is",
	"has",
	"template",
	"provider"
]);
/** Fields that look like personal or secret data by their names, and are not marked. */
const suspiciousNames = async ({ schema }) => Object.entries(schema.models).flatMap(([name, model]) => {
	if (name === schema.keysModel) return [];
	return Object.keys(model.columns).filter((field) => {
		return !(field in model.encrypted || field in model.indexes || model.id.includes(field) || field === model.tenant) && looksPersonal(field);
	}).map((field) => ({
		severity: "hint",
		check: "names",
		what: `${name}.${field} looks like personal or secret data, and is not marked`,
		next: "mark it /// @encrypted if it is"
	}));
});
function looksPersonal(field) {
	const words = field.replace(/([a-z0-9])([A-Z])/g, "$1 $2").toLowerCase().split(/[\s_]+/);
	if (words.some((word) => HARMLESS.has(word))) return false;
	const pairs = words.slice(1).map((word, i) => words[i] + word);
	return [...words, ...pairs].some((word) => TELLING.has(word));
}
//#endregion
//#region src/cli/doctor/stored.ts
/** Values that should be encrypted and are not, and ciphertexts whose key is missing. */
const storedValues = async ({ survey, schema }) => survey.fields.flatMap(({ model, field, plaintext, unknownKey, versions }) => {
	const name = `${model}.${field}`;
	const transition = schema.models[model].encrypted[field].state;
	const destroyed = versions.filter(({ state }) => state === "destroyed").reduce((sum, { rows }) => sum + rows, 0);
	const found = [];
	if (plaintext > 0 && transition !== "ejecting") found.push({
		severity: transition === "migrating" ? "risk" : "problem",
		check: "stored values",
		what: `${name} holds plaintext in ${count(plaintext)} rows`,
		next: `fieldseal encrypt --field ${name}`
	});
	if (unknownKey > 0) {
		const what = `${name} holds ${count(unknownKey)} ciphertexts of keys that the keys table does not have`;
		found.push({
			severity: "problem",
			check: "stored values",
			what,
			next: "restore the keys table from a backup"
		});
	}
	if (destroyed > 0) {
		const what = `${name} holds ${count(destroyed)} ciphertexts of destroyed keys`;
		found.push({
			severity: "hint",
			check: "stored values",
			what,
			next: "delete these rows, as nobody can read them"
		});
	}
	return found;
});
/** Blind indexes that lack entries, or that the database cannot search quickly. */
const blindIndexes = async ({ survey, schema, database }) => {
	const gaps = survey.indexes.flatMap(({ model, field, missing, stray }) => {
		if (missing + stray === 0) return [];
		return [{
			severity: "problem",
			check: "blind indexes",
			what: `${model}.${field} is missing in ${count(missing)} rows and beside no value in ${count(stray)}`,
			next: `fieldseal reindex --model ${model}`
		}];
	});
	const slow = [];
	for (const [name, model] of Object.entries(schema.models)) for (const field of Object.keys(model.indexes)) {
		const column = model.columns[field];
		if (await isSearchable(database, tableName(model), column)) continue;
		const what = `${name}.${field} has no index in the database, so each search reads the whole table`;
		slow.push({
			severity: "risk",
			check: "blind indexes",
			what,
			next: `add @@index([${field}]) to ${name}, and a migration`
		});
	}
	return [...gaps, ...slow];
};
/** In an index of which any column is this one: equality on the tenant before it is usual. */
async function isSearchable(database, table, column) {
	const [row] = await runSql(database, `SELECT count(*) FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
     WHERE i.indrelid = to_regclass($1) AND a.attname = $2 AND i.indisvalid`, [table, column]);
	return Number(row[0]) > 0;
}
/** Columns into which any other tool could write plaintext. */
const checkConstraints = async ({ schema, database }) => {
	const found = [];
	for (const { name, model, field, spec, column } of encryptedFields(schema)) {
		if (spec.state !== void 0 || spec.type === "Bytes") continue;
		const [row] = await runSql(database, `SELECT count(*) FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey)
       WHERE c.conrelid = to_regclass($1) AND c.contype = 'c' AND a.attname = $2 AND pg_get_constraintdef(c.oid) LIKE '%fs1.%'`, [tableName(model), column]);
		if (Number(row[0]) > 0) continue;
		const value = spec.type === "Json" ? `${quoteName(column)} #>> '{}'` : quoteName(column);
		const sql = `ALTER TABLE ${tableName(model)} ADD CHECK (${value} LIKE 'fs1.%') NOT VALID`;
		const what = `nothing keeps other tools from writing plaintext into ${name}.${field}`;
		found.push({
			severity: "hint",
			check: "constraints",
			what,
			next: sql
		});
	}
	return found;
};
//#endregion
//#region src/cli/exitCode.ts
/** What the process ends with; documented in docs/commands.md. */
const EXIT = {
	done: 0,
	/** It could not be done: the message says why. */
	failed: 1,
	/** The command line or the configuration is wrong. */
	usage: 2,
	/** It was done, but rows were left or problems found. */
	problems: 3,
	/** Ctrl-C: it stopped after a batch, and goes on from there. */
	interrupted: 130
};
//#endregion
//#region src/cli/commands/doctor.ts
const CHECKS = [
	kmsAnswers,
	storedValues,
	blindIndexes,
	keyAges,
	plaintextCopies,
	checkConstraints,
	suspiciousNames
];
/** Looks for what is wrong or risky. */
async function runDoctor({ client, database, tenants }, terminal, args) {
	const survey = await client.$encryption.survey({
		database,
		tenants
	});
	const patient = {
		client,
		database,
		schema: client.$encryption.schema,
		survey
	};
	const findings = [];
	for (const check of CHECKS) findings.push(...await check(patient));
	for (const severity of [
		"problem",
		"risk",
		"hint"
	]) for (const finding of findings.filter((one) => one.severity === severity)) {
		terminal.event({
			event: "finding",
			...finding
		});
		terminal.say(`${severity.padEnd(8)} ${finding.what}\n         → ${finding.next}`);
	}
	const number = (severity) => findings.filter((one) => one.severity === severity).length;
	terminal.say(`${counted(number("problem"), "problem")}, ${counted(number("risk"), "risk")}, ${counted(number("hint"), "hint")}`);
	return number("problem") + (args.strict ? number("risk") : 0) > 0 ? EXIT.problems : EXIT.done;
}
//#endregion
//#region src/cli/init/findSchema.ts
/** Where Prisma looks, in its order. */
const USUAL = [
	"schema.prisma",
	"prisma/schema.prisma",
	"prisma/schema",
	"prisma"
];
/**
* The files of the Prisma schema.
*
* @param given its file or folder; found as Prisma does unless given
* @throws FieldsealError `SCHEMA_INVALID` when there is none
*/
async function findSchema(root, given) {
	const named = given ?? await fromPrismaConfig(root) ?? fromPackage(root);
	const candidates = (named === void 0 ? USUAL : [named]).map((path) => resolve(root, path));
	for (const path of candidates) {
		const files = existsSync(path) ? filesAt(path) : [];
		if (files.length > 0) return {
			files: files.map((file) => ({
				path: file,
				text: readFileSync(file, "utf8")
			})),
			folder: folderOf(path, files)
		};
	}
	throw new FieldsealError("SCHEMA_INVALID", `there is no Prisma schema ${named === void 0 ? "here" : `at ${named}`}: name its file or folder with --schema`);
}
function filesAt(path) {
	if (!statSync(path).isDirectory()) return [path];
	return readdirSync(path, {
		recursive: true,
		encoding: "utf8"
	}).filter((name) => name.endsWith(".prisma") && !name.includes("node_modules")).map((name) => join(path, name)).sort();
}
/** A folder with one file only counts as a file. Prisma wants other files of the schema beside the datasource's. */
function folderOf(path, files) {
	if (!statSync(path).isDirectory() || files.length === 1) return void 0;
	return dirname(files.find((file) => basename(file) === "schema.prisma") ?? files[0]);
}
async function fromPrismaConfig(root) {
	const path = [
		"ts",
		"mts",
		"js",
		"mjs",
		"cjs"
	].map((ending) => join(root, `prisma.config.${ending}`)).find((file) => existsSync(file));
	if (path === void 0) return void 0;
	try {
		return (await createJiti(import.meta.url, { tryNative: true }).import(path, { default: true }))?.schema;
	} catch {
		return /\bschema\s*:\s*['"`]([^'"`]+)['"`]/.exec(readFileSync(path, "utf8"))?.[1];
	}
}
function fromPackage(root) {
	const path = join(root, "package.json");
	if (!existsSync(path)) return void 0;
	const { prisma } = JSON.parse(readFileSync(path, "utf8"));
	return prisma?.schema;
}
//#endregion
//#region src/cli/init/schemaText.ts
const HEADER = /^\s*(model|view|type|enum|generator|datasource)\s+(\w+)\s*\{/;
const END = /^\s*\}/;
const EMPTY = /^[^{]*\{\s*\}/;
/** Finds the blocks of a schema. Prisma ends a block by a brace at the beginning of a line, whatever comments hold. */
function schemaBlocks(text) {
	const lines = text.split(/\r?\n/);
	const blocks = [];
	let open;
	lines.forEach((line, number) => {
		const header = open ? null : HEADER.exec(line);
		if (header) open = {
			keyword: header[1],
			name: header[2],
			from: documentedFrom(lines, number)
		};
		if (!open || !(END.test(line) || header && EMPTY.test(line))) return;
		const { keyword, name, from } = open;
		blocks.push({
			keyword,
			name,
			end: number,
			text: lines.slice(from, number + 1).join("\n")
		});
		open = void 0;
	});
	return blocks;
}
function documentedFrom(lines, header) {
	let from = header;
	while (from > 0 && /^\s*\/\/\//.test(lines[from - 1])) from -= 1;
	return from;
}
/** The value of a setting in a generator or datasource block: `provider = "postgresql"`. */
function setting({ text }, name) {
	return new RegExp(`^\\s*${name}\\s*=\\s*"((?:[^"\\\\]|\\\\.)*)"`, "m").exec(text)?.[1];
}
/** Puts lines behind a line, in the line ends of the file. */
function insertAfter(text, line, inserted) {
	const end = text.includes("\r\n") ? "\r\n" : "\n";
	const lines = text.split(/\r?\n/);
	lines.splice(line + 1, 0, ...inserted.split("\n"));
	return lines.join(end);
}
/** Puts a block at the end, after an empty line. */
function append(text, block) {
	const end = text.includes("\r\n") ? "\r\n" : "\n";
	return `${text === "" || /\n\s*$/.test(text) ? text.replace(/(\r?\n)+$/, end) : text + end}${text === "" ? "" : end}${block.split("\n").join(end)}${end}`;
}
//#endregion
//#region src/cli/init/plan.ts
/**
* What the project lacks: the generator, the model of the keys, the configuration. Nothing else changes.
*
* @returns no changes when there is nothing to add
* @throws FieldsealError `SCHEMA_INVALID` for a schema that fieldseal cannot work with
*/
function planInit(input) {
	const blocks = input.schema.flatMap((file) => schemaBlocks(file.text).map((block) => ({
		file,
		block
	})));
	checkDatasource(blocks);
	const client = clientGenerator(blocks);
	const texts = new Map(input.schema.map(({ path, text }) => [path, text]));
	addKeysModel(input, blocks, client, texts);
	addGenerator(blocks, client, texts);
	const before = new Map(input.schema.map(({ path, text }) => [path, text]));
	const changes = [...texts].filter(([path, text]) => before.get(path) !== text).map(([path, after]) => ({
		path,
		before: before.get(path) ?? null,
		after
	}));
	return input.configured ? changes : [...changes, configFile(input.root, blocks, client)];
}
function checkDatasource(blocks) {
	const source = blocks.find(({ block }) => block.keyword === "datasource");
	if (!source) throw invalid$1("the schema has no datasource: is this the whole schema? Name its file or folder with --schema");
	const provider = setting(source.block, "provider");
	if (provider === "postgresql" || provider === "postgres") return;
	throw invalid$1(`the datasource has the provider ${JSON.stringify(provider ?? "")}; fieldseal works with PostgreSQL only`);
}
function clientGenerator(blocks) {
	const client = blocks.filter(({ block }) => block.keyword === "generator").find(({ block }) => /^prisma-client(-js)?$/.test(setting(block, "provider") ?? ""));
	if (client) return client;
	throw invalid$1("the schema has no generator with the provider \"prisma-client\" or \"prisma-client-js\": fieldseal extends its client");
}
/** Beside the client's output. Prisma empties that, so it must not be inside. */
function encryptionOutput({ block, file }) {
	const output = setting(block, "output");
	if (output === void 0) return posix.join(relativePath(dirname(file.path), dirname(dirname(file.path))) || ".", "generated/encryption");
	const parent = posix.dirname(output);
	return parent.startsWith(".") ? posix.join(parent, "encryption").replace(/^(?!\.)/, "./") : `${parent}/encryption`;
}
function addGenerator(blocks, client, texts) {
	if (generatorOf(blocks)) return;
	const { file, block } = client;
	const output = encryptionOutput(client);
	const source = `\ngenerator encryption {\n  provider = "fieldseal-generator"\n  output   = ${JSON.stringify(output)}\n}`;
	texts.set(file.path, insertAfter(texts.get(file.path), block.end, source));
}
function generatorOf(blocks) {
	return blocks.find(({ block }) => block.keyword === "generator" && /fieldseal-generator/.test(setting(block, "provider") ?? ""));
}
function addKeysModel(input, blocks, client, texts) {
	if (blocks.some(({ block }) => block.keyword === "model" && /^\s*\/\/\/.*@encryptionKeys\b/m.test(block.text))) return;
	const model = keysModel(blocks);
	const { folder } = input;
	if (folder === void 0) {
		texts.set(client.file.path, append(texts.get(client.file.path), model));
		return;
	}
	const taken = new Set(input.schema.map(({ path }) => basename(path)));
	const name = ["encryption.prisma", "fieldseal.prisma"].find((candidate) => !taken.has(candidate)) ?? "fieldseal_keys.prisma";
	texts.set(join(folder, name), append("", model));
}
/** Under names that are free, and in a schema of the database where models must have one. */
function keysModel(blocks) {
	const names = new Set(blocks.map(({ block }) => block.name));
	const tables = new Set(blocks.flatMap(({ block }) => [...block.text.matchAll(/@@map\(\s*(?:name:\s*)?"([^"]+)"/g)].map(([, table]) => table)));
	const free = (candidates, taken) => candidates.find((name) => !taken.has(name)) ?? candidates.at(-1);
	const name = free([
		"EncryptionKey",
		"FieldsealKey",
		"FieldsealEncryptionKey"
	], names);
	const table = free([
		"encryption_keys",
		"fieldseal_keys",
		"fieldseal_encryption_keys"
	], new Set([...tables, ...names]));
	const schema = databaseSchema(blocks);
	const source = keysModelSource.replace("model EncryptionKey", `model ${name}`).replace("\"encryption_keys\"", JSON.stringify(table));
	return schema === void 0 ? source : source.replace(/\n\}$/, `\n  @@schema(${JSON.stringify(schema)})\n}`);
}
/** With several schemas each model names its own: that of most models. */
function databaseSchema(blocks) {
	const used = blocks.flatMap(({ block }) => block.keyword === "model" ? /@@schema\("([^"]+)"\)/.exec(block.text)?.[1] ?? [] : []);
	const counts = /* @__PURE__ */ new Map();
	for (const schema of used) counts.set(schema, (counts.get(schema) ?? 0) + 1);
	return [...counts].sort(([, one], [, other]) => other - one)[0]?.[0];
}
function configFile(root, blocks, client) {
	const generator = generatorOf(blocks);
	const at = (located, output) => importPath(root, join(dirname(located.file.path), output));
	const encryption = generator ? at(generator, setting(generator.block, "output") ?? "") : at(client, encryptionOutput(client));
	const output = setting(client.block, "output");
	const modern = setting(client.block, "provider") === "prisma-client";
	const prisma = output === void 0 ? "@prisma/client" : `${at(client, output)}${modern ? "/client" : ""}`;
	return {
		path: join(root, "fieldseal.config.ts"),
		before: null,
		after: configSource(prisma, encryption)
	};
}
function configSource(prisma, encryption) {
	return `import { PrismaPg } from '@prisma/adapter-pg'
import { defineConfig } from 'fieldseal'
import { localKms } from 'fieldseal/local-kms'
import { fieldEncryption } from 'fieldseal/prisma'
import { encryptionSchema } from '${encryption}'
import { PrismaClient } from '${prisma}'

// The command works with the client that your app uses: the same KMS, the same options. Import it from your app, or
// make it here as your app does. localKms is for development; see fieldseal/tencent-kms.
const adapter = new PrismaPg({ connectionString: process.env.DATABASE_URL })

export default defineConfig({
  client: () =>
    new PrismaClient({ adapter }).$extends(
      fieldEncryption({ schema: encryptionSchema, kms: localKms({ env: 'FIELDSEAL_KEY' }) }),
    ),
  // Whose the rows are of models without a @tenant column: relations, and a column at their end.
  // tenants: { Contact: 'patient.clinicId' },
})
`;
}
function importPath(root, path) {
	const from = relativePath(root, path);
	return from.startsWith(".") ? from : `./${from}`;
}
function relativePath(from, to) {
	return relative(from, to).split(sep).join("/");
}
function invalid$1(message) {
	return new FieldsealError("SCHEMA_INVALID", message);
}
//#endregion
//#region src/cli/loadConfig.ts
const CONFIG_NAMES = [
	"ts",
	"mts",
	"cts",
	"js",
	"mjs",
	"cjs"
].map((ending) => `fieldseal.config.${ending}`);
/**
* Opens what the configuration names.
*
* @param file the configuration; looked for in the working folder unless given
* @throws FieldsealError `OPTIONS_INVALID` for a configuration that is missing or cannot work
*/
async function openWorld(file, env) {
	const { client: given, database, tenants = {} } = await readConfig(findConfig(file));
	const client = await (typeof given === "function" ? given() : given);
	if (typeof client?.$encryption?.maintain !== "function") throw invalid("\"client\" must be the client that $extends(fieldEncryption(…)) returned, or a function that makes it");
	const connection = database ?? env.DATABASE_URL;
	if (connection === void 0 || connection === "") {
		await client.$disconnect();
		throw invalid("no database is named: set DATABASE_URL, or \"database\" in the configuration");
	}
	const pool = typeof connection === "string" ? openPool(connection) : connection;
	return {
		client,
		database: pool,
		tenants,
		close: async () => {
			await Promise.allSettled([client.$disconnect(), typeof connection === "string" ? pool.end() : void 0]);
		}
	};
}
function findConfig(file) {
	const found = (file === void 0 ? CONFIG_NAMES.map((name) => join(process.cwd(), name)) : [resolve(file)]).find((path) => existsSync(path));
	if (found) return found;
	throw invalid(`${file === void 0 ? "there is no fieldseal.config.ts here" : `there is no ${file}`}: \`fieldseal init\` writes one; or name it with --config`);
}
async function readConfig(path) {
	const loaded = await createJiti(import.meta.url, { tryNative: true }).import(path, { default: true }).catch((cause) => {
		if (FieldsealError.is(cause)) throw cause;
		throw new FieldsealError("OPTIONS_INVALID", `${path} could not be loaded: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
	});
	if (typeof loaded !== "object" || loaded === null || !("client" in loaded)) throw invalid(`${path} must have a default export with a "client": export default defineConfig({ client: prisma })`);
	return loaded;
}
/** As Prisma does, it takes the schema from the connection string. */
function openPool(connectionString) {
	const schema = schemaOf(connectionString);
	const options = schema === null ? {} : { options: `-c search_path=${schema.replace(/[^\w]/g, "\\$&")}` };
	const pool = new pg.Pool({
		connectionString,
		max: 4,
		application_name: "fieldseal",
		...options
	});
	pool.on("error", () => {});
	return pool;
}
function schemaOf(connectionString) {
	return URL.canParse(connectionString) ? new URL(connectionString).searchParams.get("schema") : null;
}
function invalid(message) {
	return new FieldsealError("OPTIONS_INVALID", message);
}
//#endregion
//#region src/cli/commands/init.ts
const NEXT = `Next:
  1. Mark what is to be encrypted: email String /// @encrypted, and whose a row is: tenantId String /// @tenant
     For rows that are there already: @encrypted(migrating) until they are encrypted. See docs/existing-data.md.
  2. npx prisma generate, then a migration for the keys table, as always
  3. Extend your client with fieldEncryption, and see to fieldseal.config.ts
  4. npx fieldseal status`;
/** Adds what the project lacks, once that is agreed to. */
async function runInit(root, terminal, { schema, dryRun, yes }) {
	const { files, folder } = await findSchema(root, schema);
	const changes = planInit({
		root,
		schema: files,
		folder,
		configured: CONFIG_NAMES.some((name) => existsSync(join(root, name)))
	});
	for (const change of changes) {
		terminal.event({
			event: "change",
			path: relative(root, change.path),
			after: change.after
		});
		terminal.say(diffOf(root, change));
	}
	if (changes.length === 0) {
		terminal.say("Nothing to add: the generator, the model of the keys and the configuration are there.");
		return EXIT.done;
	}
	if (dryRun) return EXIT.done;
	if (!yes) await agree$2(terminal);
	for (const { path, after } of changes) await writeFile(path, after);
	terminal.say(`Wrote ${changes.map(({ path }) => relative(root, path)).join(", ")}.\n${NEXT}`);
	return EXIT.done;
}
function diffOf(root, { path, before, after }) {
	const name = relative(root, path);
	return createTwoFilesPatch(before === null ? "/dev/null" : name, name, before ?? "", after, void 0, void 0, { context: 2 }).replace(/^=+\n/, "");
}
async function agree$2(terminal) {
	if (!terminal.asks) throw new FieldsealError("OPTIONS_INVALID", "nothing was written; say --yes to write this");
	const answer = await confirm({ message: "Write this?" });
	if (isCancel(answer) || !answer) throw new FieldsealError("OPTIONS_INVALID", "nothing was written");
}
//#endregion
//#region src/cli/interrupt.ts
/** Turns the first Ctrl-C into a signal to stop after the batch under way; a second one ends the process at once. */
function onInterrupt(say) {
	const controller = new AbortController();
	const interrupt = () => {
		if (controller.signal.aborted) process.exit(130);
		say("Stopping after this batch. Again Ctrl-C: at once, which loses nothing either.");
		controller.abort();
	};
	process.on("SIGINT", interrupt);
	process.on("SIGTERM", interrupt);
	return {
		signal: controller.signal,
		dispose: () => {
			process.off("SIGINT", interrupt);
			process.off("SIGTERM", interrupt);
		}
	};
}
//#endregion
//#region src/cli/commands/keys.ts
/** Rotates or rewraps keys; no row of a model changes. */
async function runWalk(operation, world, terminal, { tenant, rate, dryRun }) {
	if (dryRun) return countKeys(operation, world, terminal, tenant);
	const interrupt = onInterrupt((message) => terminal.say(message));
	try {
		const report = await world.client.$encryption[operation]({
			...tenant === void 0 ? {} : { tenants: tenant },
			...rate === void 0 ? {} : { rate },
			signal: interrupt.signal,
			onProgress: ({ done, total, outcome, tenant: owner, key }) => {
				terminal.event({
					event: "key",
					operation,
					tenant: owner,
					key,
					outcome,
					done,
					total
				});
				terminal.progress({
					name: operation,
					done,
					total,
					unit: "keys"
				});
			}
		});
		terminal.settle();
		return concludeWalk(operation, terminal, report);
	} catch (error) {
		if (!interrupt.signal.aborted) throw error;
		terminal.settle();
		terminal.say("Interrupted. What was done is done; the same command does the rest.");
		return EXIT.interrupted;
	} finally {
		terminal.settle();
		interrupt.dispose();
	}
}
async function countKeys(operation, { client, database, tenants }, terminal, chosen) {
	const { keys } = await client.$encryption.survey({
		database,
		tenants,
		models: []
	});
	const wanted = keys.filter(({ state, purpose }) => operation === "rotate" ? state === "active" && purpose === "encrypt" : state !== "destroyed").filter(({ tenant }) => chosen === void 0 || chosen.includes(tenant)).length;
	terminal.event({
		event: "dry-run",
		operation,
		keys: wanted
	});
	terminal.say(`${operation} would see to ${counted(wanted, "key")}. A dry run: nothing was changed.`);
	return EXIT.done;
}
function concludeWalk(operation, terminal, report) {
	const { changed, unchanged, failed } = report;
	terminal.event({
		event: "report",
		operation,
		changed,
		unchanged,
		failed: failed.length
	});
	for (const { tenant, key, error } of failed) {
		terminal.event({
			event: "problem",
			tenant,
			key,
			code: error.code,
			message: error.message
		});
		terminal.say(`${error.code}  ${tenant} ${key}: ${error.message}`);
	}
	terminal.say(`${counted(changed, "key")} changed, ${count(unchanged)} unchanged, ${count(failed.length)} failed.`);
	if (operation === "rotate" && changed > 0) terminal.say("New values are under the new keys. Next, for the old ones: fieldseal re-encrypt");
	return failed.length > 0 ? EXIT.problems : EXIT.done;
}
/** Destroys the keys of a tenant, if that is really meant. */
async function runShred(world, terminal, { tenant, yes }) {
	if (!yes) await agree$1(terminal, tenant);
	const receipt = await world.client.$encryption.shred(tenant);
	terminal.event({
		event: "receipt",
		...receipt
	});
	terminal.say(JSON.stringify(receipt, null, 2));
	terminal.say("Keep this receipt. Backups of the keys table can still open the data: destroy or rewrite them too.");
	return EXIT.done;
}
async function agree$1(terminal, tenant) {
	if (!terminal.asks) throw new FieldsealError("OPTIONS_INVALID", "shred destroys all data of a tenant for good; say --yes if that is meant");
	const answer = await text({ message: `Everything that is encrypted for ${JSON.stringify(tenant)} will be unreadable for good. Type the tenant's id to go on` });
	if (isCancel(answer) || answer !== tenant) throw new FieldsealError("OPTIONS_INVALID", "nothing was changed");
}
/** Lists all keys without what is wrapped, for an inventory: JSON, with or without `--json`. */
async function runExportMetadata({ client, database }, stdout) {
	const { keys } = await client.$encryption.survey({
		database,
		models: []
	});
	stdout.write(`${JSON.stringify(keys, null, 2)}\n`);
	return EXIT.done;
}
//#endregion
//#region src/cli/commands/maintain.ts
/** Problems shown one by one; the others are counted. */
const SHOWN$1 = 20;
/** Runs an operation and says what became of it. */
async function runMaintain(operation, world, terminal, args) {
	if (operation === "decrypt" && !args.dryRun) await agree(terminal, args);
	const interrupt = onInterrupt((text) => terminal.say(text));
	const started = performance.now();
	const shown = { problems: 0 };
	const { model, field, tenant, dryRun = false, onError, rate, restart } = args;
	try {
		const reports = await world.client.$encryption.maintain({
			operation,
			database: world.database,
			tenants: world.tenants,
			models: model,
			fields: field,
			tenant,
			dryRun,
			onError,
			restart,
			rowsPerSecond: rate,
			signal: interrupt.signal,
			onProgress: (event) => {
				terminal.event({
					event: "progress",
					...event
				});
				terminal.progress({
					name: event.model,
					done: event.scanned,
					total: event.total,
					unit: "rows"
				});
				if (event.scanned >= event.total) terminal.settle();
			},
			onProblem: (problem) => showProblem(terminal, problem, shown)
		});
		terminal.settle();
		return conclude(terminal, {
			operation,
			dryRun,
			reports,
			seconds: (performance.now() - started) / 1e3
		});
	} finally {
		terminal.settle();
		interrupt.dispose();
	}
}
async function agree(terminal, { yes }) {
	if (yes) return;
	const refusal = "decrypt puts plaintext into the database; say --yes if that is meant";
	if (!terminal.asks) throw new FieldsealError("OPTIONS_INVALID", refusal);
	const answer = await confirm({
		message: "This puts plaintext into the database. Go on?",
		initialValue: false
	});
	if (isCancel(answer) || !answer) throw new FieldsealError("OPTIONS_INVALID", "nothing was changed");
}
function showProblem(terminal, problem, shown) {
	terminal.event({
		event: "problem",
		...problem
	});
	shown.problems += 1;
	if (shown.problems <= SHOWN$1) terminal.say(`${problem.code}  ${problem.model} ${problem.key.join(" / ")}: ${problem.message}`);
	if (shown.problems === SHOWN$1 + 1) terminal.say("Further problems are counted only; --json shows each.");
}
const DOING = {
	encrypt: "encrypted",
	"re-encrypt": "re-encrypted",
	reindex: "reindexed",
	decrypt: "decrypted",
	verify: "verified"
};
function conclude(terminal, { operation, dryRun, reports, seconds }) {
	for (const { problems, ...report } of reports) terminal.event({
		event: dryRun ? "dry-run" : "report",
		...report
	});
	const last = dryRun ? `to be ${DOING[operation]}` : DOING[operation];
	const did = ({ wanted, changed, scanned, skipped }) => dryRun ? wanted : operation === "verify" ? scanned - skipped : changed;
	terminal.table([
		"model",
		"rows seen",
		last,
		"read again",
		"left"
	], reports.map((report) => [report.model, ...[
		report.scanned,
		did(report),
		report.conflicts,
		report.skipped
	].map(count)]));
	for (const { model, resumed } of reports) if (resumed) terminal.say(`${model}: went on with an earlier run, which is counted in.`);
	const problems = reports.reduce((sum, { skipped }) => sum + skipped, 0);
	const outcome = reports.at(-1)?.outcome ?? "done";
	terminal.say(closing(operation, {
		dryRun,
		problems,
		outcome,
		time: duration(seconds)
	}));
	if (outcome === "interrupted") return EXIT.interrupted;
	return problems > 0 ? EXIT.problems : EXIT.done;
}
function closing(operation, { dryRun, problems, outcome, time }) {
	if (outcome === "interrupted") return "Interrupted. The same command goes on from here.";
	if (outcome === "stopped") return "Stopped at a problem (--on-error stop). The same command goes on from here.";
	if (dryRun) return `A dry run: nothing was changed. It took ${time}.`;
	if (operation === "verify") return problems === 0 ? `Everything is encrypted, readable and indexed. It took ${time}.` : `${counted(problems, "problem")}. It took ${time}.`;
	if (problems === 1) return `Done in ${time}; 1 row was left as it was. See to it, then run this again.`;
	if (problems > 0) return `Done in ${time}; ${count(problems)} rows were left as they were. See to them, then run this again.`;
	return `Done in ${time}. Next: ${operation === "decrypt" ? "take the marks out of the schema" : "fieldseal verify"}`;
}
//#endregion
//#region src/cli/commands/statusPage.ts
const COLORS = {
	encrypted: "#1b7f5c",
	older: "#8fc7ae",
	plaintext: "#c0392b",
	null: "#d5d8dc",
	unknown: "#7d3c98"
};
const DAY$1 = 864e5;
/** Upper ends of the classes of age, in days. */
const AGES = [
	7,
	30,
	90,
	180,
	365,
	Number.POSITIVE_INFINITY
];
/** A page by itself, without scripts and without anything to load, that also looks right on paper. */
function statusPage(survey) {
	const { fields, indexes, keys, at } = survey;
	const tenants = new Set(keys.map(({ tenant }) => tenant)).size;
	const active = keys.filter(({ state }) => state === "active");
	return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>fieldseal: what is encrypted</title>
<style>${STYLE}</style>
<h1>What is encrypted</h1>
<p class="lead">${escaped(at.slice(0, 16).replace("T", " "))} UTC · ${count(tenants)} tenants · ${count(active.length)} active keys · ${verdict(survey)}</p>
<h2>Coverage per field</h2>
${legend([
		["encrypted", COLORS.encrypted],
		["plaintext", COLORS.plaintext],
		["under an unknown key", COLORS.unknown],
		["NULL", COLORS.null]
	])}
${fields.map(coverage).join("\n")}
<h2>Rows by key version</h2>
${legend([
		["active key", COLORS.encrypted],
		["retired key", COLORS.older],
		["destroyed key", COLORS.plaintext]
	])}
${fields.map(versions).join("\n")}
<h2>Active keys by age</h2>
${ages(active, at)}
${indexes.length === 0 ? "" : `<h2>Blind indexes</h2>${indexTable(survey)}`}
<h2>Fields</h2>
${fieldTable(fields)}
</html>
`;
}
const STYLE = `
  :root { color-scheme: light; }
  body { font: 15px/1.5 system-ui, sans-serif; color: #1c2833; background: #fff; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
  h1 { font-size: 1.7rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
  .lead { color: #566573; margin: .2rem 0 1rem; } .bad { color: #c0392b; font-weight: 600; } .good { color: #1b7f5c; font-weight: 600; }
  .row { display: grid; grid-template-columns: 14rem 1fr 7rem; gap: .8rem; align-items: center; break-inside: avoid; margin: .25rem 0; }
  .row span:first-child { overflow-wrap: anywhere; } .row span:last-child { text-align: right; font-variant-numeric: tabular-nums; color: #566573; }
  svg { display: block; width: 100%; height: 1.1rem; } .legend span { margin-right: 1.2rem; font-size: .85rem; color: #566573; }
  .legend i { display: inline-block; width: .8em; height: .8em; margin-right: .4em; }
  table { border-collapse: collapse; width: 100%; } th, td { text-align: right; padding: .25rem .5rem; border-bottom: 1px solid #e5e8e8; font-variant-numeric: tabular-nums; }
  th:first-child, td:first-child { text-align: left; } tr { break-inside: avoid; }
  @media print { body { margin: 0; max-width: none; font-size: 11pt; } svg rect, .legend i { print-color-adjust: exact; -webkit-print-color-adjust: exact; } h2 { break-after: avoid; } }
  @media (max-width: 40rem) { .row { grid-template-columns: 1fr; gap: 0; } .row span:last-child { text-align: left; } }`;
function verdict({ fields, indexes }) {
	const plaintext = fields.reduce((sum, field) => sum + field.plaintext, 0);
	const wrong = indexes.reduce((sum, { missing, stray }) => sum + missing + stray, 0);
	if (plaintext > 0) return `<span class="bad">${count(plaintext)} values in plaintext</span>`;
	return wrong > 0 ? `<span class="bad">${count(wrong)} indexes to repair</span>` : "<span class=\"good\">no plaintext left</span>";
}
function coverage(field) {
	const { rows, plaintext, ciphertext, unknownKey } = field;
	const filled = rows - field.null;
	const share = filled === 0 ? "–" : `${(100 * (ciphertext - unknownKey) / filled).toFixed(1)} %`;
	const parts = [
		[
			ciphertext - unknownKey,
			COLORS.encrypted,
			"encrypted"
		],
		[
			plaintext,
			COLORS.plaintext,
			"plaintext"
		],
		[
			unknownKey,
			COLORS.unknown,
			"under an unknown key"
		],
		[
			field.null,
			COLORS.null,
			"NULL"
		]
	];
	return barRow(`${field.model}.${field.field}`, parts, share);
}
function versions({ model, field, versions: found, ciphertext }) {
	const color = (state) => state === "active" ? COLORS.encrypted : state === "retired" ? COLORS.older : COLORS.plaintext;
	const parts = found.map(({ version, state, rows }) => [
		rows,
		color(state),
		`version ${version}, ${state}`
	]);
	return barRow(`${model}.${field}`, parts, count(ciphertext));
}
function ages(keys, at) {
	const days = keys.map(({ createdAt }) => (Date.parse(at) - Date.parse(createdAt)) / DAY$1);
	const classes = AGES.map((end, i) => ({
		end,
		count: days.filter((age) => age < end && age >= (AGES[i - 1] ?? 0)).length
	}));
	const most = Math.max(1, ...classes.map((one) => one.count));
	return classes.map(({ end, count: number }, i) => {
		const name = end === Number.POSITIVE_INFINITY ? "over a year" : `${AGES[i - 1] ?? 0} to ${end} days`;
		return barRow(name, [[
			number,
			COLORS.encrypted,
			name
		], [
			most - number,
			"none",
			""
		]], count(number));
	}).join("\n");
}
function barRow(name, parts, figure) {
	const whole = Math.max(1, parts.reduce((sum, [size]) => sum + size, 0));
	let at = 0;
	const rects = parts.map(([size, color, title]) => {
		const [x, width] = [100 * at / whole, 100 * size / whole];
		at += size;
		if (size === 0 || color === "none") return "";
		return `<rect x="${x}%" width="${width}%" height="100%" fill="${color}"><title>${escaped(title)}: ${count(size)}</title></rect>`;
	});
	return `<div class="row"><span>${escaped(name)}</span><svg role="img" aria-label="${escaped(name)}: ${escaped(figure)}">${rects.join("")}</svg><span>${escaped(figure)}</span></div>`;
}
function legend(entries) {
	return `<p class="legend">${entries.map(([name, color]) => `<span><i style="background:${color}"></i>${name}</span>`).join("")}</p>`;
}
function indexTable({ indexes }) {
	return table([
		"index",
		"missing",
		"beside no value"
	], indexes.map(({ model, field, missing, stray }) => [
		`${model}.${field}`,
		count(missing),
		count(stray)
	]));
}
function fieldTable(fields) {
	return table([
		"field",
		"rows",
		"NULL",
		"plaintext",
		"encrypted",
		"under an unknown key"
	], fields.map(({ model, field, rows, null: none, plaintext, ciphertext, unknownKey }) => [`${model}.${field}`, ...[
		rows,
		none,
		plaintext,
		ciphertext,
		unknownKey
	].map(count)]));
}
function table(head, rows) {
	const line = (cells, tag) => `<tr>${cells.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join("")}</tr>`;
	return `<table><thead>${line(head, "th")}</thead><tbody>${rows.map((row) => line(row, "td")).join("")}</tbody></table>`;
}
function escaped(text) {
	return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
//#endregion
//#region src/cli/commands/status.ts
/** Tenants shown one by one. */
const SHOWN = 20;
const DAY = 864e5;
/** Shows what is encrypted and under which keys. Plaintext that is left is a problem. */
async function runStatus(world, terminal, args) {
	const { model, field, tenant, html } = args;
	const survey = await world.client.$encryption.survey({
		database: world.database,
		tenants: world.tenants,
		models: model,
		fields: field,
		tenant
	});
	terminal.event({
		event: "status",
		...survey
	});
	showFields(terminal, survey);
	showKeys(terminal, survey);
	if (html !== void 0) {
		await writeFile(html, statusPage(survey));
		terminal.say(`Wrote ${html}`);
	}
	return survey.fields.some(({ plaintext, unknownKey }) => plaintext + unknownKey > 0) || survey.indexes.some(({ missing, stray }) => missing + stray > 0) ? EXIT.problems : EXIT.done;
}
function showFields(terminal, { fields, indexes }) {
	terminal.table([
		"field",
		"rows",
		"null",
		"plaintext",
		"encrypted",
		"by key version"
	], fields.map((field) => [
		`${field.model}.${field.field}`,
		...[
			field.rows,
			field.null,
			field.plaintext,
			field.ciphertext
		].map(count),
		[...field.versions.map(({ version, state, rows }) => `v${version} ${state}: ${count(rows)}`), ...field.unknownKey > 0 ? [`unknown key: ${count(field.unknownKey)}`] : []].join("\n")
	]));
	if (indexes.length === 0) return;
	terminal.table([
		"blind index",
		"missing",
		"beside no value"
	], indexes.map(({ model, field, missing, stray }) => [
		`${model}.${field}`,
		count(missing),
		count(stray)
	]));
}
function showKeys(terminal, { keys, at }) {
	const active = keys.filter(({ state }) => state === "active");
	const tenants = new Set(keys.filter(({ purpose }) => purpose !== "wrap").map(({ tenant }) => tenant));
	terminal.say(`${counted(tenants.size, "tenant")}, ${counted(active.length, "active key")}, ${count(keys.length)} in all`);
	if (active.length === 0) return;
	const rows = active.sort((one, other) => one.createdAt < other.createdAt ? -1 : 1).slice(0, SHOWN);
	terminal.table([
		"tenant",
		"purpose",
		"version",
		"age in days",
		"messages",
		"KEK"
	], rows.map((key) => [
		key.tenant,
		key.purpose,
		key.version,
		ageOf(key, at),
		count(key.messages),
		`${key.kms} ${key.kekId}`
	]));
	if (active.length > SHOWN) terminal.say(`… and ${count(active.length - SHOWN)} younger ones; --json lists all.`);
}
function ageOf({ createdAt }, at) {
	return Math.floor((Date.parse(at) - Date.parse(createdAt)) / DAY);
}
//#endregion
//#region src/cli/program.ts
const EXAMPLES = `
The way from plaintext to verified encryption, with the app running:
  $ fieldseal init                     adds what the schema and the project lack
  $ fieldseal status                   what is plaintext, what is encrypted
  $ fieldseal encrypt --dry-run        what would be done
  $ fieldseal encrypt                  does it; Ctrl-C stops it, the same command goes on
  $ fieldseal verify                   reads everything, changes nothing

Each command has its own help: fieldseal encrypt --help. Secrets come from the environment, by fieldseal.config.ts.
Exit codes: 0 done, 1 failed, 2 wrong command line or configuration, 3 done with problems, 130 interrupted.`;
const MAINTENANCE = [
	[
		"encrypt",
		"encrypt the plaintext that is stored in encrypted fields, and fill their blind indexes",
		"Safe beside the running app: it reads small batches by primary key, and writes a row only if nobody changed or locked it meanwhile. @updatedAt stays. Stop it at any time, also with kill -9: the same command goes on where it was. A row that cannot be encrypted is reported and left as it is. A second run changes nothing."
	],
	[
		"re-encrypt",
		"bring ciphertexts of retired keys under the active one, after `fieldseal rotate`",
		"Reads and writes as encrypt does. Indexes stay as they are: they have a key of their own."
	],
	[
		"reindex",
		"make blind indexes again, after their options were changed",
		"Only index columns are written."
	],
	[
		"decrypt",
		"put plaintext back, to leave fieldseal",
		"Ciphertext becomes plaintext and blind indexes become NULL. Mark the fields @encrypted(ejecting) and deploy first."
	],
	[
		"verify",
		"read every encrypted value and index, and report what is wrong",
		"Exit code 3 if there is plaintext, a value that cannot be decrypted, or an index that is not of its value."
	]
];
/** The command line: what there is, and what each is called with. */
function createProgram(context) {
	const program = new Command("fieldseal").description("Encrypt existing data, rotate keys, and see what is encrypted.").addHelpText("after", EXAMPLES).showHelpAfterError("(see --help)").exitOverride();
	addInit(program, context);
	for (const [operation, summary, more] of MAINTENANCE) addMaintenance(program, context, {
		operation,
		summary,
		more
	});
	addStatus(program, context);
	addDoctor(program, context);
	addKeys(program, context);
	return program;
}
/** Adds what all commands that work on data take, and runs them in an open world. */
function inWorld(command, context, run) {
	return command.option("--config <file>", "the configuration; fieldseal.config.ts unless given").option("--json", "print JSON, an event a line, for programs").action(async (options) => {
		const { stdout, stdin, env } = context;
		const terminal = options.json ? jsonTerminal(stdout) : humanTerminal(stdout, stdin);
		const world = await openWorld(options.config, env);
		try {
			context.exit(await run(world, terminal, options));
		} finally {
			await world.close();
		}
	});
}
function chosen(command) {
	return command.option("--model <name...>", "only these models").option("--field <Model.field...>", "only these fields").option("--tenant <id>", "only the rows of this tenant");
}
function addMaintenance(program, context, { operation, summary, more }) {
	const command = chosen(program.command(operation).summary(summary).description(`${capital(summary)}.\n\n${more}`)).option("--dry-run", "count what would be done, and change nothing").addOption(new Option("--on-error <what>", "leave a row with a problem, or stop there").choices(["skip", "stop"]).default("skip")).option("--rate <rows>", "the most rows worked on in a second", positive).option("--restart", "begin anew instead of going on with an unfinished run");
	if (operation === "decrypt") command.option("--yes", "do not ask");
	inWorld(command, context, (world, terminal, args) => runMaintain(operation, world, terminal, args));
}
function addInit(program, { stdout, stdin, exit }) {
	program.command("init").summary("add the generator, the model of the keys and a configuration to a project").description("Add the generator and the model of the keys to the Prisma schema, and fieldseal.config.ts. Shows what it would change, and asks. What is there stays; a second run finds nothing to add.").option("--schema <path>", "the file or folder of the schema; found as Prisma does unless given").option("--dry-run", "show the changes, and write nothing").option("--yes", "do not ask").option("--json", "print JSON, an event a line, for programs").action(async (options) => {
		const terminal = options.json ? jsonTerminal(stdout) : humanTerminal(stdout, stdin);
		exit(await runInit(process.cwd(), terminal, options));
	});
}
function addStatus(program, context) {
	const summary = "show what is encrypted, under which keys, and what is not";
	const description = `${capital(summary)}.\n\nIt reads whole tables and asks no KMS. Exit code 3 if plaintext is left or an index is missing.`;
	const command = chosen(program.command("status").summary(summary).description(description));
	command.option("--html <file>", "also write a page with plots, to send or print");
	inWorld(command, context, (world, terminal, args) => runStatus(world, terminal, args));
}
function addDoctor(program, context) {
	const summary = "look for what is wrong or risky";
	inWorld(program.command("doctor").summary(summary).description(`${capital(summary)}: plaintext that is left, a KMS that does not answer, blind indexes that are missing or slow, old keys, values that also stand in the clear elsewhere, and names of fields that look as if they should be marked. Exit code 3 if there is a problem.`).option("--strict", "risks count as problems"), context, (world, terminal, args) => runDoctor(world, terminal, args));
}
function addKeys(program, context) {
	for (const [operation, summary] of [["rotate", "give tenants a new active key; old ones decrypt on, no row changes"], ["rewrap", "put keys under the newest version of the KEK, or under another KEK; no row changes"]]) inWorld(program.command(operation).summary(summary).description(`${capital(summary)}.`).option("--tenant <id...>", "only the keys of these tenants").option("--rate <keys>", "the most keys begun in a second; a part of what the KMS allows", positive).option("--dry-run", "count the keys, and change nothing"), context, (world, terminal, args) => runWalk(operation, world, terminal, args));
	inWorld(program.command("shred").summary("destroy the keys of a tenant: its data cannot be read again").description("Destroy the keys of a tenant, for good: what they encrypted cannot be read again. Prints a receipt.").requiredOption("--tenant <id>", "the tenant whose keys are destroyed").option("--yes", "do not ask"), context, (world, terminal, args) => runShred(world, terminal, args));
	inWorld(program.command("keys").summary("what is known of keys").description("What is known of keys.").command("export-metadata").description("List all keys as JSON, without what is wrapped."), context, (world) => runExportMetadata(world, context.stdout));
}
function positive(text) {
	const number = Number(text);
	if (number > 0) return number;
	throw new InvalidArgumentError("It must be a number above 0.");
}
function capital(text) {
	return text.charAt(0).toUpperCase() + text.slice(1);
}
/** Runs the command line; never throws. */
async function runProgram(argv, context) {
	try {
		await createProgram(context).parseAsync([...argv], { from: "user" });
	} catch (error) {
		context.exit(explain(error));
	}
}
function explain(error) {
	const { code, exitCode, message } = error;
	if (typeof code === "string" && code.startsWith("commander.")) return exitCode === 0 ? EXIT.done : EXIT.usage;
	console.error(`fieldseal: ${typeof code === "string" ? `${code}: ` : ""}${String(message ?? error)}`);
	return code === "OPTIONS_INVALID" || code === "TENANT_MISSING" || code === "SCHEMA_INVALID" ? EXIT.usage : EXIT.failed;
}
//#endregion
//#region src/bin/fieldseal.ts
await runProgram(process.argv.slice(2), {
	stdout: process.stdout,
	stdin: process.stdin,
	env: process.env,
	exit: (code) => {
		process.exitCode = code;
	}
});
//#endregion
export {};
