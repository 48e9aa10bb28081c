import { t as FieldsealError } from "./errors-DjzEY_1A.js";
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
	if (state.startsWith("22") || state.startsWith("23") || state === "54000") return new FieldsealError("ROW_REFUSED", `the database refuses the new values of a row (${state}, ${String(constraint ?? column ?? table ?? "the type of a column")})`);
	if (state === "40001" || state === "40P01" || state === "55P03") return new FieldsealError("ROW_BUSY", `a row is locked by another transaction (${state}): run the command again later`);
	return new FieldsealError("DATABASE_UNAVAILABLE", `${`the database could not be used${state && ` (${state})`}: ${String(message ?? error)}`}. ${hint(state)}`, { cause: error });
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
export { runSql as n, tableName as r, quoteName as t };
