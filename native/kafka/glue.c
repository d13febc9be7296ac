/*
 * What the Kafka engine would otherwise do with one foreign call a record, or with layouts of C structs written down in
 * TypeScript. Everything else is librdkafka's own functions, called directly. Part of build/librdkafka.so.
 *
 * Nothing here waits for the network, but what `pp_client_close` begins, which has a thread for it. Offsets cross as doubles, which hold them exactly
 * up to 2^53.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rdkafka.h"

#define EXPORT __attribute__((visibility("default")))

/* Must equal KAFKA_GLUE_VERSION in src/stores/event-log/kafka/library.ts. */
EXPORT int32_t pp_kafka_glue_version(void) { return 2; }

/*
 * A pair of sockets: what librdkafka's threads write to `fds[1]`, the event loop reads from `fds[0]`. Non-blocking: when it is
 * full the loop has something to read, and that is all that the bytes say.
 */
EXPORT int32_t pp_wake_open(int32_t *fds) {
  return socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds);
}

EXPORT void pp_wake_close(int32_t fd) { close(fd); }

EXPORT void pp_wake_on(rd_kafka_queue_t *queue, int32_t fd) { rd_kafka_queue_io_event_enable(queue, fd, "w", 1); }

/* `settings`: names and values in turn, each ending with a zero, and an empty name at the end. NULL with a text in `error`. */
EXPORT rd_kafka_t *pp_client_open(int32_t is_producer, const char *settings, char *error, uint32_t error_bytes) {
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  while (*settings) {
    const char *name = settings;
    const char *value = name + strlen(name) + 1;
    settings = value + strlen(value) + 1;
    if (rd_kafka_conf_set(conf, name, value, error, error_bytes) != RD_KAFKA_CONF_OK) {
      rd_kafka_conf_destroy(conf);
      return NULL;
    }
  }
  rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_REBALANCE);
  /* What it would write on stderr comes as an event too. */
  rd_kafka_conf_set_log_cb(conf, NULL);
  rd_kafka_t *client = rd_kafka_new(is_producer ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER, conf, error, error_bytes);
  if (client == NULL) rd_kafka_conf_destroy(conf);
  return client;
}

typedef struct {
  rd_kafka_topic_t *topic;
  int32_t partition;
  rd_kafka_queue_t *queue;
  /* Taken off the queue and not yet read: messages[at, count). */
  rd_kafka_message_t *messages[2048];
  int32_t at;
  int32_t count;
} pp_cursor;

static void drop_taken(pp_cursor *cursor) {
  for (; cursor->at < cursor->count; cursor->at++) rd_kafka_message_destroy(cursor->messages[cursor->at]);
}

static void free_cursor(pp_cursor *cursor) {
  drop_taken(cursor);
  rd_kafka_consume_stop(cursor->topic, cursor->partition);
  rd_kafka_queue_destroy(cursor->queue);
  free(cursor);
}

/* What a client leaves behind; all of it waits for threads of librdkafka. */
typedef struct {
  rd_kafka_t *client;
  rd_kafka_queue_t *queues[4];
  rd_kafka_topic_t **topics;
  pp_cursor **cursors;
  uint32_t topic_count;
  uint32_t cursor_count;
  int32_t wake_fd;
  volatile int32_t *done;
} closing;

