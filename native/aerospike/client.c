/* Opens the client's library and finds its functions. */
#include "client.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

pp_client pp_as;

static bool is_loaded;

static const struct {
  const char *name;
  size_t place;
} symbols[] = {
#define PP_SYMBOL(name) {#name, offsetof(pp_client, name)}
    PP_SYMBOL(aerospike_client_version),
    PP_SYMBOL(as_config_init),
    PP_SYMBOL(as_config_add_hosts),
    PP_SYMBOL(as_config_set_user),
    PP_SYMBOL(aerospike_new),
    PP_SYMBOL(aerospike_connect),
    PP_SYMBOL(aerospike_close),
    PP_SYMBOL(aerospike_destroy),
    PP_SYMBOL(as_vector_create),
    PP_SYMBOL(as_key_init_strp),
    PP_SYMBOL(as_operations_new),
    PP_SYMBOL(as_operations_destroy),
    PP_SYMBOL(as_operations_add_write_int64),
    PP_SYMBOL(as_operations_add_write_strp),
    PP_SYMBOL(as_operations_add_delete),
    PP_SYMBOL(aerospike_batch_write),
    PP_SYMBOL(as_batch_records_destroy),
    PP_SYMBOL(as_scan_new),
    PP_SYMBOL(as_scan_destroy),
    PP_SYMBOL(aerospike_scan_partitions),
#undef PP_SYMBOL
};

int pp_aero_need(const char *path, char *reason, uint32_t reason_bytes);
int pp_aero_load(const char *client, char *reason, uint32_t reason_bytes);

/* Opens a library that the addon needs, for all to see. 0, or -1 and the reason. */
int pp_aero_need(const char *path, char *reason, uint32_t reason_bytes) {
  if (dlopen(path, RTLD_NOW | RTLD_GLOBAL) != NULL) return 0;
  snprintf(reason, reason_bytes, "%s", dlerror());
  return -1;
}

/*
 * The addon leaves the symbols of OpenSSL to the program that loads it, so its libraries come first (pp_aero_need). It also
 * leaves those of Node.js and libuv; no function that we call reaches them, so they stay unbound (RTLD_LAZY). 0, or -1 and the
 * reason. Not from two threads at once; a second call does nothing.
 */
int pp_aero_load(const char *client, char *reason, uint32_t reason_bytes) {
  if (is_loaded) return 0;
  void *library = dlopen(client, RTLD_LAZY | RTLD_LOCAL);
  if (library == NULL) {
    snprintf(reason, reason_bytes, "%s", dlerror());
    return -1;
  }
  for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++) {
    void *address = dlsym(library, symbols[i].name);
    if (address == NULL) {
      snprintf(reason, reason_bytes, "%s has no %s", client, symbols[i].name);
      return -1;
    }
    memcpy((char *)&pp_as + symbols[i].place, &address, sizeof address);
  }
  if (strcmp(*pp_as.aerospike_client_version, PP_CLIENT_VERSION) != 0) {
    snprintf(reason, reason_bytes, "%s has version %s of the C client, needed is %s", client,
             *pp_as.aerospike_client_version, PP_CLIENT_VERSION);
    return -1;
  }
  is_loaded = true;
  return 0;
}
