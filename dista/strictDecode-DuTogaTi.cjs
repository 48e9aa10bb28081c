//#region src/kms/strictDecode.ts
const BYTES = 32;
/**
* Decodes exactly 32 bytes of canonical base64, or hex, into a buffer of its own, never a slice of the shared pool, so
* that zeroing it leaves no copy. `null` for anything else. No regular expression touches the text, which is a key: it
* would keep the text alive.
*/
function decodeKey(text, encoding) {
	if (typeof text !== "string" || text.length > 2 * BYTES) return null;
	const key = Buffer.alloc(BYTES);
	const canonical = encoding === "hex" ? text.toLowerCase() : text;
	if (key.write(text, encoding) === BYTES && key.toString(encoding) === canonical) return key;
	key.fill(0);
	return null;
}
//#endregion
Object.defineProperty(exports, "decodeKey", {
	enumerable: true,
	get: function() {
		return decodeKey;
	}
});