static void *run_close(void *argument) {
  closing *it = argument;
  for (uint32_t i = 0; i < it->cursor_count; i++) free_cursor(it->cursors[i]);
  for (uint32_t i = 0; i < it->topic_count; i++) rd_kafka_topic_destroy(it->topics[i]);
  for (uint32_t i = 0; i < 4; i++) {
    if (it->queues[i] != NULL) rd_kafka_queue_destroy(it->queues[i]);
  }
  rd_kafka_destroy_flags(it->client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
  __atomic_store_n(it->done, 1, __ATOMIC_SEQ_CST);
  /* The lost wake of a full socket is no loss: the loop has something to read. */
  if (write(it->wake_fd, "c", 1) < 0 && errno != EAGAIN) abort();
  free(it->topics);
  free(it->cursors);
  free(it);
  return NULL;
}

static void *copied(const void *from, size_t bytes) {
  void *to = malloc(bytes == 0 ? 1 : bytes);
  if (to != NULL && bytes > 0) memcpy(to, from, bytes);
  return to;
}

/* `*done` becomes 1 when all is gone, and `wake_fd` is written to. It must stay where it is until then. */
EXPORT int32_t pp_client_close(rd_kafka_t *client, rd_kafka_queue_t **queues, rd_kafka_topic_t **topics,
                               uint32_t topic_count, pp_cursor **cursors, uint32_t cursor_count, int32_t wake_fd,
                               int32_t *done) {
  closing *it = malloc(sizeof *it);
  if (it == NULL) return -1;
  *it = (closing){.client = client,
                  .topics = copied(topics, topic_count * sizeof *topics),
                  .cursors = copied(cursors, cursor_count * sizeof *cursors),
                  .topic_count = topic_count,
                  .cursor_count = cursor_count,
                  .wake_fd = wake_fd,
                  .done = done};
  memcpy(it->queues, queues, sizeof it->queues);
  pthread_t thread;
  if (it->topics == NULL || it->cursors == NULL || pthread_create(&thread, NULL, run_close, it) != 0) return -1;
  pthread_detach(thread);
  return 0;
}

/* Appends. */

/* The key is written as Java's LongSerializer does, so that any client can read it. 0, or the error. */
EXPORT int32_t pp_produce(rd_kafka_topic_t *topic, int32_t partition, double key, const void *value, uint32_t value_bytes,
                          uint32_t id) {
  uint64_t big_endian = __builtin_bswap64((uint64_t)key);
  /* A value without bytes is a value; a null would be a tombstone. */
  void *payload = value_bytes == 0 ? "" : (void *)value;
  int sent = rd_kafka_produce(topic, partition, RD_KAFKA_MSG_F_COPY, payload, value_bytes, &big_endian, sizeof big_endian,
                              (void *)(uintptr_t)id);
  return sent == 0 ? 0 : rd_kafka_last_error();
}

/* Of an event of delivery reports, the next up to `max`; 0 when all are taken. */
EXPORT uint32_t pp_take_deliveries(rd_kafka_event_t *event, uint32_t max, uint32_t *ids, double *offsets,
                                   int32_t *errors) {
  const rd_kafka_message_t *messages[512];
  uint32_t count = (uint32_t)rd_kafka_event_message_array(event, messages, max < 512 ? max : 512);
  for (uint32_t i = 0; i < count; i++) {
    ids[i] = (uint32_t)(uintptr_t)messages[i]->_private;
    offsets[i] = (double)messages[i]->offset;
    errors[i] = messages[i]->err;
  }
  return count;
}

/* Reads. */

/* NULL: no memory, or the partition has a cursor in this client. */
EXPORT pp_cursor *pp_cursor_open(rd_kafka_t *client, rd_kafka_topic_t *topic, int32_t partition, double offset,
                                 int32_t wake_fd) {
  pp_cursor *cursor = malloc(sizeof *cursor);
  if (cursor == NULL) return NULL;
  *cursor = (pp_cursor){.topic = topic, .partition = partition, .queue = rd_kafka_queue_new(client)};
  rd_kafka_queue_io_event_enable(cursor->queue, wake_fd, "r", 1);
  if (rd_kafka_consume_start_queue(topic, partition, (int64_t)offset, cursor->queue) == 0) return cursor;
  rd_kafka_queue_destroy(cursor->queue);
  free(cursor);
  return NULL;
}

/* What was fetched before is outdated from the call on. 0, or the error. */
EXPORT int32_t pp_cursor_seek(pp_cursor *cursor, double offset) {
  drop_taken(cursor);
  return rd_kafka_seek(cursor->topic, cursor->partition, (int64_t)offset, 0);
}

/* As a seek, of a cursor that an offset without a record has stopped. Waits for a thread of librdkafka, not for a broker. */
EXPORT int32_t pp_cursor_restart(pp_cursor *cursor, double offset) {
  drop_taken(cursor);
  rd_kafka_consume_stop(cursor->topic, cursor->partition);
  int started = rd_kafka_consume_start_queue(cursor->topic, cursor->partition, (int64_t)offset, cursor->queue);
  return started == 0 ? 0 : rd_kafka_last_error();
}

enum { FIRST_OFFSET, RECORD_COUNT, BYTE_COUNT, NEEDED_BYTES, ERROR_CODE };

/*
 * Copies what was fetched from `from` on, without a gap: up to `bytes_max` (and the record that crosses it, if it fits into
 * `capacity`) and `ends_max` records. `answer` as numbered above; where the very first record does not fit it says how many
 * bytes it needs.
 */
EXPORT void pp_cursor_read(pp_cursor *cursor, double from, uint8_t *bytes, uint32_t capacity, uint32_t bytes_max,
                           uint32_t *ends, uint32_t ends_max, double *answer) {
  uint32_t count = 0;
  uint32_t end = 0;
  int64_t first = (int64_t)from;
  answer[NEEDED_BYTES] = answer[ERROR_CODE] = 0;
  while (count < ends_max && end < bytes_max) {
    if (cursor->at == cursor->count) {
      ssize_t taken = rd_kafka_consume_batch_queue(cursor->queue, 0, cursor->messages,
                                                   sizeof cursor->messages / sizeof *cursor->messages);
      cursor->at = 0;
      cursor->count = taken > 0 ? (int32_t)taken : 0;
      if (cursor->count == 0) break;
    }
    rd_kafka_message_t *message = cursor->messages[cursor->at];
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      if (count > 0) break;
      answer[ERROR_CODE] = message->err;
    } else if (message->offset >= (int64_t)from) {
      if (count == 0) first = message->offset;
      else if (message->offset != first + count) break;
      if (message->len > capacity - end) {
        if (count == 0) answer[NEEDED_BYTES] = (double)message->len;
        break;
      }
      if (message->len > 0) memcpy(bytes + end, message->payload, message->len);
      ends[count++] = end += (uint32_t)message->len;
    }
    rd_kafka_message_destroy(message);
    cursor->at++;
    if (answer[ERROR_CODE] != 0) break;
  }
  answer[FIRST_OFFSET] = (double)first;
  answer[RECORD_COUNT] = count;
  answer[BYTE_COUNT] = end;
}

