/*
 * Batches of AES-256-GCM (NIST SP 800-38D) for src/crypto/nativeEngine.ts: one call takes many values of one field and
 * key, so that the way into OpenSSL is paid once and not for each value. All cryptography is that of the OpenSSL inside
 * the Node.js binary; the only other interface is stable Node-API (version 8). What is done here besides: base64url,
 * UTF-8, and the decisions of src/crypto/nodeEngine.ts, in the same order.
 *
 * Whoever calls this is nativeEngine.ts alone. It is trusted to mean what it says, but nothing it passes can make this
 * read or write out of bounds: every length is checked against what it is a length of.
 */
#define NAPI_VERSION 8
#include <node_api.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { KEY = 32, NONCE = 12, TAG = 16, LARGEST_BATCH = 1024, LARGEST_INPUT = 1 << 29 };
/* FAILURE in src/crypto/batch.ts. */
enum { TORN = 0, FORGED = 1, FOREIGN = 2 };
enum { NO_CODEC = -1 };

/* ---- what a process holds ---- */

typedef struct {
  EVP_CIPHER *gcm;
} Instance;

static const napi_type_tag VALUE_KEY = {0x6669656c64736561ULL, 0x6c2f76616c756573ULL};

static void free_instance(napi_env env, void *data, void *hint) {
  Instance *instance = data;
  EVP_CIPHER_free(instance->gcm);
  free(instance);
}

/* Frees the context, which cleanses the key schedule in it. */
static void free_context(napi_env env, void *data, void *hint) { EVP_CIPHER_CTX_free(data); }

static napi_value fail(napi_env env, const char *what) {
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (!pending) napi_throw_error(env, NULL, what);
  return NULL;
}

/* ---- arguments ---- */

typedef struct {
  uint8_t *data;
  size_t length;
} Bytes;

typedef struct {
  const uint32_t *of;
  size_t count;
} Lengths;

static bool bytes_argument(napi_env env, napi_value value, Bytes *out) {
  bool is = false;
  void *data = NULL;
  if (napi_is_buffer(env, value, &is) != napi_ok || !is) return false;
  if (napi_get_buffer_info(env, value, &data, &out->length) != napi_ok) return false;
  out->data = data;
  return true;
}

static bool lengths_argument(napi_env env, napi_value value, Lengths *out) {
  bool is = false;
  napi_typedarray_type type;
  size_t count = 0;
  void *data = NULL;
  if (napi_is_typedarray(env, value, &is) != napi_ok || !is) return false;
  if (napi_get_typedarray_info(env, value, &type, &count, &data, NULL, NULL) != napi_ok) return false;
  if (type != napi_uint32_array || count > LARGEST_BATCH) return false;
  *out = (Lengths){data, count};
  return true;
}

/* Whether the parts fill the whole exactly. */
static bool lengths_fill(Lengths lengths, size_t whole) {
  uint64_t sum = 0;
  for (size_t i = 0; i < lengths.count; i++) sum += lengths.of[i];
  return sum == whole;
}

static size_t longest(Lengths lengths) {
  size_t most = 0;
  for (size_t i = 0; i < lengths.count; i++)
    if (lengths.of[i] > most) most = lengths.of[i];
  return most;
}

static bool key_argument(napi_env env, napi_value value, EVP_CIPHER_CTX **out) {
  bool is = false;
  void *data = NULL;
  if (napi_check_object_type_tag(env, value, &VALUE_KEY, &is) != napi_ok || !is) return false;
  if (napi_unwrap(env, value, &data) != napi_ok) return false;
  *out = data;
  return true;
}

typedef napi_status (*StringReader)(napi_env, napi_value, char *, size_t, size_t *);

/* The characters of a string, or the bytes of a buffer. Free `data` if `owned`. */
typedef struct {
  Bytes bytes;
  bool owned;
} Input;

static void free_input(Input *input) {
  if (!input->owned) return;
  OPENSSL_cleanse(input->bytes.data, input->bytes.length);
  free(input->bytes.data);
}

