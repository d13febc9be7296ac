/* All records of a set in some of the 4,096 partitions. */
#include "session.h"

typedef struct {
  pp_writer *out;
  uint32_t count;
} pp_scan_context;

static bool each_record(const void *record, void *context) {
  pp_scan_context *scan = context;
  /* NULL ends the scan. */
  if (record == NULL) return true;
  pp_write_record(scan->out, record);
  scan->count++;
  return !scan->out->failed;
}

/* u32 timeout ms, text namespace, text set, u32 first partition, u32 of partitions, expression. Answers u32 of records, and the records. */
int32_t pp_scan(void *cluster, pp_reader *in, pp_writer *out, pp_error *error) {
  _Alignas(8) uint8_t filter[256];
  pp_policy_scan policy = {.base = {.max_retries = 3, .sleep_between_retries_ms = 10}, .replica = PP_REPLICA_MASTER};
  policy.base.total_timeout_ms = pp_read_u32(in);
  policy.base.socket_timeout_ms = policy.base.total_timeout_ms;
  const char *name_space = pp_read_text(in);
  const char *set = pp_read_text(in);
  pp_partition_filter partitions = {.begin = (uint16_t)pp_read_u32(in)};
  partitions.count = (uint16_t)pp_read_u32(in);
  policy.base.filter = pp_read_expression(in, filter, sizeof filter);
  if (in->failed) return PP_STATUS_CLIENT;
  void *scan = pp_as.as_scan_new(name_space, set);
  if (scan == NULL) return PP_STATUS_CLIENT;
  pp_scan_context context = {.out = out};
  const uint32_t count_place = out->size;
  pp_write_u32(out, 0);
  const int32_t status = pp_as.aerospike_scan_partitions(cluster, error, &policy, scan, &partitions, each_record, &context);
  pp_as.as_scan_destroy(scan);
  if (!out->failed) {
    pp_writer count = {.bytes = out->bytes + count_place, .capacity = sizeof(uint32_t)};
    pp_write_u32(&count, context.count);
  }
  return status;
}