/* Questions to the brokers. Each is answered by an event on `queue`, which gives `id` back as its opaque. */

static rd_kafka_AdminOptions_t *options_of(rd_kafka_t *client, rd_kafka_admin_op_t operation, int32_t timeout_ms,
                                           uint32_t id) {
  rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(client, operation);
  char error[128];
  rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, error, sizeof error);
  rd_kafka_AdminOptions_set_opaque(options, (void *)(uintptr_t)id);
  return options;
}

EXPORT uint32_t pp_event_id(rd_kafka_event_t *event) { return (uint32_t)(uintptr_t)rd_kafka_event_opaque(event); }

/* `settings` as in pp_client_open. 0, or -1 with a text in `error`. */
EXPORT int32_t pp_ask_create_topic(rd_kafka_t *client, rd_kafka_queue_t *queue, uint32_t id, const char *name,
                                   int32_t partitions, int32_t replication, const char *settings, int32_t timeout_ms,
                                   char *error, uint32_t error_bytes) {
  rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(name, partitions, replication, error, error_bytes);
  if (topic == NULL) return -1;
  while (*settings) {
    const char *value = settings + strlen(settings) + 1;
    rd_kafka_NewTopic_set_config(topic, settings, value);
    settings = value + strlen(value) + 1;
  }
  rd_kafka_AdminOptions_t *options = options_of(client, RD_KAFKA_ADMIN_OP_CREATETOPICS, timeout_ms, id);
  rd_kafka_AdminOptions_set_operation_timeout(options, timeout_ms, error, error_bytes);
  rd_kafka_CreateTopics(client, &topic, 1, options, queue);
  rd_kafka_AdminOptions_destroy(options);
  rd_kafka_NewTopic_destroy(topic);
  return 0;
}

/* The error of the one topic, or 0; `error` receives its text. */
EXPORT int32_t pp_take_created(rd_kafka_event_t *event, char *error, uint32_t error_bytes) {
  size_t count;
  const rd_kafka_topic_result_t **results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
  const char *text = count == 1 ? rd_kafka_topic_result_error_string(results[0]) : NULL;
  strncpy(error, text == NULL ? "" : text, error_bytes - 1);
  return count == 1 ? rd_kafka_topic_result_error(results[0]) : RD_KAFKA_RESP_ERR__FAIL;
}

EXPORT void pp_ask_describe_topic(rd_kafka_t *client, rd_kafka_queue_t *queue, uint32_t id, const char *name,
                                  int32_t timeout_ms) {
  rd_kafka_TopicCollection_t *topics = rd_kafka_TopicCollection_of_topic_names(&name, 1);
  rd_kafka_AdminOptions_t *options = options_of(client, RD_KAFKA_ADMIN_OP_DESCRIBETOPICS, timeout_ms, id);
  rd_kafka_DescribeTopics(client, topics, options, queue);
  rd_kafka_AdminOptions_destroy(options);
  rd_kafka_TopicCollection_destroy(topics);
}