static bool string_input(napi_env env, napi_value value, StringReader read, Input *out) {
  size_t length = 0, copied = 0;
  if (read(env, value, NULL, 0, &length) != napi_ok || length > LARGEST_INPUT) return false;
  char *data = malloc(length + 1);
  if (!data) return false;
  if (read(env, value, data, length + 1, &copied) != napi_ok || copied != length) {
    OPENSSL_cleanse(data, length + 1);
    free(data);
    return false;
  }
  *out = (Input){{(uint8_t *)data, length}, true};
  return true;
}

static bool input_argument(napi_env env, napi_value value, StringReader read, Input *out) {
  napi_valuetype type;
  if (napi_typeof(env, value, &type) != napi_ok) return false;
  if (type == napi_string) return string_input(env, value, read, out);
  out->owned = false;
  return bytes_argument(env, value, &out->bytes) && out->bytes.length <= LARGEST_INPUT;
}

/* ---- base64url (RFC 4648, section 5) without padding ---- */

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/* Six bits of each character; 0xff where there are none. */
static uint8_t SIXTET[256] = {[0 ... 255] = 0xff};
/* Two characters of each twelve bits. */
static char PAIRS[4096][2];

/* Worker threads share the tables: each fills in the same before it uses them. */
static void fill_tables(void) {
  for (int i = 0; i < 64; i++) SIXTET[(uint8_t)ALPHABET[i]] = (uint8_t)i;
  for (int i = 0; i < 4096; i++) {
    PAIRS[i][0] = ALPHABET[i >> 6];
    PAIRS[i][1] = ALPHABET[i & 63];
  }
}

static size_t decoded_length(size_t characters) { return characters / 4 * 3 + (characters % 4 > 1 ? characters % 4 - 1 : 0); }
static size_t encoded_length(size_t bytes) { return bytes / 3 * 4 + (bytes % 3 ? bytes % 3 + 1 : 0); }

/* Decodes the one canonical text of some bytes, as decodeBase64url in src/crypto/bytes.ts. */
static bool decode_base64url(const uint8_t *text, size_t length, uint8_t *out) {
  size_t rest = length % 4;
  if (rest == 1) return false;
  uint8_t bad = 0;
  const uint8_t *end = text + (length - rest);
  for (; text < end; text += 4, out += 3) {
    uint8_t a = SIXTET[text[0]], b = SIXTET[text[1]], c = SIXTET[text[2]], d = SIXTET[text[3]];
    bad |= a | b | c | d;
    out[0] = (uint8_t)(a << 2 | b >> 4);
    out[1] = (uint8_t)(b << 4 | c >> 2);
    out[2] = (uint8_t)(c << 6 | d);
  }
  if (rest > 0) {
    uint8_t a = SIXTET[text[0]], b = SIXTET[text[1]], c = rest == 3 ? SIXTET[text[2]] : 0;
    bad |= a | b | c;
    out[0] = (uint8_t)(a << 2 | b >> 4);
    if (rest == 3) out[1] = (uint8_t)(b << 4 | c >> 2);
    if (rest == 2 ? b & 15 : c & 3) return false;
  }
  return (bad & 0xc0) == 0;
}

static void encode_base64url(const uint8_t *bytes, size_t length, char *out) {
  const uint8_t *end = bytes + (length - length % 3);
  for (; bytes < end; bytes += 3, out += 4) {
    memcpy(out, PAIRS[bytes[0] << 4 | bytes[1] >> 4], 2);
    memcpy(out + 2, PAIRS[(bytes[1] & 15) << 8 | bytes[2]], 2);
  }
  if (length % 3 == 0) return;
  out[0] = ALPHABET[bytes[0] >> 2];
  if (length % 3 == 1) {
    out[1] = ALPHABET[(bytes[0] & 3) << 4];
  } else {
    out[1] = ALPHABET[(bytes[0] & 3) << 4 | bytes[1] >> 4];
    out[2] = ALPHABET[(bytes[1] & 15) << 2];
  }
}

/* ---- UTF-8 ---- */

static bool is_ascii(const uint8_t *bytes, size_t length) {
  uint64_t all = 0, word;
  for (; length >= 8; bytes += 8, length -= 8) {
    memcpy(&word, bytes, 8);
    all |= word;
  }
  for (; length > 0; bytes++, length--) all |= *bytes;
  return (all & 0x8080808080808080ULL) == 0;
}

