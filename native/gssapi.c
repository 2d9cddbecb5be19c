// Accepts Kerberos log-ins (RFC 4559, RFC 4178) by the GSS-API library of the system, which reads all that a client sends; nothing of it
// is parsed here. Key and replay cache are named at each call: what is in the environment of the process does not count.
//
// accept(keytab, replayCache, principal, token, bindings) gives a promise and works in a thread of libuv's pool. Only a context that is
// whole after one token, of the Kerberos mechanism, of a client with a name, is one; all else rejects with the words of the library.
// With an empty token it only looks whether the keytab has a key of the principal, and gives undefined.

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>

#define NAPI_VERSION 8
#include <node_api.h>

enum {
  // A header field is shorter; tickets of people in hundreds of groups have 12 to 48 kB.
  MAX_TOKEN_BYTES = 65536,
  // "tls-server-end-point:" and a hash.
  MAX_BINDING_BYTES = 128,
  MAX_TEXT_BYTES = 4096,
  MAX_WHY_BYTES = 512,
  ARGUMENTS = 5,
};

// One call, from its arguments to its result. Belongs to its thread while that works, to the event loop before and after.
typedef struct {
  napi_async_work work;
  napi_deferred deferred;
  char keytab[MAX_TEXT_BYTES];
  char replay_cache[MAX_TEXT_BYTES];
  char principal[MAX_TEXT_BYTES];
  gss_buffer_desc token;
  gss_buffer_desc bindings;
  // Empty where all went well.
  char why[MAX_WHY_BYTES];
  gss_buffer_desc client;
  gss_buffer_desc answer;
  gss_buffer_desc logon_info;
} Call;

static void append_status(char *why, OM_uint32 status, int type) {
  OM_uint32 minor, more = 0;
  gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
  if (gss_display_status(&minor, status, type, GSS_C_NO_OID, &more, &text) != GSS_S_COMPLETE) return;
  const size_t used = strlen(why);
  snprintf(why + used, MAX_WHY_BYTES - used, "%s%.*s", used == 0 ? "" : ": ", (int)text.length, (char *)text.value);
  gss_release_buffer(&minor, &text);
}

static void fail(Call *call, OM_uint32 major, OM_uint32 minor) {
  append_status(call->why, major, GSS_C_GSS_CODE);
  if (minor != 0) append_status(call->why, minor, GSS_C_MECH_CODE);
  if (call->why[0] == '\0') snprintf(call->why, sizeof call->why, "GSS-API status %u, %u", major, minor);
}

static void say(Call *call, const char *why) { snprintf(call->why, sizeof call->why, "%s", why); }

// The key of the principal in the keytab, for Kerberos alone: what other mechanisms are installed does not count either.
static gss_cred_id_t acquire(Call *call) {
  OM_uint32 major, minor, ignored;
  gss_cred_id_t credential = GSS_C_NO_CREDENTIAL;
  gss_name_t name = GSS_C_NO_NAME;
  gss_buffer_desc text = {.length = strlen(call->principal), .value = call->principal};
  major = gss_import_name(&minor, &text, (gss_OID)GSS_KRB5_NT_PRINCIPAL_NAME, &name);
  if (major != GSS_S_COMPLETE) {
    fail(call, major, minor);
    return GSS_C_NO_CREDENTIAL;
  }
  gss_key_value_element_desc elements[] = {{"keytab", call->keytab}, {"rcache", call->replay_cache}};
  const gss_key_value_set_desc store = {.count = 2, .elements = elements};
  static gss_OID_desc spnego = {6, "\x2b\x06\x01\x05\x05\x02"};
  gss_OID_desc both[] = {*gss_mech_krb5, spnego};
  gss_OID_set_desc mechanisms = {.count = 2, .elements = both};
  gss_OID_set_desc kerberos = {.count = 1, .elements = both};
  major = gss_acquire_cred_from(&minor, name, GSS_C_INDEFINITE, &mechanisms, GSS_C_ACCEPT, &store, &credential, NULL, NULL);
  if (major == GSS_S_COMPLETE) major = gss_set_neg_mechs(&minor, credential, &kerberos);
  if (major != GSS_S_COMPLETE) {
    fail(call, major, minor);
    gss_release_cred(&ignored, &credential);
  }
  gss_release_name(&ignored, &name);
  return credential;
}

// What Active Directory says of the client in the ticket (MS-PAC 2.5), where the library has verified it.
static void read_logon_info(Call *call, gss_name_t client) {
  OM_uint32 minor;
  int authenticated = 0, complete = 0, more = -1;
  gss_buffer_desc attribute = {.length = sizeof "urn:mspac:logon-info" - 1, .value = "urn:mspac:logon-info"};
  gss_buffer_desc display = GSS_C_EMPTY_BUFFER;
  const OM_uint32 major = gss_get_name_attribute(&minor, client, &attribute, &authenticated, &complete,
                                                 &call->logon_info, &display, &more);
  gss_release_buffer(&minor, &display);
  if (major != GSS_S_COMPLETE || !authenticated) gss_release_buffer(&minor, &call->logon_info);
}

