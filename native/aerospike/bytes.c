/* Little-endian, as every machine is that the client is built for. */
#include "session.h"

#include <stdlib.h>
#include <string.h>

void pp_write(pp_writer *out, const void *bytes, uint32_t count) {
  if (out->failed) return;
  if (count > out->capacity - out->size) {
    const uint64_t wanted = 2 * ((uint64_t)out->size + count) + 1024;
    uint8_t *grown = wanted > UINT32_MAX ? NULL : realloc(out->bytes, wanted);
    if (grown == NULL) {
      out->failed = true;
      return;
    }
    out->bytes = grown;
    out->capacity = (uint32_t)wanted;
  }
  memcpy(out->bytes + out->size, bytes, count);
  out->size += count;
}

void pp_write_u8(pp_writer *out, uint8_t value) { pp_write(out, &value, sizeof value); }
void pp_write_u32(pp_writer *out, uint32_t value) { pp_write(out, &value, sizeof value); }
void pp_write_i32(pp_writer *out, int32_t value) { pp_write(out, &value, sizeof value); }
void pp_write_i64(pp_writer *out, int64_t value) { pp_write(out, &value, sizeof value); }

static const uint8_t *take(pp_reader *in, size_t count) {
  if (in->failed || count > (size_t)(in->end - in->at)) {
    in->failed = true;
    return NULL;
  }
  const uint8_t *bytes = in->at;
  in->at += count;
  return bytes;
}

static void read_into(pp_reader *in, void *value, size_t bytes) {
  const uint8_t *from = take(in, bytes);
  if (from != NULL) memcpy(value, from, bytes);
}

uint8_t pp_read_u8(pp_reader *in) {
  uint8_t value = 0;
  read_into(in, &value, sizeof value);
  return value;
}

uint32_t pp_read_u32(pp_reader *in) {
  uint32_t value = 0;
  read_into(in, &value, sizeof value);
  return value;
}

int64_t pp_read_i64(pp_reader *in) {
  int64_t value = 0;
  read_into(in, &value, sizeof value);
  return value;
}

const char *pp_read_text(pp_reader *in) {
  const uint32_t bytes = pp_read_u32(in);
  const uint8_t *text = take(in, (size_t)bytes + 1);
  if (text == NULL || text[bytes] != 0) {
    in->failed = true;
    return "";
  }
  return (const char *)text;
}

const pp_expression *pp_read_expression(pp_reader *in, void *room, uint32_t room_bytes) {
  const uint32_t bytes = pp_read_u32(in);
  if (bytes == 0) return NULL;
  if (bytes > room_bytes - sizeof(uint32_t)) in->failed = true;
  const uint8_t *packed = take(in, bytes);
  if (packed == NULL) return NULL;
  pp_expression *expression = room;
  expression->packed_bytes = bytes;
  memcpy(expression->packed, packed, bytes);
  return expression;
}
