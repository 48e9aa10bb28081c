/*
 * Batches of AES-256-GCM (NIST SP 800-38D) for src/crypto/native/nativeEngine.ts, and of HMAC-SHA-256 (RFC 2104) for
 * src/crypto/native/nativeIndexKey.ts: one call takes many values under one key, so that the way into OpenSSL is paid
 * once and not for each value. All cryptography is that of the OpenSSL inside the Node.js binary; the only other
 * interface is stable Node-API (version 8). What is done here besides: base64url, UTF-8, and the decisions of
 * src/crypto/nodeEngine.ts, in the same order.
 *
 * Only these two files call it. They are trusted to mean what they say, but nothing they pass can make this
 * read or write out of bounds: every length is checked against what it is a length of.
 */
#define NAPI_VERSION 8
#include <node_api.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { KEY = 32, NONCE = 12, TAG = 16, DIGEST = 32, LARGEST_HEAD = 28, LARGEST_BATCH = 1024, LARGEST_INPUT = 1 << 29 };
/* What OpenSSL takes from the system in one call. */
enum { SYSTEM_REQUEST = 128 };
/* FAILURE in src/crypto/engine.ts. */
enum { TORN = 0, FORGED = 1, FOREIGN = 2 };
enum { NO_CODEC = -1 };

/* ---- what a process holds ---- */

typedef struct {
  EVP_CIPHER *gcm;
  EVP_MAC *hmac;
  /* The generator of the operating system; NULL where a configuration of OpenSSL leaves it out. */
  EVP_RAND_CTX *system;
} Instance;

/* What the values of one field have in common: the AAD of all, and the head of their ciphertexts. */
typedef struct {
  uint8_t *aad;
  size_t aad_length;
  char head[LARGEST_HEAD];
  size_t head_length;
  bool text;
  bool padded;
  int32_t codec;
} Place;

typedef struct {
  EVP_CIPHER_CTX *context;
  Place *places;
  size_t count;
} ValueKey;

static const napi_type_tag VALUE_KEY = {0x6669656c64736561ULL, 0x6c2f76616c756573ULL};
static const napi_type_tag INDEX_KEY = {0x6669656c64736561ULL, 0x6c2f696e64657865ULL};

static void free_instance(napi_env env, void *data, void *hint) {
  Instance *instance = data;
  EVP_CIPHER_free(instance->gcm);
  EVP_MAC_free(instance->hmac);
  EVP_RAND_CTX_free(instance->system);
  free(instance);
}

/* Freeing the context cleanses the key schedule in it. */
static void free_value_key(napi_env env, void *data, void *hint) {
  ValueKey *key = data;
  EVP_CIPHER_CTX_free(key->context);
  for (size_t i = 0; i < key->count; i++) free(key->places[i].aad);
  free(key->places);
  free(key);
}

static void free_index_key(napi_env env, void *data, void *hint) { EVP_MAC_CTX_free(data); }

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

/*
 * Numbers of each value, in columns of LARGEST_BATCH: its length, its place, the length of its bound texts; and back,
 * the length of its plaintext or −1 − the failure.
 */
typedef struct {
  Lengths lengths;
  const uint32_t *places;
  Lengths bound;
  int32_t *outcomes;
} Frame;

/* What an empty buffer, which may have no address, points to: memcpy and its like take no null pointer. */
static uint8_t NOTHING[1];

static bool bytes_argument(napi_env env, napi_value value, Bytes *out) {
  bool is = false;
  void *data = NULL;
  if (napi_is_buffer(env, value, &is) != napi_ok || !is) return false;
  if (napi_get_buffer_info(env, value, &data, &out->length) != napi_ok) return false;
  out->data = data ? data : NOTHING;
  return true;
}

