// AES-256-GCM (NIST SP 800-38D) from memory of the caller's into memory of the caller's, or in place, by the OpenSSL that Node.js itself has
// in it and shows to its extensions. node:crypto makes new memory for each result, outside of V8's heap: for megabytes a second, to make
// and to collect that costs more than the encryption.
//
// A state is begun for one message, is told in order what is bound to it and what is to be encrypted or decrypted, and ends with the tag,
// once. Arguments of other kinds, and calls in another order, throw a TypeError; where OpenSSL fails, an Error. Nothing blocks for longer
// than the bytes of one call take.

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include <openssl/evp.h>

#define NAPI_VERSION 8
#include <node_api.h>

enum { KEY_BYTES = 32, NONCE_BYTES = 12, TAG_BYTES = 16 };

// What OpenSSL counts in an int.
static const size_t MAX_BYTES = 1 << 30;

// A message on its way. Belongs to the collector, which frees it; `context` is gone once the message has ended.
typedef struct {
  EVP_CIPHER_CTX *context;
  bool encrypts;
  // Nothing more can be bound.
  bool turned;
} State;

// Chosen at random once: that an object is a state is known by it.
static const napi_type_tag STATE_TAG = {0x8d1c5f0a7be24936, 0xa3f260c94e1b7d58};

typedef struct {
  uint8_t *data;
  size_t length;
} Bytes;

static napi_value refuse(napi_env env, const char *why) {
  napi_throw_type_error(env, NULL, why);
  return NULL;
}

static napi_value fail(napi_env env) {
  napi_throw_error(env, NULL, "OpenSSL failed");
  return NULL;
}

// True when there are exactly `count` arguments. Missing ones would be read as undefined.
static bool arguments(napi_env env, napi_callback_info info, size_t count, napi_value *values) {
  size_t there = count;
  return napi_get_cb_info(env, info, &there, values, NULL, NULL) == napi_ok && there == count;
}

// The bytes of a Buffer or Uint8Array, valid until JavaScript runs again.
static bool bytes(napi_env env, napi_value value, Bytes *result) {
  napi_typedarray_type type = napi_int8_array;
  void *data = NULL;
  if (napi_get_typedarray_info(env, value, &type, &result->length, &data, NULL, NULL) != napi_ok) return false;
  result->data = data;
  return type == napi_uint8_array && result->length <= MAX_BYTES;
}

static bool bytes_of(napi_env env, napi_value value, size_t length, Bytes *result) {
  return bytes(env, value, result) && result->length == length;
}

// A state that has not ended.
static bool state_of(napi_env env, napi_value value, State **result) {
  bool ours = false;
  void *data = NULL;
  if (napi_check_object_type_tag(env, value, &STATE_TAG, &ours) != napi_ok || !ours) return false;
  if (napi_get_value_external(env, value, &data) != napi_ok) return false;
  *result = data;
  return (*result)->context != NULL;
}

// Its key is wiped with it.
static void end(State *state) {
  EVP_CIPHER_CTX_free(state->context);
  state->context = NULL;
}

static void finalize(napi_env env, void *data, void *hint) {
  (void)env, (void)hint;
  end(data);
  free(data);
}

// begin(key, nonce, encrypts): a state. No nonce may be used twice with one key.
static napi_value begin(napi_env env, napi_callback_info info) {
  napi_value values[3], result;
  Bytes key, nonce;
  bool encrypts = false;
  if (!arguments(env, info, 3, values) || !bytes_of(env, values[0], KEY_BYTES, &key) ||
      !bytes_of(env, values[1], NONCE_BYTES, &nonce) || napi_get_value_bool(env, values[2], &encrypts) != napi_ok)
    return refuse(env, "begin(key, nonce, encrypts)");
  State *state = calloc(1, sizeof *state);
  if (state == NULL) return fail(env);
  state->context = EVP_CIPHER_CTX_new();
  state->encrypts = encrypts;
  if (napi_create_external(env, state, finalize, NULL, &result) != napi_ok) {
    finalize(env, state, NULL);
    return NULL;
  }
  if (napi_type_tag_object(env, result, &STATE_TAG) != napi_ok || state->context == NULL ||
      EVP_CipherInit_ex(state->context, EVP_aes_256_gcm(), NULL, key.data, nonce.data, encrypts) != 1)
    return fail(env);
  return result;
}