/* The bytes of the sequence at the start of some text; 0 where it is none (RFC 3629: shortest form, no surrogates). */
static size_t utf8_sequence(const uint8_t *at, size_t left) {
  uint8_t first = at[0];
  if (first < 0x80) return 1;
  size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || left < size) return 0;
  for (size_t i = 1; i < size; i++)
    if ((at[i] & 0xc0) != 0x80) return 0;
  if (first == 0xe0 && at[1] < 0xa0) return 0;
  if (first == 0xed && at[1] > 0x9f) return 0;
  if (first == 0xf0 && at[1] < 0x90) return 0;
  if (first == 0xf4 && at[1] > 0x8f) return 0;
  return size;
}

static bool is_utf8(const uint8_t *bytes, size_t length) {
  for (size_t at = 0, size; at < length; at += size) {
    size = utf8_sequence(bytes + at, length - at);
    if (size == 0) return false;
  }
  return true;
}

/* How many bytes so many UTF-16 units take at the start of some text; SIZE_MAX if they end inside a sequence. */
static size_t utf8_of_units(const uint8_t *bytes, size_t length, size_t units) {
  size_t at = 0, counted = 0;
  while (counted < units) {
    size_t size = at < length ? utf8_sequence(bytes + at, length - at) : 0;
    if (size == 0) return SIZE_MAX;
    at += size;
    counted += size == 4 ? 2 : 1;
  }
  return counted == units ? at : SIZE_MAX;
}

/* Latin-1 as UTF-8; `out` has room for twice as much. */
static size_t utf8_of_latin1(const uint8_t *text, size_t length, uint8_t *out) {
  uint8_t *start = out;
  for (size_t i = 0; i < length; i++) {
    if (text[i] < 0x80) {
      *out++ = text[i];
    } else {
      *out++ = (uint8_t)(0xc0 | text[i] >> 6);
      *out++ = (uint8_t)(0x80 | (text[i] & 63));
    }
  }
  return (size_t)(out - start);
}

/* ---- values ---- */

/* The AAD of each value: what all have in common, and what follows it where they are bound to their rows. */
typedef struct {
  Bytes common;
  Input bound;
  Lengths lengths;
  size_t at;
} Aad;

static bool aad_arguments(napi_env env, napi_value common, napi_value bound, napi_value lengths, size_t count, Aad *out) {
  memset(out, 0, sizeof *out);
  if (!bytes_argument(env, common, &out->common)) return false;
  napi_valuetype type;
  if (napi_typeof(env, bound, &type) != napi_ok) return false;
  if (type == napi_undefined) return true;
  if (!string_input(env, bound, napi_get_value_string_latin1, &out->bound)) return false;
  return lengths_argument(env, lengths, &out->lengths) && out->lengths.count == count &&
         lengths_fill(out->lengths, out->bound.bytes.length);
}

static bool add_aad(EVP_CIPHER_CTX *context, Aad *aad, size_t i) {
  int ignored;
  if (EVP_CipherUpdate(context, NULL, &ignored, aad->common.data, (int)aad->common.length) != 1) return false;
  if (aad->lengths.count == 0) return true;
  uint32_t length = aad->lengths.of[i];
  const uint8_t *bound = aad->bound.bytes.data + aad->at;
  return length == 0 || EVP_CipherUpdate(context, NULL, &ignored, bound, (int)length) == 1;
}

static void next_aad(Aad *aad, size_t i) {
  if (aad->lengths.count > 0) aad->at += aad->lengths.of[i];
}

/* nonce(12) ‖ ciphertext ‖ tag(16) into plaintext; OpenSSL compares the tag in constant time. */
static bool open_sealed(EVP_CIPHER_CTX *context, Aad *aad, size_t i, uint8_t *sealed, size_t length, uint8_t *plaintext) {
  int written, rest;
  int body = (int)(length - NONCE - TAG);
  uint8_t *tag = sealed + NONCE + body;
  if (EVP_CipherInit_ex(context, NULL, NULL, NULL, sealed, 0) != 1) return false;
  return add_aad(context, aad, i) && EVP_CipherUpdate(context, plaintext, &written, sealed + NONCE, body) == 1 &&
         EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, TAG, tag) == 1 &&
         EVP_CipherFinal_ex(context, plaintext + written, &rest) == 1;
}