static bool frame_arguments(napi_env env, napi_value value, napi_value count, Frame *out) {
  bool is = false;
  napi_typedarray_type type;
  size_t room = 0;
  void *data = NULL;
  uint32_t values = 0;
  if (napi_is_typedarray(env, value, &is) != napi_ok || !is) return false;
  if (napi_get_typedarray_info(env, value, &type, &room, &data, NULL, NULL) != napi_ok) return false;
  if (type != napi_uint32_array || room < 4 * LARGEST_BATCH) return false;
  if (napi_get_value_uint32(env, count, &values) != napi_ok || values > LARGEST_BATCH) return false;
  uint32_t *columns = data;
  out->lengths = (Lengths){columns, values};
  out->places = columns + LARGEST_BATCH;
  out->bound = (Lengths){columns + 2 * LARGEST_BATCH, values};
  out->outcomes = (int32_t *)columns + 3 * LARGEST_BATCH;
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

static bool key_argument(napi_env env, napi_value value, const napi_type_tag *tag, void **out) {
  bool is = false;
  if (napi_check_object_type_tag(env, value, tag, &is) != napi_ok || !is) return false;
  return napi_unwrap(env, value, out) == napi_ok;
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
/* The six bits of a character, where they stand among the 24 of four characters; NO_SIXTET where there are none. */
static uint32_t SIXTETS[4][256];
static const uint32_t NO_SIXTET = 1u << 31;
/* Two characters of each twelve bits. */
static char PAIRS[4096][2];

/*
 * Worker threads share the tables. They are filled in while the addon is being loaded for the first time, before any
 * thread can have its functions.
 */
__attribute__((constructor)) static void fill_tables(void) {
  for (int at = 0; at < 4; at++) {
    for (int i = 0; i < 256; i++) SIXTETS[at][i] = NO_SIXTET;
    for (int i = 0; i < 64; i++) SIXTETS[at][(uint8_t)ALPHABET[i]] = (uint32_t)i << (18 - 6 * at);
  }
  for (int i = 0; i < 4096; i++) {
    PAIRS[i][0] = ALPHABET[i >> 6];
    PAIRS[i][1] = ALPHABET[i & 63];
  }
}

static size_t decoded_length(size_t characters) { return characters / 4 * 3 + (characters % 4 > 1 ? characters % 4 - 1 : 0); }
static size_t encoded_length(size_t bytes) { return bytes / 3 * 4 + (bytes % 3 ? bytes % 3 + 1 : 0); }

static uint32_t four_characters(const uint8_t *text) {
  return SIXTETS[0][text[0]] | SIXTETS[1][text[1]] | SIXTETS[2][text[2]] | SIXTETS[3][text[3]];
}

static void put_three_bytes(uint32_t bits, uint8_t *out) {
  out[0] = (uint8_t)(bits >> 16);
  out[1] = (uint8_t)(bits >> 8);
  out[2] = (uint8_t)bits;
}

/* Decodes the one canonical text of some bytes, as decodeBase64url in src/crypto/bytes.ts. */
static bool decode_base64url(const uint8_t *text, size_t length, uint8_t *out) {
  size_t rest = length % 4;
  if (rest == 1) return false;
  uint32_t all = 0;
  const uint8_t *end = text + (length - rest);
  for (; end - text >= 8; text += 8, out += 6) {
    uint32_t first = four_characters(text), second = four_characters(text + 4);
    all |= first | second;
    put_three_bytes(first, out);
    put_three_bytes(second, out + 3);
  }
  for (; text < end; text += 4, out += 3) {
    uint32_t bits = four_characters(text);
    all |= bits;
    put_three_bytes(bits, out);
  }
  if (rest > 0) {
    const uint8_t last[4] = {text[0], text[1], rest == 3 ? text[2] : 'A', 'A'};
    uint32_t bits = four_characters(last);
    all |= bits;
    out[0] = (uint8_t)(bits >> 16);
    if (rest == 3) out[1] = (uint8_t)(bits >> 8);
    if (bits & (rest == 2 ? 0xffff : 0xff)) return false;
  }
  return (all & NO_SIXTET) == 0;
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

/* What each value is of: its place, and what its AAD has besides where it is bound to its row. */
typedef struct {
  ValueKey *key;
  Frame frame;
  Input bound;
  size_t at;
} Values;

static const Place *place_of(const Values *values, size_t i) { return &values->key->places[values->frame.places[i]]; }

/* All places must be there, and of text where the values are. */
static bool places_fit(const Values *values, bool text) {
  for (size_t i = 0; i < values->frame.lengths.count; i++)
    if (values->frame.places[i] >= values->key->count || place_of(values, i)->text != text) return false;
  return true;
}

static bool values_arguments(napi_env env, napi_value *argv, Values *out) {
  napi_valuetype type;
  if (!key_argument(env, argv[0], &VALUE_KEY, (void **)&out->key)) return false;
  if (!frame_arguments(env, argv[1], argv[2], &out->frame)) return false;
  if (napi_typeof(env, argv[3], &type) != napi_ok) return false;
  if (type == napi_undefined) return true;
  return string_input(env, argv[3], napi_get_value_string_latin1, &out->bound) &&
         lengths_fill(out->frame.bound, out->bound.bytes.length);
}

static bool add_aad(const Values *values, size_t i) {
  int ignored;
  EVP_CIPHER_CTX *context = values->key->context;
  const Place *place = place_of(values, i);
  if (EVP_CipherUpdate(context, NULL, &ignored, place->aad, (int)place->aad_length) != 1) return false;
  uint32_t length = values->bound.owned ? values->frame.bound.of[i] : 0;
  return length == 0 || EVP_CipherUpdate(context, NULL, &ignored, values->bound.bytes.data + values->at, (int)length) == 1;
}

static void next_value(Values *values, size_t i) {
  if (values->bound.owned) values->at += values->frame.bound.of[i];
}

/* What EVP_CIPHER_CTX_ctrl would make of it, without the way there. */
static OSSL_PARAM tag_parameter(uint8_t *tag) { return OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, tag, TAG); }

/* nonce(12) ‖ ciphertext ‖ tag(16) into plaintext; OpenSSL compares the tag in constant time. */
static bool open_sealed(const Values *values, size_t i, uint8_t *sealed, size_t length, uint8_t *plaintext) {
  EVP_CIPHER_CTX *context = values->key->context;
  int written, rest;
  int body = (int)(length - NONCE - TAG);
  OSSL_PARAM tag[] = {tag_parameter(sealed + NONCE + body), OSSL_PARAM_construct_end()};
  if (EVP_CipherInit_ex(context, NULL, NULL, NULL, sealed, 0) != 1) return false;
  return add_aad(values, i) && EVP_CipherUpdate(context, plaintext, &written, sealed + NONCE, body) == 1 &&
         EVP_CIPHER_CTX_set_params(context, tag) == 1 &&
         EVP_CipherFinal_ex(context, plaintext + written, &rest) == 1;
}

/* Plaintext into nonce(12) ‖ ciphertext ‖ tag(16). */
static bool seal(const Values *values, size_t i, const uint8_t *nonce, Bytes plaintext, uint8_t *sealed) {
  EVP_CIPHER_CTX *context = values->key->context;
  int written, rest;
  uint8_t *body = sealed + NONCE;
  OSSL_PARAM tag[] = {tag_parameter(body + plaintext.length), OSSL_PARAM_construct_end()};
  memcpy(sealed, nonce, NONCE);
  if (EVP_CipherInit_ex(context, NULL, NULL, NULL, nonce, 1) != 1 || !add_aad(values, i)) return false;
  return EVP_CipherUpdate(context, body, &written, plaintext.data, (int)plaintext.length) == 1 &&
         EVP_CipherFinal_ex(context, body + written, &rest) == 1 &&
         EVP_CIPHER_CTX_get_params(context, tag) == 1;
}

/* Takes ISO/IEC 7816-4 padding off; SIZE_MAX where there is none. */
static size_t unpadded_length(const uint8_t *plaintext, size_t length) {
  while (length > 0 && plaintext[length - 1] == 0) length--;
  return length > 0 && plaintext[length - 1] == 0x80 ? length - 1 : SIZE_MAX;
}

/* ---- decrypt ---- */

typedef struct {
  Values values;
  Input stored;
  bool text;
  /* For one value at a time. */
  uint8_t *sealed;
  /* Of all values; those of one at a time where they come out as text. */
  uint8_t *plaintext;
} Decryption;

/* Decides one value: the length of its plaintext, or −1 − the failure. */
static int64_t decrypt_one(Decryption *d, size_t i, const uint8_t *stored, uint8_t *plaintext) {
  const Place *place = place_of(&d->values, i);
  size_t length = d->values.frame.lengths.of[i];
  uint8_t *sealed;
  if (length < place->head_length || memcmp(stored, place->head, place->head_length) != 0) return -1 - TORN;
  stored += place->head_length;
  length -= place->head_length;
  if (d->text) {
    if (!decode_base64url(stored, length, d->sealed)) return -1 - TORN;
    length = decoded_length(length);
    sealed = d->sealed;
  } else {
    sealed = (uint8_t *)stored;
  }
  if (length <= NONCE + TAG) return -1 - TORN;
  if (!open_sealed(&d->values, i, sealed, length, plaintext)) return -1 - FORGED;
  length -= NONCE + TAG;
  if (!place->padded) return (int64_t)length;
  length = unpadded_length(plaintext, length);
  return length == SIZE_MAX ? -1 - FOREIGN : (int64_t)length;
}

/* The text after the codec, or a failure, as a JavaScript value. */
static napi_status text_outcome(napi_env env, int32_t codec, int64_t length, const uint8_t *plaintext, napi_value *out) {
  if (length < 0) return napi_create_uint32(env, (uint32_t)(-1 - length), out);
  size_t rest = (size_t)length - 1;
  if (length == 0 || plaintext[0] != codec) return napi_create_uint32(env, FOREIGN, out);
  const char *text = (const char *)plaintext + 1;
  if (is_ascii(plaintext + 1, rest)) return napi_create_string_latin1(env, text, rest, out);
  if (!is_utf8(plaintext + 1, rest)) return napi_create_uint32(env, FOREIGN, out);
  return napi_create_string_utf8(env, text, rest, out);
}

/* collect(...texts): JavaScript makes an array of arguments cheaper than we could. */
static napi_value decrypt_texts(napi_env env, Decryption *d, napi_value collect) {
  napi_value outcomes[LARGEST_BATCH], undefined, result = NULL;
  Lengths lengths = d->values.frame.lengths;
  const uint8_t *stored = d->stored.bytes.data;
  for (size_t i = 0; i < lengths.count; i++) {
    int64_t length = decrypt_one(d, i, stored, d->plaintext);
    next_value(&d->values, i);
    if (text_outcome(env, place_of(&d->values, i)->codec, length, d->plaintext, &outcomes[i]) != napi_ok)
      return fail(env, "no string could be made");
    stored += lengths.of[i];
  }
  napi_get_undefined(env, &undefined);
  napi_call_function(env, undefined, collect, lengths.count, outcomes, &result);
  return result;
}

/* Plaintexts one after the other in a buffer of the caller's, which is as long as `stored`. */
static napi_value decrypt_bytes(napi_env env, Decryption *d, Bytes out) {
  Lengths lengths = d->values.frame.lengths;
  if (out.length < d->stored.bytes.length) return fail(env, "decrypt: no room for the plaintexts");
  const uint8_t *stored = d->stored.bytes.data;
  uint8_t *plaintext = out.data;
  for (size_t i = 0; i < lengths.count; i++) {
    int64_t length = decrypt_one(d, i, stored, plaintext);
    next_value(&d->values, i);
    if (length < 0) OPENSSL_cleanse(plaintext, lengths.of[i]);
    d->values.frame.outcomes[i] = (int32_t)length;
    stored += lengths.of[i];
    plaintext += lengths.of[i];
  }
  return NULL;
}

/*
 * decrypt(key, frame, count, bound, stored, collect)
 * decrypt(key, frame, count, bound, stored, out)
 *
 * `stored` is all ciphertexts one after the other, text as a string and raw as a buffer. `collect` gets the texts after
 * their codecs; `out` takes the plaintexts, codecs included.
 */
static napi_value decrypt(napi_env env, napi_callback_info info) {
  size_t argc = 6;
  napi_value argv[6], result = NULL;
  Decryption d = {0};
  napi_valuetype type, kind;
  Bytes out = {0};
  if (napi_get_cb_info(env, info, &argc, argv, NULL, NULL) != napi_ok || argc < 6) return fail(env, "decrypt: arguments");
  bool fits = values_arguments(env, argv, &d.values) && napi_typeof(env, argv[4], &type) == napi_ok &&
              input_argument(env, argv[4], napi_get_value_string_latin1, &d.stored) &&
              lengths_fill(d.values.frame.lengths, d.stored.bytes.length) && places_fit(&d.values, type == napi_string) &&
              napi_typeof(env, argv[5], &kind) == napi_ok && (kind == napi_function || bytes_argument(env, argv[5], &out));
  bool texts = fits && kind == napi_function;
  size_t room = fits ? longest(d.values.frame.lengths) + 1 : 0;
  if (fits) {
    d.text = type == napi_string;
    d.sealed = malloc(room);
    d.plaintext = texts ? malloc(room) : NULL;
  }
  if (fits && d.sealed && (d.plaintext || !texts)) {
    ERR_set_mark();
    result = texts ? decrypt_texts(env, &d, argv[5]) : decrypt_bytes(env, &d, out);
    ERR_pop_to_mark();
  } else {
    fail(env, "decrypt: arguments");
  }
  if (d.plaintext) OPENSSL_cleanse(d.plaintext, room);
  free(d.plaintext);
  free(d.sealed);
  free_input(&d.stored);
  free_input(&d.values.bound);
  return result;
}

/* ---- encrypt ---- */

/* LATIN1 text has one byte for each UTF-16 unit; WIDE text has come as UTF-8; BYTES are as they are. */
enum { LATIN1 = 0, WIDE = 1, BYTES = 2 };

/* Texts to work on, one after the other. */
typedef struct {
  Input input;
  /* Each in UTF-16 units, or in bytes. */
  Lengths lengths;
  int32_t encoding;
  /* All of it is UTF-8 as it stands. */
  bool plain;
  /* The UTF-8 of one takes no more. */
  size_t room;
  /* Room for it, where it is made one at a time. */
  uint8_t *utf8;
  size_t at;
} Texts;

/* Of WIDE texts the lengths are not checked yet: none is longer than the whole. */
static size_t text_room(Lengths lengths, int32_t encoding, size_t whole) {
  if (encoding == LATIN1) return 2 * longest(lengths);
  if (encoding == BYTES) return longest(lengths);
  size_t most = 3 * longest(lengths);
  return most < whole ? most : whole;
}

static bool texts_arguments(napi_env env, napi_value input, napi_value encoding, Lengths lengths, Texts *out) {
  if (napi_get_value_int32(env, encoding, &out->encoding) != napi_ok) return false;
  StringReader read = out->encoding == WIDE ? napi_get_value_string_utf8 : napi_get_value_string_latin1;
  if (!input_argument(env, input, read, &out->input)) return false;
  if (out->encoding != WIDE && !lengths_fill(lengths, out->input.bytes.length)) return false;
  out->lengths = lengths;
  out->plain = out->encoding != LATIN1 || is_ascii(out->input.bytes.data, out->input.bytes.length);
  out->room = text_room(lengths, out->encoding, out->input.bytes.length);
  if (out->plain) return true;
  out->utf8 = malloc(out->room + 1);
  return out->utf8 != NULL;
}

static void free_texts(Texts *texts) {
  if (texts->utf8) OPENSSL_cleanse(texts->utf8, texts->room + 1);
  free(texts->utf8);
  free_input(&texts->input);
}

/* The UTF-8 of the next one; false if it is not well-formed. */
static bool next_text(Texts *texts, size_t i, Bytes *out) {
  uint8_t *start = texts->input.bytes.data + texts->at;
  size_t left = texts->input.bytes.length - texts->at;
  size_t length = texts->encoding == WIDE ? utf8_of_units(start, left, texts->lengths.of[i]) : texts->lengths.of[i];
  if (length == SIZE_MAX) return false;
  texts->at += length;
  if (texts->plain) *out = (Bytes){start, length};
  else *out = (Bytes){texts->utf8, utf8_of_latin1(start, length, texts->utf8)};
  return true;
}

/*
 * Random numbers that no other process gets, even one that goes on from a copy of this one's memory: OpenSSL's own
 * generator keeps its state there, and would give both the same. The system's keeps its elsewhere, and is asked as it
 * is for little, in one call. For much, the system reseeds OpenSSL's first (prediction resistance, NIST SP 800-90A
 * section 8.8), which then is faster.
 */
static bool fill_random(napi_env env, uint8_t *out, size_t length) {
  Instance *instance = NULL;
  if (napi_get_instance_data(env, (void **)&instance) != napi_ok || !instance) return false;
  if (instance->system && length <= SYSTEM_REQUEST)
    return EVP_RAND_generate(instance->system, out, length, 0, 0, NULL, 0) == 1;
  EVP_RAND_CTX *own = RAND_get0_public(NULL);
  return own && EVP_RAND_generate(own, out, length, 0, 1, NULL, 0) == 1;
}

/* Those of the caller, who may have them from a test vector, or else new ones in `room`. */
static bool nonces_argument(napi_env env, napi_value value, size_t count, uint8_t *room, Bytes *out) {
  napi_valuetype type;
  if (napi_typeof(env, value, &type) != napi_ok) return false;
  if (type != napi_undefined) return bytes_argument(env, value, out) && out->length == count * NONCE;
  *out = (Bytes){room, count * NONCE};
  return fill_random(env, room, out->length) || (fail(env, "OpenSSL has no random numbers"), false);
}

typedef struct {
  Values values;
  Texts plaintexts;
  Bytes nonces;
  /* Of one value at a time: nonce ‖ ciphertext ‖ tag, and the text of it. */
  uint8_t *sealed;
  char *text;
} Encryption;

static napi_value encrypt_texts(napi_env env, Encryption *e, napi_value collect) {
  napi_value made[LARGEST_BATCH], undefined, result = NULL;
  size_t count = e->plaintexts.lengths.count;
  for (size_t i = 0; i < count; i++) {
    Bytes plaintext;
    const Place *place = place_of(&e->values, i);
    if (!next_text(&e->plaintexts, i, &plaintext)) return fail(env, "a text is not well-formed");
    if (!seal(&e->values, i, e->nonces.data + i * NONCE, plaintext, e->sealed))
      return fail(env, "OpenSSL could not encrypt");
    next_value(&e->values, i);
    size_t sealed = NONCE + plaintext.length + TAG;
    memcpy(e->text, place->head, place->head_length);
    encode_base64url(e->sealed, sealed, e->text + place->head_length);
    if (napi_create_string_latin1(env, e->text, place->head_length + encoded_length(sealed), &made[i]) != napi_ok)
      return fail(env, "no string could be made");
  }
  napi_get_undefined(env, &undefined);
  napi_call_function(env, undefined, collect, count, made, &result);
  return result;
}

/* Ciphertexts one after the other in a buffer of the caller's, whose room is exact. */
static napi_value encrypt_bytes(napi_env env, Encryption *e, Bytes out) {
  size_t at = 0;
  for (size_t i = 0; i < e->plaintexts.lengths.count; i++) {
    Bytes plaintext;
    const Place *place = place_of(&e->values, i);
    if (!next_text(&e->plaintexts, i, &plaintext)) return fail(env, "a text is not well-formed");
    size_t length = place->head_length + NONCE + plaintext.length + TAG;
    if (out.length - at < length) return fail(env, "encrypt: no room for the ciphertexts");
    memcpy(out.data + at, place->head, place->head_length);
    if (!seal(&e->values, i, e->nonces.data + i * NONCE, plaintext, out.data + at + place->head_length))
      return fail(env, "OpenSSL could not encrypt");
    next_value(&e->values, i);
    at += length;
  }
  return NULL;
}

/*
 * encrypt(key, frame, count, bound, plaintexts, encoding, nonces, collect)
 * encrypt(key, frame, count, bound, plaintexts, encoding, nonces, out)
 *
 * `collect` gets ciphertexts of places that are text, `out` takes raw ones. Without nonces, each value gets a new one.
 */
static napi_value encrypt(napi_env env, napi_callback_info info) {
  size_t argc = 8;
  napi_value argv[8], result = NULL;
  Encryption e = {0};
  napi_valuetype kind;
  Bytes out = {0};
  uint8_t nonces[LARGEST_BATCH * NONCE];
  if (napi_get_cb_info(env, info, &argc, argv, NULL, NULL) != napi_ok || argc < 8) return fail(env, "encrypt: arguments");
  ERR_set_mark();
  bool fits = values_arguments(env, argv, &e.values) &&
              texts_arguments(env, argv[4], argv[5], e.values.frame.lengths, &e.plaintexts) &&
              nonces_argument(env, argv[6], e.plaintexts.lengths.count, nonces, &e.nonces) &&
              napi_typeof(env, argv[7], &kind) == napi_ok && (kind == napi_function || bytes_argument(env, argv[7], &out)) &&
              places_fit(&e.values, kind == napi_function);
  if (fits) {
    size_t room = NONCE + e.plaintexts.room + TAG;
    e.sealed = malloc(room);
    e.text = malloc(LARGEST_HEAD + encoded_length(room));
  }
  if (fits && e.sealed && e.text)
    result = kind == napi_function ? encrypt_texts(env, &e, argv[7]) : encrypt_bytes(env, &e, out);
  else
    fail(env, "encrypt: arguments");
  ERR_pop_to_mark();
  free(e.sealed);
  free(e.text);
  free_texts(&e.plaintexts);
  free_input(&e.values.bound);
  return result;
}

/* ---- blind indexes ---- */

/* HMAC of prefix ‖ message. A context that is begun again without a key keeps the one it has. */
static bool index_one(EVP_MAC_CTX *context, const Bytes *prefix, Bytes message, uint8_t *digest) {
  size_t length;
  return EVP_MAC_init(context, NULL, 0, NULL) == 1 && EVP_MAC_update(context, prefix->data, prefix->length) == 1 &&
         EVP_MAC_update(context, message.data, message.length) == 1 &&
         EVP_MAC_final(context, digest, &length, DIGEST) == 1 && length == DIGEST;
}

/* Index values one after the other, each of so many bytes. */
static bool index_all(EVP_MAC_CTX *context, Bytes prefix, Texts *messages, uint32_t size, Bytes out) {
  uint8_t digest[DIGEST];
  if (size == 0 || size > DIGEST || out.length != messages->lengths.count * size) return false;
  bool made = true;
  for (size_t i = 0; made && i < messages->lengths.count; i++) {
    Bytes message;
    made = next_text(messages, i, &message) && index_one(context, &prefix, message, digest);
    if (made) memcpy(out.data + i * size, digest, size);
  }
  OPENSSL_cleanse(digest, DIGEST);
  return made;
}

/* index(key, frame, count, prefix, messages, encoding, size, out): of the frame, only the lengths. */
static napi_value blind_index(napi_env env, napi_callback_info info) {
  size_t argc = 8;
  napi_value argv[8];
  EVP_MAC_CTX *context = NULL;
  Frame frame = {0};
  Texts messages = {0};
  Bytes prefix = {0}, out = {0};
  uint32_t size = 0;
  if (napi_get_cb_info(env, info, &argc, argv, NULL, NULL) != napi_ok || argc < 8) return fail(env, "index: arguments");
  ERR_set_mark();
  bool made = key_argument(env, argv[0], &INDEX_KEY, (void **)&context) && frame_arguments(env, argv[1], argv[2], &frame) &&
              bytes_argument(env, argv[3], &prefix) &&
              texts_arguments(env, argv[4], argv[5], frame.lengths, &messages) &&
              napi_get_value_uint32(env, argv[6], &size) == napi_ok && bytes_argument(env, argv[7], &out) &&
              index_all(context, prefix, &messages, size, out);
  ERR_pop_to_mark();
  free_texts(&messages);
  return made ? NULL : fail(env, "index: arguments");
}

/* ---- open ---- */

static EVP_CIPHER_CTX *new_context(const EVP_CIPHER *gcm, const uint8_t *key) {
  EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
  if (context && EVP_CipherInit_ex(context, gcm, NULL, key, NULL, 0) == 1) return context;
  EVP_CIPHER_CTX_free(context);
  return NULL;
}

static void *new_value_key(const Instance *instance, const uint8_t *bytes) {
  ValueKey *key = calloc(1, sizeof *key);
  if (key) key->context = new_context(instance->gcm, bytes);
  if (key && key->context) return key;
  free(key);
  return NULL;
}

static void *new_index_key(const Instance *instance, const uint8_t *bytes) {
  EVP_MAC_CTX *context = EVP_MAC_CTX_new(instance->hmac);
  OSSL_PARAM digest[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 0), OSSL_PARAM_construct_end()};
  if (context && EVP_MAC_init(context, bytes, KEY, digest) == 1) return context;
  EVP_MAC_CTX_free(context);
  return NULL;
}

typedef struct {
  const napi_type_tag *tag;
  void *(*make)(const Instance *, const uint8_t *);
  napi_finalize free;
} KeyKind;

/* A key, as an object that shows nothing. The bytes are only read. */
static napi_value open_kind(napi_env env, napi_callback_info info, KeyKind kind) {
  size_t argc = 1;
  napi_value argv[1], object;
  Bytes bytes;
  Instance *instance = NULL;
  if (napi_get_cb_info(env, info, &argc, argv, NULL, NULL) != napi_ok || argc < 1 ||
      !bytes_argument(env, argv[0], &bytes) || bytes.length != KEY ||
      napi_get_instance_data(env, (void **)&instance) != napi_ok || !instance)
    return fail(env, "open: arguments");
  ERR_set_mark();
  void *key = kind.make(instance, bytes.data);
  ERR_pop_to_mark();
  if (!key) return fail(env, "OpenSSL could not take the key");
  if (napi_create_object(env, &object) != napi_ok || napi_wrap(env, object, key, kind.free, NULL, NULL) != napi_ok) {
    kind.free(env, key, NULL);
    return fail(env, "open: no object could be made");
  }
  return napi_type_tag_object(env, object, kind.tag) == napi_ok ? object : fail(env, "open: no object could be made");
}

/* open(bytes) */
static napi_value open_key(napi_env env, napi_callback_info info) {
  return open_kind(env, info, (KeyKind){&VALUE_KEY, new_value_key, free_value_key});
}

/* openIndex(bytes) */
static napi_value open_index(napi_env env, napi_callback_info info) {
  return open_kind(env, info, (KeyKind){&INDEX_KEY, new_index_key, free_index_key});
}

static bool add_place(ValueKey *key, Bytes aad, Place place) {
  Place *places = realloc(key->places, (key->count + 1) * sizeof *places);
  if (!places) return false;
  key->places = places;
  place.aad = malloc(aad.length + 1);
  place.aad_length = aad.length;
  if (!place.aad) return false;
  memcpy(place.aad, aad.data, aad.length);
  places[key->count++] = place;
  return true;
}

/* place(key, aad, head, padded, codec): the number of a new place; `head` is a string for text, and a buffer for raw. */
static napi_value new_place(napi_env env, napi_callback_info info) {
  size_t argc = 5;
  napi_value argv[5], number;
  ValueKey *key = NULL;
  Bytes aad = {0};
  Input head = {0};
  Place place = {0};
  if (napi_get_cb_info(env, info, &argc, argv, NULL, NULL) != napi_ok || argc < 5) return fail(env, "place: arguments");
  bool fits = key_argument(env, argv[0], &VALUE_KEY, (void **)&key) && bytes_argument(env, argv[1], &aad) &&
              aad.length <= LARGEST_INPUT && input_argument(env, argv[2], napi_get_value_string_latin1, &head) &&
              head.bytes.length <= LARGEST_HEAD && napi_get_value_bool(env, argv[3], &place.padded) == napi_ok &&
              napi_get_value_int32(env, argv[4], &place.codec) == napi_ok;
  if (fits) {
    place.text = head.owned;
    place.head_length = head.bytes.length;
    memcpy(place.head, head.bytes.data, head.bytes.length);
  }
  free_input(&head);
  if (!fits || !add_place(key, aad, place)) return fail(env, "place: arguments");
  return napi_create_uint32(env, (uint32_t)(key->count - 1), &number) == napi_ok ? number : fail(env, "place: no number");
}

static bool set_function(napi_env env, napi_value exports, const char *name, napi_callback callback) {
  napi_value function;
  return napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, NULL, &function) == napi_ok &&
         napi_set_named_property(env, exports, name, function) == napi_ok;
}