// bind(state, bytes): what is authenticated and not encrypted, in any number of pieces, before the first turn.
static napi_value bind_bytes(napi_env env, napi_callback_info info) {
  napi_value values[2];
  State *state;
  Bytes part;
  int done;
  if (!arguments(env, info, 2, values) || !state_of(env, values[0], &state) || state->turned ||
      !bytes(env, values[1], &part))
    return refuse(env, "bind(state, bytes)");
  if (part.length > 0 && EVP_CipherUpdate(state->context, NULL, &done, part.data, (int)part.length) != 1) return fail(env);
  return NULL;
}

// Whether one begins where the other does, or they have nothing in common.
static bool in_place_or_apart(const Bytes *from, const Bytes *to) {
  return from->data == to->data || from->data + from->length <= to->data || to->data + to->length <= from->data;
}

// turn(state, from, to): encrypts or decrypts the next piece of the message; `to` has as many bytes as `from`, and is the same memory or
// other memory.
static napi_value turn(napi_env env, napi_callback_info info) {
  napi_value values[3];
  State *state;
  Bytes from, to;
  int done = 0;
  if (!arguments(env, info, 3, values) || !state_of(env, values[0], &state) || !bytes(env, values[1], &from) ||
      !bytes_of(env, values[2], from.length, &to) || !in_place_or_apart(&from, &to))
    return refuse(env, "turn(state, from, to)");
  state->turned = true;
  if (from.length > 0 && (EVP_CipherUpdate(state->context, to.data, &done, from.data, (int)from.length) != 1 ||
                          (size_t)done != from.length))
    return fail(env);
  return NULL;
}

// seal(state, tag): the message was encrypted; its tag is put into `tag`.
static napi_value seal(napi_env env, napi_callback_info info) {
  napi_value values[2];
  State *state;
  Bytes tag;
  uint8_t none[EVP_MAX_BLOCK_LENGTH];
  int done = 0;
  if (!arguments(env, info, 2, values) || !state_of(env, values[0], &state) || !state->encrypts ||
      !bytes_of(env, values[1], TAG_BYTES, &tag))
    return refuse(env, "seal(state, tag)");
  const bool good = EVP_CipherFinal_ex(state->context, none, &done) == 1 && done == 0 &&
                    EVP_CIPHER_CTX_ctrl(state->context, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, tag.data) == 1;
  end(state);
  return good ? NULL : fail(env);
}

// open(state, tag): whether what was decrypted, and what was bound, is what was sealed under this tag.
static napi_value open_message(napi_env env, napi_callback_info info) {
  napi_value values[2], result;
  State *state;
  Bytes tag;
  uint8_t none[EVP_MAX_BLOCK_LENGTH];
  int done = 0;
  if (!arguments(env, info, 2, values) || !state_of(env, values[0], &state) || state->encrypts ||
      !bytes_of(env, values[1], TAG_BYTES, &tag))
    return refuse(env, "open(state, tag)");
  const bool good = EVP_CIPHER_CTX_ctrl(state->context, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES, tag.data) == 1 &&
                    EVP_CipherFinal_ex(state->context, none, &done) == 1 && done == 0;
  end(state);
  return napi_get_boolean(env, good, &result) == napi_ok ? result : NULL;
}

NAPI_MODULE_INIT() {
  napi_property_descriptor members[] = {
      {"begin", NULL, begin, NULL, NULL, NULL, napi_enumerable, NULL},
      {"bind", NULL, bind_bytes, NULL, NULL, NULL, napi_enumerable, NULL},
      {"turn", NULL, turn, NULL, NULL, NULL, napi_enumerable, NULL},
      {"seal", NULL, seal, NULL, NULL, NULL, napi_enumerable, NULL},
      {"open", NULL, open_message, NULL, NULL, NULL, napi_enumerable, NULL},
  };
  return napi_define_properties(env, exports, sizeof members / sizeof members[0], members) == napi_ok ? exports : NULL;
}