/* Plaintext into nonce(12) ‖ ciphertext ‖ tag(16). */
static bool seal(EVP_CIPHER_CTX *context, Aad *aad, size_t i, const uint8_t *nonce, Bytes plaintext, uint8_t *sealed) {
  int written, rest;
  uint8_t *body = sealed + NONCE;
  memcpy(sealed, nonce, NONCE);
  if (EVP_CipherInit_ex(context, NULL, NULL, NULL, nonce, 1) != 1 || !add_aad(context, aad, i)) return false;
  return EVP_CipherUpdate(context, body, &written, plaintext.data, (int)plaintext.length) == 1 &&
         EVP_CipherFinal_ex(context, body + written, &rest) == 1 &&
         EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, TAG, body + plaintext.length) == 1;
}

/* Takes ISO/IEC 7816-4 padding off; SIZE_MAX where there is none. */
static size_t unpadded_length(const uint8_t *plaintext, size_t length) {
  while (length > 0 && plaintext[length - 1] == 0) length--;
  return length > 0 && plaintext[length - 1] == 0x80 ? length - 1 : SIZE_MAX;
}

/* ---- decrypt ---- */

typedef struct {
  EVP_CIPHER_CTX *context;
  Aad aad;
  Input stored;
  Lengths lengths;
  uint32_t head;
  bool text;
  bool padded;
  int32_t codec;
  /* For one value at a time. */
  uint8_t *sealed;
  /* Of all values; those of one at a time where they come out as text. */
  uint8_t *plaintext;
} Decryption;

/* Decides one value: the length of its plaintext, or −1 − the failure. */
static int64_t decrypt_one(Decryption *d, size_t i, const uint8_t *stored, uint8_t *plaintext) {
  size_t length = d->lengths.of[i];
  uint8_t *sealed;
  if (length < d->head) return -1 - TORN;
  stored += d->head;
  length -= d->head;
  if (d->text) {
    if (!decode_base64url(stored, length, d->sealed)) return -1 - TORN;
    length = decoded_length(length);
    sealed = d->sealed;
  } else {
    sealed = (uint8_t *)stored;
  }
  if (length <= NONCE + TAG) return -1 - TORN;
  if (!open_sealed(d->context, &d->aad, i, sealed, length, plaintext)) return -1 - FORGED;
  length -= NONCE + TAG;
  if (!d->padded) return (int64_t)length;
  length = unpadded_length(plaintext, length);
  return length == SIZE_MAX ? -1 - FOREIGN : (int64_t)length;
}

/* The text after the codec, or a failure, as a JavaScript value. */
static napi_status text_outcome(napi_env env, const Decryption *d, int64_t length, const uint8_t *plaintext, napi_value *out) {
  if (length < 0) return napi_create_uint32(env, (uint32_t)(-1 - length), out);
  size_t rest = (size_t)length - 1;
  if (length == 0 || plaintext[0] != d->codec) return napi_create_uint32(env, FOREIGN, out);
  const char *text = (const char *)plaintext + 1;
  if (is_ascii(plaintext + 1, rest)) return napi_create_string_latin1(env, text, rest, out);
  if (!is_utf8(plaintext + 1, rest)) return napi_create_uint32(env, FOREIGN, out);
  return napi_create_string_utf8(env, text, rest, out);
}

/* collect(...texts): JavaScript makes an array of arguments cheaper than we could. */
static napi_value decrypt_texts(napi_env env, Decryption *d, napi_value collect) {
  napi_value outcomes[LARGEST_BATCH], undefined, result = NULL;
  const uint8_t *stored = d->stored.bytes.data;
  for (size_t i = 0; i < d->lengths.count; i++) {
    int64_t length = decrypt_one(d, i, stored, d->plaintext);
    next_aad(&d->aad, i);
    if (text_outcome(env, d, length, d->plaintext, &outcomes[i]) != napi_ok) return fail(env, "no string could be made");
    stored += d->lengths.of[i];
  }
  napi_get_undefined(env, &undefined);
  napi_call_function(env, undefined, collect, d->lengths.count, outcomes, &result);
  return result;
}