/* REVISION in src/crypto/native/addon.ts. */
enum { REVISION = 4 };

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

static bool set_functions(napi_env env, napi_value exports) {
  return set_function(env, exports, "open", open_key) && set_function(env, exports, "openIndex", open_index) &&
         set_function(env, exports, "place", new_place) && set_function(env, exports, "encrypt", encrypt) &&
         set_function(env, exports, "decrypt", decrypt) && set_function(env, exports, "index", blind_index);
}

/* NULL where there is none. */
static EVP_RAND_CTX *new_system_random(void) {
  EVP_RAND *source = EVP_RAND_fetch(NULL, "SEED-SRC", NULL);
  EVP_RAND_CTX *context = source ? EVP_RAND_CTX_new(source, NULL) : NULL;
  EVP_RAND_free(source);
  if (context && EVP_RAND_instantiate(context, 0, 0, NULL, 0, NULL) == 1) return context;
  EVP_RAND_CTX_free(context);
  return NULL;
}

NAPI_MODULE_INIT() {
  Instance *instance = calloc(1, sizeof *instance);
  if (!instance) return fail(env, "no memory");
  ERR_set_mark();
  instance->gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
  instance->hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
  instance->system = new_system_random();
  ERR_pop_to_mark();
  if (!instance->gcm || !instance->hmac || napi_set_instance_data(env, instance, free_instance, NULL) != napi_ok) {
    free_instance(env, instance, NULL);
    return fail(env, "OpenSSL has no AES-256-GCM or no HMAC");
  }
  return set_revision(env, exports) && set_functions(env, exports) ? exports : fail(env, "no functions could be made");
}
