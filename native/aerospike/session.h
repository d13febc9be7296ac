/* Requests from one thread to several, and their answers back. */
#ifndef POWERPLAY_AEROSPIKE_SESSION_H
#define POWERPLAY_AEROSPIKE_SESSION_H

#include "client.h"

/* Grows as it is written; `failed` once there was no memory. */
typedef struct {
  uint8_t *bytes;
  uint32_t size;
  uint32_t capacity;
  bool failed;
} pp_writer;

void pp_write(pp_writer *, const void *bytes, uint32_t count);
void pp_write_u8(pp_writer *, uint8_t);
void pp_write_u32(pp_writer *, uint32_t);
void pp_write_i32(pp_writer *, int32_t);
void pp_write_i64(pp_writer *, int64_t);

/* `failed` once more was asked than there is: a request of another version of the TypeScript side. */
typedef struct {
  const uint8_t *at;
  const uint8_t *end;
  bool failed;
} pp_reader;

uint8_t pp_read_u8(pp_reader *);
uint32_t pp_read_u32(pp_reader *);
int64_t pp_read_i64(pp_reader *);
/* u32 of bytes, the bytes, a zero that is not counted; valid as long as the request. */
const char *pp_read_text(pp_reader *);
/* u32 of bytes and the bytes, as the client wants an expression. NULL for none. */
const pp_expression *pp_read_expression(pp_reader *, void *room, uint32_t room_bytes);

/* Each answers the status of the whole; what they write is the body of the answer. */
int32_t pp_batch(void *cluster, pp_reader *, pp_writer *, pp_error *);
int32_t pp_scan(void *cluster, pp_reader *, pp_writer *, pp_error *);

/* u8 of bins, then each: u8 of bytes and its name, u8 of its kind (1 integer, 2 text), i64, or u32 of bytes and the text. */
void pp_write_record(pp_writer *, const void *record);

#endif