/* Plaintexts one after the other in a buffer of the caller's, which is as long as `stored`; lengths or −1 − failure in another. */
static napi_value decrypt_bytes(napi_env env, Decryption *d, Bytes out, napi_value lengths_out) {
  bool is = false;
  napi_typedarray_type type;
  size_t count = 0;
  void *data = NULL;
  if (napi_is_typedarray(env, lengths_out, &is) != napi_ok || !is ||
      napi_get_typedarray_info(env, lengths_out, &type, &count, &data, NULL, NULL) != napi_ok ||
      type != napi_int32_array || count != d->lengths.count || out.length < d->stored.bytes.length)
    return fail(env, "decrypt: no room for the plaintexts");
  int32_t *lengths = data;
  const uint8_t *stored = d->stored.bytes.data;
  uint8_t *plaintext = out.data;
  for (size_t i = 0; i < d->lengths.count; i++) {
    int64_t length = decrypt_one(d, i, stored, plaintext);
    next_aad(&d->aad, i);
    if (length < 0) OPENSSL_cleanse(plaintext, d->lengths.of[i]);
    lengths[i] = (int32_t)length;
    stored += d->lengths.of[i];
    plaintext += d->lengths.of[i];
  }
  return NULL;
}

/*
 * decrypt(key, aad, bound, boundLengths, stored, lengths, head, padded, codec, collect)
 * decrypt(key, aad, bound, boundLengths, stored, lengths, head, padded, −1, out, outLengths)
 *
 * `stored` is all ciphertexts one after the other, text as a string and raw as a buffer; `head` is how much of each is
 * prefix and header.
 */
static napi_value decrypt(napi_env env, napi_callback_info info) {
  size_t argc = 11;
  napi_value argv[11], result = NULL;
  Decryption d = {0};
  napi_valuetype type;
  Bytes out = {0};
  if (napi_get_cb_info(env, info, &argc, argv, NULL, NULL) != napi_ok || argc < 10) return fail(env, "decrypt: arguments");
  bool fits = key_argument(env, argv[0], &d.context) && lengths_argument(env, argv[5], &d.lengths) &&
              aad_arguments(env, argv[1], argv[2], argv[3], d.lengths.count, &d.aad) &&
              napi_typeof(env, argv[4], &type) == napi_ok &&
              input_argument(env, argv[4], napi_get_value_string_latin1, &d.stored) &&
              lengths_fill(d.lengths, d.stored.bytes.length) && napi_get_value_uint32(env, argv[6], &d.head) == napi_ok &&
              napi_get_value_bool(env, argv[7], &d.padded) == napi_ok &&
              napi_get_value_int32(env, argv[8], &d.codec) == napi_ok &&
              (d.codec != NO_CODEC || (argc == 11 && bytes_argument(env, argv[9], &out)));
  size_t room = fits ? longest(d.lengths) + 1 : 0;
  if (fits) {
    d.text = type == napi_string;
    d.sealed = malloc(room);
    d.plaintext = d.codec == NO_CODEC ? NULL : malloc(room);
  }
  if (fits && d.sealed && (d.plaintext || d.codec == NO_CODEC)) {
    ERR_set_mark();
    result = d.codec == NO_CODEC ? decrypt_bytes(env, &d, out, argv[10]) : decrypt_texts(env, &d, argv[9]);
    ERR_pop_to_mark();
  } else {
    fail(env, "decrypt: arguments");
  }
  if (d.plaintext) OPENSSL_cleanse(d.plaintext, room);
  free(d.plaintext);
  free(d.sealed);
  free_input(&d.stored);
  free_input(&d.aad.bound);
  return result;
}

/* ---- encrypt ---- */

/* LATIN1 text has one byte for each UTF-16 unit; WIDE text has come as UTF-8; BYTES are as they are. */
enum { LATIN1 = 0, WIDE = 1, BYTES = 2 };

typedef struct {
  EVP_CIPHER_CTX *context;
  Aad aad;
  Input plaintexts;
  /* In UTF-16 units, or in bytes. */
  Lengths lengths;
  Bytes nonces;
  Input head;
  int32_t encoding;
  /* All of it is plaintext as it stands. */
  bool plain;
  /* Of one value at a time: room for its UTF-8, for nonce ‖ ciphertext ‖ tag, and for the text of it. */
  uint8_t *utf8;
  uint8_t *sealed;
  char *text;
  size_t at;
} Encryption;