static void accept_token(Call *call, gss_cred_id_t credential) {
  OM_uint32 major, minor = 0, flags = 0, ignored;
  gss_ctx_id_t context = GSS_C_NO_CONTEXT;
  gss_name_t client = GSS_C_NO_NAME;
  gss_OID mechanism = GSS_C_NO_OID;
  struct gss_channel_bindings_struct bindings = {.application_data = call->bindings};
  major = gss_accept_sec_context(&minor, &context, credential, &call->token,
                                 call->bindings.length == 0 ? GSS_C_NO_CHANNEL_BINDINGS : &bindings, &client, &mechanism,
                                 &call->answer, &flags, NULL, NULL);
  if (GSS_ERROR(major)) fail(call, major, minor);
  else if (major != GSS_S_COMPLETE) say(call, "the token is not the whole log-in");
  else if (mechanism == GSS_C_NO_OID || !gss_oid_equal(mechanism, gss_mech_krb5)) say(call, "the log-in is not Kerberos");
  else if ((flags & GSS_C_ANON_FLAG) != 0) say(call, "the client is anonymous");
  else {
    major = gss_display_name(&minor, client, &call->client, NULL);
    if (major != GSS_S_COMPLETE) fail(call, major, minor);
    else read_logon_info(call, client);
  }
  gss_release_name(&ignored, &client);
  gss_delete_sec_context(&ignored, &context, GSS_C_NO_BUFFER);
}

static void work(napi_env env, void *data) {
  (void)env;
  Call *call = data;
  OM_uint32 ignored;
  gss_cred_id_t credential = acquire(call);
  if (credential == GSS_C_NO_CREDENTIAL) return;
  if (call->token.length > 0) accept_token(call, credential);
  gss_release_cred(&ignored, &credential);
}

static void release(Call *call) {
  OM_uint32 ignored;
  gss_release_buffer(&ignored, &call->client);
  gss_release_buffer(&ignored, &call->answer);
  gss_release_buffer(&ignored, &call->logon_info);
  free(call->token.value);
  free(call->bindings.value);
  free(call);
}

static bool set_bytes(napi_env env, napi_value object, const char *name, const gss_buffer_desc *bytes) {
  napi_value value;
  return napi_create_buffer_copy(env, bytes->length, bytes->value == NULL ? "" : bytes->value, NULL, &value) == napi_ok &&
         napi_set_named_property(env, object, name, value) == napi_ok;
}

static bool result_of(napi_env env, const Call *call, napi_value *result) {
  if (call->token.length == 0) return napi_get_undefined(env, result) == napi_ok;
  return napi_create_object(env, result) == napi_ok && set_bytes(env, *result, "client", &call->client) &&
         set_bytes(env, *result, "answer", &call->answer) && set_bytes(env, *result, "logonInfo", &call->logon_info);
}

static void done(napi_env env, napi_status status, void *data) {
  Call *call = data;
  napi_value value, text;
  napi_deferred deferred = call->deferred;
  if (status != napi_ok) say(call, "the log-in was not looked at");
  const bool good = call->why[0] == '\0' && result_of(env, call, &value);
  if (good) napi_resolve_deferred(env, deferred, value);
  else {
    const char *why = call->why[0] == '\0' ? "out of memory" : call->why;
    if (napi_create_string_utf8(env, why, NAPI_AUTO_LENGTH, &text) == napi_ok &&
        napi_create_error(env, NULL, text, &value) == napi_ok)
      napi_reject_deferred(env, deferred, value);
  }
  napi_delete_async_work(env, call->work);
  release(call);
}

// False for what is no string, is too long, or has a NUL in it.
static bool text_of(napi_env env, napi_value value, char *text) {
  size_t length, written;
  return napi_get_value_string_utf8(env, value, NULL, 0, &length) == napi_ok && length < MAX_TEXT_BYTES &&
         napi_get_value_string_utf8(env, value, text, MAX_TEXT_BYTES, &written) == napi_ok && strlen(text) == length;
}

// A copy: the caller's bytes may change while a thread reads.
static bool bytes_of(napi_env env, napi_value value, size_t most, gss_buffer_desc *bytes) {
  void *data;
  size_t length;
  bool is_buffer = false;
  if (napi_is_buffer(env, value, &is_buffer) != napi_ok || !is_buffer) return false;
  if (napi_get_buffer_info(env, value, &data, &length) != napi_ok || length > most) return false;
  if (length == 0) return true;
  bytes->value = malloc(length);
  if (bytes->value == NULL) return false;
  memcpy(bytes->value, data, length);
  bytes->length = length;
  return true;
}

static napi_value accept_log_in(napi_env env, napi_callback_info info) {
  napi_value values[ARGUMENTS], name, promise;
  size_t count = ARGUMENTS;
  Call *call = calloc(1, sizeof *call);
  const bool good = call != NULL && napi_get_cb_info(env, info, &count, values, NULL, NULL) == napi_ok &&
                    count == ARGUMENTS && text_of(env, values[0], call->keytab) &&
                    text_of(env, values[1], call->replay_cache) && text_of(env, values[2], call->principal) &&
                    bytes_of(env, values[3], MAX_TOKEN_BYTES, &call->token) &&
                    bytes_of(env, values[4], MAX_BINDING_BYTES, &call->bindings) &&
                    napi_create_string_utf8(env, "kerberos", NAPI_AUTO_LENGTH, &name) == napi_ok &&
                    napi_create_async_work(env, NULL, name, work, done, call, &call->work) == napi_ok;
  if (!good || napi_create_promise(env, &call->deferred, &promise) != napi_ok ||
      napi_queue_async_work(env, call->work) != napi_ok) {
    if (call != NULL) release(call);
    napi_throw_type_error(env, NULL, "accept: keytab, replay cache, principal, token, bindings");
    return NULL;
  }
  return promise;
}

NAPI_MODULE_INIT() {
  const napi_property_descriptor member = {"accept", NULL, accept_log_in, NULL, NULL, NULL, napi_enumerable, NULL};
  return napi_define_properties(env, exports, 1, &member) == napi_ok ? exports : NULL;
}
