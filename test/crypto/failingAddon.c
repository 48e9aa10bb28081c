/*
 * The addon, with calls of OpenSSL, of Node-API and for memory that fail when test/crypto/failAddon.ts tells them to.
 * scripts/check-addon.mjs builds it in place of native/fieldseal.c, where memory is watched.
 */
#define NAPI_VERSION 8
#include <node_api.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdbool.h>
#include <stdlib.h>

/* Calls of OpenSSL, and others: of Node-API, and for memory. */
enum { OPENSSL = 0, OTHER = 1 };

/* Of each kind, how many calls go well before one fails; none fails when it is negative. */
static _Thread_local int64_t left[2] = {-1, -1};
static _Thread_local int64_t cleansed = 0;

static bool fails(int kind) { return left[kind] >= 0 && left[kind]-- == 0; }

static napi_status read_latin1(napi_env env, napi_value value, char *out, size_t size, size_t *length) {
  return fails(OTHER) ? napi_generic_failure : napi_get_value_string_latin1(env, value, out, size, length);
}

static napi_status read_utf8(napi_env env, napi_value value, char *out, size_t size, size_t *length) {
  return fails(OTHER) ? napi_generic_failure : napi_get_value_string_utf8(env, value, out, size, length);
}

#define OR(failure, call) (fails(OTHER) ? (failure) : (call))
#define OR_OF_OPENSSL(failure, call) (fails(OPENSSL) ? (failure) : (call))
#define malloc(...) OR(NULL, malloc(__VA_ARGS__))
#define calloc(...) OR(NULL, calloc(__VA_ARGS__))
#define realloc(...) OR(NULL, realloc(__VA_ARGS__))
#define EVP_CIPHER_fetch(...) OR_OF_OPENSSL(NULL, EVP_CIPHER_fetch(__VA_ARGS__))
#define EVP_CIPHER_CTX_new(...) OR_OF_OPENSSL(NULL, EVP_CIPHER_CTX_new(__VA_ARGS__))
#define EVP_CipherInit_ex(...) OR_OF_OPENSSL(0, EVP_CipherInit_ex(__VA_ARGS__))
#define EVP_CipherUpdate(...) OR_OF_OPENSSL(0, EVP_CipherUpdate(__VA_ARGS__))
#define EVP_CipherFinal_ex(...) OR_OF_OPENSSL(0, EVP_CipherFinal_ex(__VA_ARGS__))
#define EVP_CIPHER_CTX_ctrl(...) OR_OF_OPENSSL(0, EVP_CIPHER_CTX_ctrl(__VA_ARGS__))
#define EVP_MAC_fetch(...) OR_OF_OPENSSL(NULL, EVP_MAC_fetch(__VA_ARGS__))
#define EVP_MAC_CTX_new(...) OR_OF_OPENSSL(NULL, EVP_MAC_CTX_new(__VA_ARGS__))
#define EVP_MAC_init(...) OR_OF_OPENSSL(0, EVP_MAC_init(__VA_ARGS__))
#define EVP_MAC_update(...) OR_OF_OPENSSL(0, EVP_MAC_update(__VA_ARGS__))
#define EVP_MAC_final(...) OR_OF_OPENSSL(0, EVP_MAC_final(__VA_ARGS__))
#define EVP_RAND_generate(...) OR_OF_OPENSSL(0, EVP_RAND_generate(__VA_ARGS__))
#define RAND_get0_public(...) OR_OF_OPENSSL(NULL, RAND_get0_public(__VA_ARGS__))
#define napi_typeof(...) OR(napi_generic_failure, napi_typeof(__VA_ARGS__))
#define napi_get_value_string_latin1 read_latin1
#define napi_get_value_string_utf8 read_utf8
#define napi_get_instance_data(...) OR(napi_generic_failure, napi_get_instance_data(__VA_ARGS__))
#define napi_create_object(...) OR(napi_generic_failure, napi_create_object(__VA_ARGS__))
#define napi_wrap(...) OR(napi_generic_failure, napi_wrap(__VA_ARGS__))
#define napi_type_tag_object(...) OR(napi_generic_failure, napi_type_tag_object(__VA_ARGS__))
#define napi_create_uint32(...) OR(napi_generic_failure, napi_create_uint32(__VA_ARGS__))
#define napi_create_string_latin1(...) OR(napi_generic_failure, napi_create_string_latin1(__VA_ARGS__))
#define napi_create_string_utf8(...) OR(napi_generic_failure, napi_create_string_utf8(__VA_ARGS__))
#define OPENSSL_cleanse(data, size) (cleansed += (int64_t)(size), OPENSSL_cleanse(data, size))

/* The addon's own entry becomes a function, which can be called again. */
static napi_value init(napi_env env, napi_value exports);
static napi_value extend(napi_env env, napi_value exports);
NAPI_MODULE_INIT() { return init(env, exports) ? extend(env, exports) : NULL; }
#undef NAPI_MODULE_INIT
#define NAPI_MODULE_INIT() static napi_value init(napi_env env, napi_value exports)
#include "../../native/fieldseal.c"

/* failAfter(kind, n): lets so many calls go well and the next one fail; gives how many were left of the n before. */
static napi_value fail_after(napi_env env, napi_callback_info info) {
  size_t argc = 2;
  napi_value argv[2], before = NULL;
  uint32_t kind = OPENSSL;
  int64_t next = -1;
  napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
  napi_get_value_uint32(env, argv[0], &kind);
  napi_get_value_int64(env, argv[1], &next);
  napi_create_int64(env, left[kind & 1], &before);
  left[kind & 1] = next;
  return before;
}

/* cleansed(): how many bytes were cleansed since it was last called. */
static napi_value take_cleansed(napi_env env, napi_callback_info info) {
  napi_value taken = NULL;
  napi_create_int64(env, cleansed, &taken);
  cleansed = 0;
  return taken;
}

/* load(): does what loading the addon does. */
static napi_value load_again(napi_env env, napi_callback_info info) {
  napi_value exports = NULL;
  (napi_create_object)(env, &exports);
  return init(env, exports);
}

static napi_value extend(napi_env env, napi_value exports) {
  bool done = set_function(env, exports, "failAfter", fail_after) &&
              set_function(env, exports, "cleansed", take_cleansed) && set_function(env, exports, "load", load_again);
  return done ? exports : NULL;
}
