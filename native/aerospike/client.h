/*
 * What we use of Aerospike's C client 7.4.0, which is inside the `aerospike` package's addon and comes without headers. Only
 * the fields that we read or write are named; the rest is room. `pp_aero_load` refuses any other version, for the places of
 * these fields are not promised from one to the next.
 */
#ifndef POWERPLAY_AEROSPIKE_CLIENT_H
#define POWERPLAY_AEROSPIKE_CLIENT_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PP_CLIENT_VERSION "7.4.0"

/* Statuses that we give; the others are the client's and the server's. */
#define PP_STATUS_OK 0
#define PP_STATUS_CLIENT (-1)
#define PP_STATUS_NO_RESPONSE (-15)

typedef struct {
  int32_t code;
  char message[1024];
  char rest[1056 - 1028];
} pp_error;

/* as_config is 1,904 bytes; as_config_init fills it, and of its fields we set none by hand. */
typedef struct {
  _Alignas(16) char room[4096];
} pp_config;

typedef struct {
  uint32_t packed_bytes;
  uint8_t packed[];
} pp_expression;

typedef struct {
  uint32_t connect_timeout_ms;
  uint32_t socket_timeout_ms;
  uint32_t total_timeout_ms;
  uint32_t timeout_delay_ms;
  uint32_t max_retries;
  uint32_t sleep_between_retries_ms;
  const pp_expression *filter;
  void *transaction;
  bool compress;
} pp_policy_base;

enum { PP_REPLICA_MASTER = 0 };
enum { PP_READ_AP_ALL = 1 };

typedef struct {
  pp_policy_base base;
  int32_t replica;
  int32_t read_mode_ap;
  int32_t read_mode_sc;
  int32_t read_touch_ttl_percent;
  bool concurrent;
  bool allow_inline;
  bool allow_inline_ssd;
  bool respond_all_keys;
  bool send_set_name;
  bool deserialize;
} pp_policy_batch;

enum { PP_EXISTS_IGNORE = 0, PP_EXISTS_CREATE = 1, PP_EXISTS_UPDATE = 2 };

typedef struct {
  const pp_expression *filter;
  int32_t key;
  int32_t commit_level;
  int32_t generation;
  int32_t exists;
  uint32_t ttl_seconds;
  bool durable_delete;
  bool on_locking_only;
} pp_policy_batch_write;

typedef struct {
  pp_policy_base base;
  uint64_t max_records;
  uint32_t records_per_second;
  int32_t replica;
  uint32_t ttl_seconds;
  bool durable_delete;
} pp_policy_scan;

/* A key is 168 bytes, a record 216; the client fills both. */
#define PP_KEY_BYTES 168
#define PP_RECORD_BYTES 216
#define PP_RECORD_BINS 200

typedef struct {
  void *entries;
  uint16_t capacity;
  uint16_t size;
} pp_bins;

typedef struct {
  char name[16];
  char room[32];
  const void *value;
} pp_bin;

enum { PP_VALUE_INTEGER = 3, PP_VALUE_STRING = 4 };

typedef struct {
  uint32_t references;
  uint8_t type;
} pp_value;

typedef struct {
  pp_value value;
  int64_t integer;
} pp_integer;

typedef struct {
  pp_value value;
  bool free;
  char *text;
  size_t bytes;
} pp_string;

enum { PP_BATCH_READ = 0, PP_BATCH_WRITE = 1 };

/* One place of a batch: the start is common to all kinds, then come those of reads and of writes. */
typedef struct {
  _Alignas(8) char key[PP_KEY_BYTES];
  _Alignas(8) char record[PP_RECORD_BYTES];
  int32_t result;
  uint8_t type;
  bool has_write;
  bool in_doubt;
  const void *policy;
  void *operations;
  char **bin_names;
  uint32_t bin_name_count;
  bool read_all_bins;
} pp_batch_record;

typedef struct {
  void *list;
  uint32_t capacity;
  uint32_t size;
  uint32_t item_bytes;
  uint32_t flags;
} pp_vector;

typedef struct {
  uint16_t begin;
  uint16_t count;
  uint8_t digest[20 + 8];
  void *parts;
} pp_partition_filter;

static_assert(offsetof(pp_policy_base, filter) == 24 && sizeof(pp_policy_base) == 48, "as_policy_base");
static_assert(offsetof(pp_policy_batch, concurrent) == 64 && sizeof(pp_policy_batch) == 72, "as_policy_batch");
static_assert(offsetof(pp_policy_batch_write, exists) == 20 && sizeof(pp_policy_batch_write) == 32, "as_policy_batch_write");
static_assert(offsetof(pp_policy_scan, replica) == 60 && sizeof(pp_policy_scan) == 72, "as_policy_scan");
static_assert(offsetof(pp_batch_record, result) == 384 && offsetof(pp_batch_record, policy) == 392 &&
                  offsetof(pp_batch_record, read_all_bins) == 420 && sizeof(pp_batch_record) == 424,
              "as_batch_record");
static_assert(offsetof(pp_bins, size) == 10 && offsetof(pp_bin, value) == 48 && sizeof(pp_bin) == 56, "as_bin");
static_assert(offsetof(pp_string, text) == 16 && offsetof(pp_integer, integer) == 8, "as_val");
static_assert(offsetof(pp_vector, item_bytes) == 16 && sizeof(pp_vector) == 24, "as_vector");
static_assert(offsetof(pp_partition_filter, parts) == 32, "as_partition_filter");
static_assert(sizeof(pp_error) == 1056, "as_error");

/* The client's functions by their own names, filled once by pp_aero_load. */
typedef struct {
  char **aerospike_client_version;
  void *(*as_config_init)(pp_config *);
  bool (*as_config_add_hosts)(pp_config *, const char *hosts, uint16_t default_port);
  bool (*as_config_set_user)(pp_config *, const char *user, const char *password);
  void *(*aerospike_new)(pp_config *);
  int32_t (*aerospike_connect)(void *cluster, pp_error *);
  int32_t (*aerospike_close)(void *cluster, pp_error *);
  void (*aerospike_destroy)(void *cluster);
  pp_vector *(*as_vector_create)(uint32_t item_bytes, uint32_t capacity);
  void *(*as_key_init_strp)(void *key, const char *name_space, const char *set, const char *value, bool free);
  void *(*as_operations_new)(uint16_t count);
  void (*as_operations_destroy)(void *);
  bool (*as_operations_add_write_int64)(void *, const char *bin, int64_t value);
  bool (*as_operations_add_write_strp)(void *, const char *bin, const char *value, bool free);
  bool (*as_operations_add_delete)(void *);
  int32_t (*aerospike_batch_write)(void *cluster, pp_error *, const pp_policy_batch *, pp_vector *records);
  void (*as_batch_records_destroy)(pp_vector *records);
  void *(*as_scan_new)(const char *name_space, const char *set);
  void (*as_scan_destroy)(void *);
  int32_t (*aerospike_scan_partitions)(void *cluster, pp_error *, const pp_policy_scan *, void *scan, pp_partition_filter *,
                                       bool (*each)(const void *record, void *context), void *context);
} pp_client;

extern pp_client pp_as;

#endif
