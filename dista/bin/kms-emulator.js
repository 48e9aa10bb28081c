#!/usr/bin/env node
import { t as FieldsealError } from "../errors-DjzEY_1A.js";
import { t as startKmsEmulator } from "../kmsEmulator-C5L-_Yol.js";
import { parseArgs } from "node:util";
//#region src/testing/commandLine.ts
const USAGE = `Usage: fieldseal-kms-emulator [options]

An emulator of Tencent Cloud KMS (API 2019-01-18), for tests and development only.
Each option may also come from the environment variable beside it.

  --port <number>        KMS_EMULATOR_PORT        default 8100; 0 takes a free one
  --host <address>       KMS_EMULATOR_HOST        default 127.0.0.1
  --secret-id <id>       KMS_EMULATOR_SECRET_ID   the credential that clients must sign with
  --secret-key <key>     KMS_EMULATOR_SECRET_KEY
  --token <token>        KMS_EMULATOR_TOKEN       of a temporary credential
  --key-alias <alias>    KMS_EMULATOR_KEY_ALIAS   default fieldseal
  --key-id <id>          KMS_EMULATOR_KEY_ID      a random one unless given
  --state <file>         KMS_EMULATOR_STATE       keeps the keys over restarts
  --limit <Action=N>     KMS_EMULATOR_LIMIT       requests per second, may be repeated (variable: with commas)
  --admin                KMS_EMULATOR_ADMIN=1     answers under /_emulator/ (calls, faults) without a signature
  --help`;
const OPTIONS = {
	port: { type: "string" },
	host: { type: "string" },
	"secret-id": { type: "string" },
	"secret-key": { type: "string" },
	token: { type: "string" },
	"key-alias": { type: "string" },
	"key-id": { type: "string" },
	state: { type: "string" },
	limit: {
		type: "string",
		multiple: true
	},
	admin: { type: "boolean" },
	help: { type: "boolean" }
};
/**
* The command's arguments and environment as options; `null` when help is asked for.
*
* @throws FieldsealError `OPTIONS_INVALID`
*/
function parseCommandLine(args, env) {
	const values = parse(args);
	if (values.help) return null;
	const given = (name) => values[name] ?? (env[variable(name)] || void 0);
	const stateFile = given("state");
	const keyId = given("key-id");
	const limits = values.limit ?? env[variable("limit")]?.split(",").filter(Boolean) ?? [];
	return {
		port: portOf(given("port") ?? "8100"),
		host: given("host") ?? "127.0.0.1",
		keys: [{
			alias: given("key-alias") ?? "fieldseal",
			...keyId === void 0 ? {} : { keyId }
		}],
		limits: Object.fromEntries(limits.map(limitOf)),
		admin: values.admin ?? ["1", "true"].includes(env[variable("admin")] ?? ""),
		...stateFile === void 0 ? {} : { stateFile },
		...credentials({
			id: given("secret-id"),
			key: given("secret-key"),
			token: given("token")
		})
	};
}
function parse(args) {
	try {
		return parseArgs({
			args: [...args],
			options: OPTIONS,
			strict: true
		}).values;
	} catch (error) {
		throw invalid(error instanceof Error ? error.message : "The arguments cannot be understood.");
	}
}
function variable(option) {
	return `KMS_EMULATOR_${option.replace("-", "_").toUpperCase()}`;
}
function portOf(text) {
	if (/^\d{1,5}$/.test(text) && Number(text) < 65536) return Number(text);
	throw invalid(`--port must be a number from 0 to 65535, not "${text}".`);
}
function limitOf(text) {
	const [, action = "", perSecond = ""] = /^([A-Za-z]+)=(\d{1,6})$/.exec(text.trim()) ?? [];
	if (action) return [action, Number(perSecond)];
	throw invalid(`--limit must look like GenerateDataKey=100, not "${text}".`);
}
function credentials({ id, key, token }) {
	if (id === void 0 && key === void 0 && token === void 0) return {};
	if (id === void 0 || key === void 0) throw invalid("--secret-id and --secret-key must be given together.");
	return { credentials: [{
		secretId: id,
		secretKey: key,
		...token === void 0 ? {} : { token }
	}] };
}
function invalid(message) {
	return new FieldsealError("OPTIONS_INVALID", `${message} See --help.`);
}
//#endregion
//#region src/bin/kms-emulator.ts
async function main() {
	const options = parseCommandLine(process.argv.slice(2), process.env);
	if (!options) {
		console.log(USAGE);
		return;
	}
	const emulator = await startKmsEmulator(options);
	const stop = () => void emulator.close();
	process.once("SIGTERM", stop);
	process.once("SIGINT", stop);
	const { url, keyId, credential } = emulator;
	console.log(`Tencent KMS emulator on ${url}, key ${keyId}, secret id ${credential.secretId} (not for production)`);
}
main().catch((error) => {
	console.error(error instanceof Error ? error.message : error);
	process.exitCode = 1;
});
//#endregion
export {};
