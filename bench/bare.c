/*
 * What OpenSSL needs for one value: AES-256-GCM over 48 bytes with 66 bytes of AAD, one context for all values, no
 * JavaScript around it. An addon, so that it is the OpenSSL of Node.js that is measured.
 */
#define NAPI_VERSION 8
#include <node_api.h>
#include <openssl/evp.h>
#include <time.h>

/* run(count, decrypt): nanoseconds for each. */
static napi_value run(napi_env env, napi_callback_info info) {
  size_t argc = 2;
  napi_value argv[2], result;
  int64_t count = 0, good = 0;
  bool decrypt = false;
  unsigned char key[32] = {1}, iv[12] = {2}, aad[66] = {3}, plain[48] = {4}, sealed[48], tag[16], out[64];
  int written;
  struct timespec before, after;
  napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
  napi_get_value_int64(env, argv[0], &count);
  napi_get_value_bool(env, argv[1], &decrypt);
  EVP_CIPHER *gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
  EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
  EVP_CipherInit_ex(context, gcm, NULL, key, NULL, 1);
  for (int64_t i = -1; i < count; i++) {
    if (i == 0) clock_gettime(CLOCK_MONOTONIC, &before);
    int encrypts = i < 0 || !decrypt;
    EVP_CipherInit_ex(context, NULL, NULL, NULL, iv, encrypts);
    EVP_CipherUpdate(context, NULL, &written, aad, sizeof aad);
    EVP_CipherUpdate(context, encrypts ? sealed : out, &written, encrypts ? plain : sealed, sizeof plain);
    if (!encrypts) EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, sizeof tag, tag);
    good += EVP_CipherFinal_ex(context, out + 48, &written);
    if (encrypts) EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, sizeof tag, tag);
  }
  clock_gettime(CLOCK_MONOTONIC, &after);
  EVP_CIPHER_CTX_free(context);
  EVP_CIPHER_free(gcm);
  double spent = (double)(after.tv_sec - before.tv_sec) * 1e9 + (double)(after.tv_nsec - before.tv_nsec);
  napi_create_double(env, good == count + 1 ? spent / (double)count : -1, &result);
  return result;
}

NAPI_MODULE_INIT() {
  napi_value function;
  napi_create_function(env, "run", NAPI_AUTO_LENGTH, run, NULL, &function);
  napi_set_named_property(env, exports, "run", function);
  return exports;
}