/* How many partitions the one topic has, or the error, which is negated where it is the broker's. */
EXPORT int32_t pp_take_described(rd_kafka_event_t *event) {
  size_t count;
  const rd_kafka_TopicDescription_t **topics =
      rd_kafka_DescribeTopics_result_topics(rd_kafka_event_DescribeTopics_result(event), &count);
  if (count != 1) return RD_KAFKA_RESP_ERR__FAIL;
  int32_t code = rd_kafka_error_code(rd_kafka_TopicDescription_error(topics[0]));
  if (code != 0) return code < 0 ? code : -code;
  size_t partitions;
  rd_kafka_TopicDescription_partitions(topics[0], &partitions);
  return (int32_t)partitions;
}

/* For each i the offset of (topics[indices[i]], partitions[i]) that `spec` names: -1 the end, -2 the start. */
EXPORT void pp_ask_offsets(rd_kafka_t *client, rd_kafka_queue_t *queue, uint32_t id, rd_kafka_topic_t **topics,
                           const uint32_t *indices, const int32_t *partitions, uint32_t count, double spec,
                           int32_t timeout_ms) {
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
  for (uint32_t i = 0; i < count; i++) {
    rd_kafka_topic_partition_list_add(list, rd_kafka_topic_name(topics[indices[i]]), partitions[i])->offset =
        (int64_t)spec;
  }
  rd_kafka_AdminOptions_t *options = options_of(client, RD_KAFKA_ADMIN_OP_LISTOFFSETS, timeout_ms, id);
  rd_kafka_ListOffsets(client, list, options, queue);
  rd_kafka_AdminOptions_destroy(options);
  rd_kafka_topic_partition_list_destroy(list);
}

/* Answers how many there are, at most `max`. */
EXPORT uint32_t pp_take_offsets(rd_kafka_event_t *event, rd_kafka_topic_t **topics, uint32_t topic_count, uint32_t max,
                                uint32_t *indices, int32_t *partitions, double *offsets, int32_t *errors) {
  size_t count;
  const rd_kafka_ListOffsetsResultInfo_t **infos =
      rd_kafka_ListOffsets_result_infos(rd_kafka_event_ListOffsets_result(event), &count);
  uint32_t taken = 0;
  for (size_t i = 0; i < count && taken < max; i++) {
    const rd_kafka_topic_partition_t *found = rd_kafka_ListOffsetsResultInfo_topic_partition(infos[i]);
    uint32_t index = 0;
    while (index < topic_count && strcmp(rd_kafka_topic_name(topics[index]), found->topic) != 0) index++;
    if (index == topic_count) continue;
    indices[taken] = index;
    partitions[taken] = found->partition;
    offsets[taken] = (double)found->offset;
    errors[taken++] = found->err;
  }
  return taken;
}

/* Groups. */

EXPORT int32_t pp_subscribe(rd_kafka_t *client, const char *topic) {
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(list, topic, RD_KAFKA_PARTITION_UA);
  int32_t error = rd_kafka_subscribe(client, list);
  rd_kafka_topic_partition_list_destroy(list);
  return error;
}

static int32_t done_with(rd_kafka_error_t *error) {
  int32_t code = error == NULL ? 0 : rd_kafka_error_code(error);
  if (error != NULL) rd_kafka_error_destroy(error);
  return code;
}

/*
 * Agrees to what the group has decided, and reads nothing of what it gives. Answers 1 where partitions come, 0 where they
 * go, 2 where the member has lost touch with its group, or a negative error; `partitions` receives the first `max` of `*count`.
 */
EXPORT int32_t pp_take_rebalance(rd_kafka_t *client, rd_kafka_event_t *event, int32_t *partitions, uint32_t max,
                                 uint32_t *count) {
  rd_kafka_topic_partition_list_t *list = rd_kafka_event_topic_partition_list(event);
  int comes = rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
  int lost = !comes && rd_kafka_assignment_lost(client);
  *count = 0;
  for (int i = 0; i < list->cnt && *count < max; i++) {
    list->elems[i].offset = RD_KAFKA_OFFSET_END;
    partitions[(*count)++] = list->elems[i].partition;
  }
  int32_t error = done_with(comes ? rd_kafka_incremental_assign(client, list) : rd_kafka_incremental_unassign(client, list));
  if (comes && error == 0) rd_kafka_pause_partitions(client, list);
  if (error != 0) return error < 0 ? error : -error;
  return lost ? 2 : comes;
}

/* Whether the member has left its group, or never was in it. */
EXPORT int32_t pp_has_left(rd_kafka_t *client) {
  char *member = rd_kafka_memberid(client);
  int32_t has_left = member == NULL || *member == '\0';
  if (member != NULL) rd_kafka_mem_free(client, member);
  return has_left;
}
