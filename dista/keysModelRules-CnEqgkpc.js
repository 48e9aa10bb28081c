//#region src/schema/datamodel.ts
/** The fields of the primary key, in order; empty when there is none. */
function idFields(model) {
	return model.primaryKey?.fields ?? model.fields.filter((field) => field.isId).map((field) => field.name);
}
/** The relation of `model` whose foreign key contains the field. */
function relationOver(model, field) {
	return model.fields.find((relation) => relation.relationFromFields?.includes(field));
}
/** `Model.field` of a relation that refers to the field. */
function referenceTo(datamodel, model, field) {
	for (const other of datamodel.models) {
		const relation = other.fields.find(({ type, relationToFields }) => type === model && relationToFields?.includes(field));
		if (relation !== void 0) return `${other.name}.${relation.name}`;
	}
}
/** The kinds of index that the field is a member of, its own `@id` and `@unique` included. */
function indexTypesOf(datamodel, model, field) {
	return datamodel.indexes.filter((index) => index.model === model && index.fields.some(({ name }) => name === field)).map((index) => index.type);
}
/** The type as the schema writes it: `String @db.VarChar(10)`. */
function writtenType(field) {
	const type = `${field.type}${field.isList ? "[]" : field.isRequired ? "" : "?"}`;
	return field.nativeType ? `${type} ${writtenNativeType(field)}` : type;
}
/** `@db.VarChar(10)`, or nothing. */
function writtenNativeType(field) {
	if (!field.nativeType) return "";
	const [name, args] = field.nativeType;
	return args.length === 0 ? `@db.${name}` : `@db.${name}(${args.join(", ")})`;
}
/** The name of a default that is a function (`uuid`, `now`, …), or `constant`. */
function defaultKind(field) {
	if (!field.hasDefaultValue) return void 0;
	const value = field.default;
	return typeof value === "object" && "name" in value ? value.name : "constant";
}
//#endregion
//#region src/schema/keysModelRules.ts
/** The model that stores the wrapped keys, to paste into a Prisma schema. */
const keysModelSource = `/// @encryptionKeys
model EncryptionKey {
  id          String    @id @db.Uuid
  tenant      String
  purpose     String
  version     Int
  state       String
  wrapped     String?
  kms         String
  kekId       String
  messages    BigInt    @default(0)
  createdAt   DateTime  @default(now())
  retiredAt   DateTime?
  destroyedAt DateTime?

  @@unique([tenant, purpose, version])
  @@map("encryption_keys")
}`;
const exactText = {
	type: "String",
	natives: ["Text", "VarChar"]
};
const keysFields = {
	id: {
		type: "String",
		natives: [
			"Uuid",
			"Text",
			"VarChar"
		]
	},
	tenant: exactText,
	purpose: exactText,
	version: { type: "Int" },
	state: exactText,
	wrapped: {
		type: "String",
		nullable: true,
		natives: ["Text"]
	},
	kms: exactText,
	kekId: exactText,
	messages: {
		type: "BigInt",
		default: "@default(0)"
	},
	createdAt: {
		type: "DateTime",
		default: "@default(now())"
	},
	retiredAt: {
		type: "DateTime",
		nullable: true
	},
	destroyedAt: {
		type: "DateTime",
		nullable: true
	}
};
const keyVersion = [
	"tenant",
	"purpose",
	"version"
];
/** Reports whatever the `@encryptionKeys` model lacks; `true` when it lacks something. */
function checkKeysModel(model, reportAt) {
	let complete = true;
	const report = (name, text) => {
		complete = false;
		reportAt(name === "" ? model.name : `${model.name}.${name}`, text);
	};
	for (const [name, wanted] of Object.entries(keysFields)) {
		const text = keysFieldProblem(name, wanted, model);
		if (text !== void 0) report(name, text);
	}
	for (const field of model.fields.filter(isUnknownToInserts)) report(field.name, "is a required field that fieldseal does not fill; make it optional or give it a @default");
	if (!hasVersionUnique(model)) report("", `lacks @@unique([${keyVersion.join(", ")}]), which decides races for a new key; add it`);
	return !complete;
}
/** Reports when not exactly one model stores the keys; `true` when the user needs the model to paste. */
function checkKeysModelCount(annotated, reportAt) {
	const marked = annotated.filter(({ isKeys }) => isKeys);
	const firstEncrypted = annotated.find(({ encrypted }) => encrypted.length > 0);
	for (const { model } of marked.slice(1)) reportAt(model.name, `is a second \`@encryptionKeys\` model, after ${marked[0].model.name}; keep one`);
	if (marked.length > 0 || firstEncrypted === void 0) return false;
	const field = firstEncrypted.encrypted[0].field.name;
	reportAt(`${firstEncrypted.model.name}.${field}`, "is encrypted, but no model stores the keys; add one marked `@encryptionKeys`");
	return true;
}
function keysFieldProblem(name, wanted, model) {
	const field = model.fields.find((candidate) => candidate.name === name);
	if (field === void 0) return `is missing; add \`${written(name, wanted)}\``;
	const [native] = field.nativeType ?? [];
	if (!hasWantedType(field, wanted)) return `has the type ${writtenType(field)}; make it \`${written(name, wanted)}\``;
	if (native !== void 0 && wanted.natives !== void 0 && !wanted.natives.includes(native)) return `has the native type ${writtenNativeType(field)}; use @db.${wanted.natives[0]}`;
	if (name === "id" && idFields(model).join() !== "id") return "is not the primary key; make it `id String @id @db.Uuid`";
	if (wanted.default !== void 0 && !field.hasDefaultValue) return `has no default; add \`${wanted.default}\``;
}
function hasWantedType(field, wanted) {
	return field.type === wanted.type && !field.isList && field.isRequired === (wanted.nullable === void 0);
}
function isUnknownToInserts(field) {
	return !(Object.hasOwn(keysFields, field.name) || field.kind === "object" || field.isList) && field.isRequired && !field.hasDefaultValue && !field.isUpdatedAt;
}
function hasVersionUnique({ uniqueIndexes }) {
	return uniqueIndexes.some(({ fields }) => [...fields].sort().join() === [...keyVersion].sort().join());
}
function written(name, wanted) {
	return keysModelSource.split("\n").find((candidate) => candidate.trim().startsWith(`${name} `))?.trim().replace(/\s+/g, " ") ?? `${name} ${wanted.type}`;
}
//#endregion
export { idFields as a, relationOver as c, defaultKind as i, writtenNativeType as l, checkKeysModelCount as n, indexTypesOf as o, keysModelSource as r, referenceTo as s, checkKeysModel as t, writtenType as u };
