/* The plain version: reference for the others, and what runs where there is nothing faster. */
#include "kernel.h"

static pp_extremes pp_score_i16_serial(const uint8_t *tiles, size_t tile_count, const pp_table *table, int16_t *scores) {
  int16_t min = INT16_MAX, max = INT16_MIN;
  for (size_t t = 0; t < tile_count; t++, tiles += PP_TILE_BYTES, scores += PP_TILE_ENTRIES) {
    uint16_t sums[PP_TILE_ENTRIES] = {0};
    for (int slot = 0; slot < PP_ROSTER_SIZE; slot++) {
      const int16_t *weighted = table->weighted[slot < 2 ? slot : 2];
      const uint8_t *column = tiles + slot * PP_TILE_ENTRIES;
#pragma GCC unroll 8
      for (int i = 0; i < PP_TILE_ENTRIES; i++) sums[i] += (uint16_t)weighted[column[i] & (PP_POOL_SIZE - 1)];
    }
    for (int i = 0; i < PP_TILE_ENTRIES; i++) {
      const int16_t score = (int16_t)sums[i];
      scores[i] = score;
      min = score < min ? score : min;
      max = score > max ? score : max;
    }
  }
  return (pp_extremes){min, max};
}

static size_t pp_find_range_i16_serial(const int16_t *scores, size_t count, int16_t min, int16_t max, uint16_t *indices) {
  const uint16_t span = (uint16_t)(max - min);
  size_t found = 0;
  for (size_t i = 0; i < count; i++) {
    indices[found] = (uint16_t)i;
    found += (uint16_t)(scores[i] - min) <= span;
  }
  return found;
}

const pp_isa pp_isa_serial = {"serial", pp_score_i16_serial, pp_find_range_i16_serial};
