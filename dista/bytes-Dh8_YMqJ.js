//#region src/crypto/bytes.ts
/** `LP(x)`: a 4-byte big-endian length and the bytes. Makes a concatenation of fields unambiguous. */
function lengthPrefixed(value) {
	const bytes = typeof value === "string" ? Buffer.from(value, "utf8") : value;
	const out = Buffer.alloc(4 + bytes.length);
	out.writeUInt32BE(bytes.length, 0);
	out.set(bytes, 4);
	return out;
}
const BASE64URL = /^[A-Za-z0-9_-]*$/;
const TAIL_BITS_ZERO = {
	0: /^/,
	2: /[AQgw]$/,
	3: /[AEIMQUYcgkosw048]$/
};
/**
* Decodes base64url (RFC 4648 §5) without padding, and only its canonical form: one text for each byte string, so that
* no changed character goes unnoticed. `null` when the text is anything else.
*/
function decodeBase64url(text) {
	const rest = text.length % 4;
	if (rest === 1 || !BASE64URL.test(text)) return null;
	if (rest !== 0 && !TAIL_BITS_ZERO[rest].test(text)) return null;
	return Buffer.from(text, "base64url");
}
//#endregion
export { lengthPrefixed as n, decodeBase64url as t };
