/* Reads and writes of many records in one call: the client sends one message to each node that has some of them. */
/* For strnlen. */
#define _POSIX_C_SOURCE 200809L

#include "session.h"

#include <stdlib.h>
#include <string.h>

#define EXPRESSION_BYTES_MAX 96

enum { READ = 0, WRITE = 1, CREATE = 2, UPDATE = 3, REMOVE = 4 };

static const int32_t EXISTS[] = {PP_EXISTS_IGNORE, PP_EXISTS_IGNORE, PP_EXISTS_CREATE, PP_EXISTS_UPDATE, PP_EXISTS_IGNORE};

/* What a write points to until the batch is back. */
typedef struct {
  pp_policy_batch_write policy;
  _Alignas(8) uint8_t filter[sizeof(uint32_t) + EXPRESSION_BYTES_MAX];
} pp_write_place;

void pp_write_record(pp_writer *out, const void *record) {
  const pp_bins *bins = (const pp_bins *)((const char *)record + PP_RECORD_BINS);
  const pp_bin *entries = bins->entries;
  pp_write_u8(out, (uint8_t)bins->size);
  for (uint16_t i = 0; i < bins->size; i++) {
    const uint8_t name_bytes = (uint8_t)strnlen(entries[i].name, sizeof entries[i].name);
    pp_write_u8(out, name_bytes);
    pp_write(out, entries[i].name, name_bytes);
    const pp_value *value = entries[i].value;
    if (value != NULL && value->type == PP_VALUE_INTEGER) {
      pp_write_u8(out, 1);
      pp_write_i64(out, ((const pp_integer *)value)->integer);
    } else if (value != NULL && value->type == PP_VALUE_STRING) {
      const char *text = ((const pp_string *)value)->text;
      const uint32_t bytes = (uint32_t)strlen(text);
      pp_write_u8(out, 2);
      pp_write_u32(out, bytes);
      pp_write(out, text, bytes);
    } else {
      pp_write_u8(out, 0);
    }
  }
}

static void read_operations(pp_reader *in, pp_batch_record *record) {
  const uint8_t bin_count = pp_read_u8(in);
  record->operations = pp_as.as_operations_new(bin_count);
  for (uint8_t i = 0; i < bin_count && !in->failed; i++) {
    const char *name = pp_read_text(in);
    if (pp_read_u8(in) == 1) pp_as.as_operations_add_write_int64(record->operations, name, pp_read_i64(in));
    else pp_as.as_operations_add_write_strp(record->operations, name, pp_read_text(in), false);
  }
}

/*
 * u32 timeout ms, text namespace, u32 of records, then each: u8 READ | WRITE | CREATE | UPDATE | REMOVE, text set, text key; unless it is
 * READ the expression under which it takes place; and of WRITE, CREATE (where there is no such record) and UPDATE (where there
 * is one: on a new record the server asks no expression) u8 of bins, each: text name, u8 1 and i64, or u8 2 and text. Answers for each: i32 status, and for one that was read or is there its record.
 */
int32_t pp_batch(void *cluster, pp_reader *in, pp_writer *out, pp_error *error) {
  pp_policy_batch policy = {
      .base = {.max_retries = 1, .sleep_between_retries_ms = 1},
      .replica = PP_REPLICA_MASTER,
      .read_mode_ap = PP_READ_AP_ALL,
      .concurrent = true,
      .allow_inline = true,
      .allow_inline_ssd = true,
      .respond_all_keys = true,
      .send_set_name = true,
      .deserialize = true,
  };
  policy.base.total_timeout_ms = pp_read_u32(in);
  policy.base.socket_timeout_ms = policy.base.total_timeout_ms;
  const char *name_space = pp_read_text(in);
  const uint32_t count = pp_read_u32(in);
  if (in->failed || count == 0 || count > (uint32_t)(in->end - in->at)) return PP_STATUS_CLIENT;
  pp_vector *records = pp_as.as_vector_create(sizeof(pp_batch_record), count);
  pp_write_place *places = malloc(count * sizeof *places);
  if (records == NULL || places == NULL) abort();
  memset(records->list, 0, (size_t)count * sizeof(pp_batch_record));
  pp_batch_record *list = records->list;
  for (uint32_t i = 0; i < count && !in->failed; i++) {
    pp_batch_record *record = &list[i];
    /* A client that knows no server at the moment gives up before it says so of each record, and zero would mean done. */
    record->result = PP_STATUS_NO_RESPONSE;
    const uint8_t kind = pp_read_u8(in);
    const char *set = pp_read_text(in);
    const char *key = pp_read_text(in);
    if (kind > REMOVE) in->failed = true;
    if (in->failed) break;
    pp_as.as_key_init_strp(record->key, name_space, set, key, false);
    records->size = i + 1;
    if (kind == READ) {
      record->type = PP_BATCH_READ;
      record->read_all_bins = true;
      continue;
    }
    pp_write_place *place = &places[i];
    place->policy = (pp_policy_batch_write){.exists = EXISTS[kind]};
    place->policy.filter = pp_read_expression(in, place->filter, sizeof place->filter);
    record->type = PP_BATCH_WRITE;
    record->has_write = true;
    record->policy = &place->policy;
    if (kind == REMOVE) {
      record->operations = pp_as.as_operations_new(1);
      pp_as.as_operations_add_delete(record->operations);
    } else {
      read_operations(in, record);
    }
  }
  int32_t status = PP_STATUS_CLIENT;
  if (!in->failed) {
    status = pp_as.aerospike_batch_write(cluster, error, &policy, records);
    pp_write_u32(out, count);
    for (uint32_t i = 0; i < count; i++) {
      pp_write_i32(out, list[i].result);
      if (list[i].type != PP_BATCH_READ) continue;
      if (list[i].result == PP_STATUS_OK) pp_write_record(out, list[i].record);
    }
  }
  for (uint32_t i = 0; i < records->size; i++) {
    if (list[i].operations != NULL) pp_as.as_operations_destroy(list[i].operations);
  }
  pp_as.as_batch_records_destroy(records);
  free(places);
  return status;
}