/* The plaintext of the next value; false if it is not well-formed. */
static bool next_plaintext(Encryption *e, size_t i, Bytes *out) {
  uint8_t *start = e->plaintexts.bytes.data + e->at;
  size_t left = e->plaintexts.bytes.length - e->at;
  size_t length = e->encoding == WIDE ? utf8_of_units(start, left, e->lengths.of[i]) : e->lengths.of[i];
  if (length == SIZE_MAX) return false;
  e->at += length;
  if (e->plain) *out = (Bytes){start, length};
  else *out = (Bytes){e->utf8, utf8_of_latin1(start, length, e->utf8)};
  return true;
}

static napi_value encrypt_texts(napi_env env, Encryption *e, napi_value collect) {
  napi_value made[LARGEST_BATCH], undefined, result = NULL;
  size_t head = e->head.bytes.length;
  memcpy(e->text, e->head.bytes.data, head);
  for (size_t i = 0; i < e->lengths.count; i++) {
    Bytes plaintext;
    if (!next_plaintext(e, i, &plaintext)) return fail(env, "a text is not well-formed");
    if (!seal(e->context, &e->aad, i, e->nonces.data + i * NONCE, plaintext, e->sealed))
      return fail(env, "OpenSSL could not encrypt");
    next_aad(&e->aad, i);
    size_t sealed = NONCE + plaintext.length + TAG;
    encode_base64url(e->sealed, sealed, e->text + head);
    if (napi_create_string_latin1(env, e->text, head + encoded_length(sealed), &made[i]) != napi_ok)
      return fail(env, "no string could be made");
  }
  napi_get_undefined(env, &undefined);
  napi_call_function(env, undefined, collect, e->lengths.count, made, &result);
  return result;
}

/* Ciphertexts one after the other in a buffer of the caller's, whose room is exact. */
static napi_value encrypt_bytes(napi_env env, Encryption *e, Bytes out) {
  size_t head = e->head.bytes.length, at = 0;
  for (size_t i = 0; i < e->lengths.count; i++) {
    Bytes plaintext;
    if (!next_plaintext(e, i, &plaintext)) return fail(env, "a text is not well-formed");
    size_t length = head + NONCE + plaintext.length + TAG;
    if (out.length - at < length) return fail(env, "encrypt: no room for the ciphertexts");
    memcpy(out.data + at, e->head.bytes.data, head);
    if (!seal(e->context, &e->aad, i, e->nonces.data + i * NONCE, plaintext, out.data + at + head))
      return fail(env, "OpenSSL could not encrypt");
    next_aad(&e->aad, i);
    at += length;
  }
  return NULL;
}

/*
 * encrypt(key, aad, bound, boundLengths, plaintexts, lengths, encoding, nonces, head, collect)
 *
 * `head` is a string for text ciphertexts, and a buffer for raw ones; `collect` is then a buffer for these.
 */
static napi_value encrypt(napi_env env, napi_callback_info info) {
  size_t argc = 10;
  napi_value argv[10], result = NULL;
  Encryption e = {0};
  Bytes out = {0};
  if (napi_get_cb_info(env, info, &argc, argv, NULL, NULL) != napi_ok || argc < 10) return fail(env, "encrypt: arguments");
  bool fits = key_argument(env, argv[0], &e.context) && lengths_argument(env, argv[5], &e.lengths) &&
              aad_arguments(env, argv[1], argv[2], argv[3], e.lengths.count, &e.aad) &&
              napi_get_value_int32(env, argv[6], &e.encoding) == napi_ok &&
              input_argument(env, argv[4], e.encoding == WIDE ? napi_get_value_string_utf8 : napi_get_value_string_latin1,
                             &e.plaintexts) &&
              (e.encoding == WIDE || lengths_fill(e.lengths, e.plaintexts.bytes.length)) &&
              bytes_argument(env, argv[7], &e.nonces) && e.nonces.length == e.lengths.count * NONCE &&
              input_argument(env, argv[8], napi_get_value_string_latin1, &e.head) &&
              (e.head.owned || bytes_argument(env, argv[9], &out));
  size_t room = fits ? longest(e.lengths) * (e.encoding == LATIN1 ? 2 : e.encoding == WIDE ? 3 : 1) : 0;
  if (fits) {
    e.plain = e.encoding != LATIN1 || is_ascii(e.plaintexts.bytes.data, e.plaintexts.bytes.length);
    e.utf8 = malloc(room + 1);
    e.sealed = malloc(NONCE + room + TAG);
    e.text = malloc(e.head.bytes.length + encoded_length(NONCE + room + TAG));
  }
  if (fits && e.utf8 && e.sealed && e.text) {
    ERR_set_mark();
    result = e.head.owned ? encrypt_texts(env, &e, argv[9]) : encrypt_bytes(env, &e, out);
    ERR_pop_to_mark();
  } else {
    fail(env, "encrypt: arguments");
  }
  if (e.utf8) OPENSSL_cleanse(e.utf8, room + 1);
  free(e.utf8);
  free(e.sealed);
  free(e.text);
  free_input(&e.head);
  free_input(&e.plaintexts);
  free_input(&e.aad.bound);
  return result;
}

/* ---- open ---- */

static EVP_CIPHER_CTX *new_context(const EVP_CIPHER *gcm, const uint8_t *key) {
  EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
  if (context && EVP_CipherInit_ex(context, gcm, NULL, key, NULL, 0) == 1) return context;
  EVP_CIPHER_CTX_free(context);
  return NULL;
}

/* open(bytes): a key, as an object that shows nothing. The bytes are only read. */
static napi_value open_key(napi_env env, napi_callback_info info) {
  size_t argc = 1;
  napi_value argv[1], object;
  Bytes key;
  Instance *instance = NULL;
  if (napi_get_cb_info(env, info, &argc, argv, NULL, NULL) != napi_ok || argc < 1 ||
      !bytes_argument(env, argv[0], &key) || key.length != KEY ||
      napi_get_instance_data(env, (void **)&instance) != napi_ok || !instance)
    return fail(env, "open: arguments");
  EVP_CIPHER_CTX *context = new_context(instance->gcm, key.data);
  if (!context) return fail(env, "OpenSSL could not take the key");
  if (napi_create_object(env, &object) != napi_ok ||
      napi_wrap(env, object, context, free_context, NULL, NULL) != napi_ok) {
    EVP_CIPHER_CTX_free(context);
    return fail(env, "open: no object could be made");
  }
  return napi_type_tag_object(env, object, &VALUE_KEY) == napi_ok ? object : fail(env, "open: no object could be made");
}

static bool set_function(napi_env env, napi_value exports, const char *name, napi_callback callback) {
  napi_value function;
  return napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, NULL, &function) == napi_ok &&
         napi_set_named_property(env, exports, name, function) == napi_ok;
}

/* REVISION in src/crypto/addon.ts. */
enum { REVISION = 1 };

/* The SHA-256 of this file, so that a test can tell a binary that was not built from it. */
#ifndef SOURCE
#define SOURCE ""
#endif

static bool set_revision(napi_env env, napi_value exports) {
  napi_value revision, source;
  return napi_create_uint32(env, REVISION, &revision) == napi_ok &&
         napi_set_named_property(env, exports, "revision", revision) == napi_ok &&
         napi_create_string_latin1(env, SOURCE, NAPI_AUTO_LENGTH, &source) == napi_ok &&
         napi_set_named_property(env, exports, "source", source) == napi_ok;
}

NAPI_MODULE_INIT() {
  fill_tables();
  Instance *instance = calloc(1, sizeof *instance);
  if (!instance) return fail(env, "no memory");
  instance->gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
  if (!instance->gcm || napi_set_instance_data(env, instance, free_instance, NULL) != napi_ok) {
    EVP_CIPHER_free(instance->gcm);
    free(instance);
    return fail(env, "OpenSSL has no AES-256-GCM");
  }
  bool set = set_revision(env, exports) && set_function(env, exports, "open", open_key) && set_function(env, exports, "encrypt", encrypt) &&
             set_function(env, exports, "decrypt", decrypt);
  return set ? exports : fail(env, "no functions could be made");
}
