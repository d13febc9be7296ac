/* Choice of instruction set, and the operations on one run of tiles. */
#include "kernel.h"

#include <string.h>

/* Raised with every change of a signature or layout; the binding refuses another number. */
#define PP_KERNEL_VERSION 1

int pp_kernel_version(void);
int pp_isa_best(void);
int pp_score_i16(int which, const int16_t *points, const uint8_t *tiles, uint32_t entry_count, int16_t *scores);
int32_t pp_select_i16(int which, const int16_t *points, const uint8_t *tiles, uint32_t entry_count, uint32_t from,
                      int backward, int32_t min, int32_t max, uint32_t skip, uint32_t limit, uint32_t *positions,
                      int16_t *scores);

int pp_kernel_version(void) { return PP_KERNEL_VERSION; }

const pp_isa *pp_isa_get(int which) {
  if (which == 0) return &pp_isa_serial;
#ifdef PP_X86
  __builtin_cpu_init();
  if (which == 1 && __builtin_cpu_supports("avx2")) return &pp_isa_avx2;
  if (which == 2 && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vbmi")) return &pp_isa_avx512vbmi;
#endif
#ifdef PP_ARM64
  if (which == 1) return &pp_isa_neon;
#endif
  return NULL;
}

int pp_isa_best(void) {
  for (int which = 2; which > 0; which--) {
    if (pp_isa_get(which) != NULL) return which;
  }
  return 0;
}

void pp_table_prepare(pp_table *table, const int16_t points[PP_POOL_SIZE]) {
  int last = -1;
  for (int i = 0; i < PP_POOL_SIZE; i++) {
    const int weights[3] = {2 * points[i], points[i] + points[i] / 2, points[i]};
    for (int w = 0; w < 3; w++) {
      const uint16_t bits = (uint16_t)weights[w];
      table->weighted[w][i] = (int16_t)bits;
      table->low[w][i] = (uint8_t)bits;
      table->high[w][i] = (uint8_t)(bits >> 8);
    }
    if (points[i] != 0) last = i;
  }
  table->sixteens = (last + 16) / 16;
}

/* Scores any number of entries; room for exactly `entry_count` scores is enough. Returns -1 for an unknown version. */
int pp_score_i16(int which, const int16_t *points, const uint8_t *tiles, uint32_t entry_count, int16_t *scores) {
  const pp_isa *isa = pp_isa_get(which);
  if (isa == NULL) return -1;
  pp_table table;
  pp_table_prepare(&table, points);
  const size_t whole = entry_count / PP_TILE_ENTRIES, rest = entry_count % PP_TILE_ENTRIES;
  isa->score_tiles(tiles, whole, &table, scores);
  if (rest > 0) {
    int16_t last[PP_TILE_ENTRIES];
    isa->score_tiles(tiles + whole * PP_TILE_BYTES, 1, &table, last);
    memcpy(scores + whole * PP_TILE_ENTRIES, last, rest * sizeof *scores);
  }
  return 0;
}

/*
 * The positions of entries that score within [min, max], in the order met from position `from` forward (or backward, `from`
 * included), after leaving out the first `skip`; at most `limit`. Stops as soon as it has them. Returns how many, or -1.
 */
int32_t pp_select_i16(int which, const int16_t *points, const uint8_t *tiles, uint32_t entry_count, uint32_t from,
                      int backward, int32_t min, int32_t max, uint32_t skip, uint32_t limit, uint32_t *positions,
                      int16_t *scores) {
  const pp_isa *isa = pp_isa_get(which);
  if (isa == NULL) return -1;
  if (from >= entry_count || min > max || limit == 0) return 0;
  pp_table table;
  pp_table_prepare(&table, points);
  int16_t block_scores[PP_BLOCK_ENTRIES];
  uint16_t indices[PP_BLOCK_ENTRIES];
  uint32_t taken = 0;
  for (int64_t start = (int64_t)(from / PP_BLOCK_ENTRIES) * PP_BLOCK_ENTRIES; start >= 0 && start < (int64_t)entry_count;
       start += backward ? -PP_BLOCK_ENTRIES : PP_BLOCK_ENTRIES) {
    const uint32_t left = entry_count - (uint32_t)start;
    const uint32_t count = left < PP_BLOCK_ENTRIES ? left : PP_BLOCK_ENTRIES;
    isa->score_tiles(tiles + (size_t)start / PP_TILE_ENTRIES * PP_TILE_BYTES, pp_tile_count(count), &table, block_scores);
    const uint32_t found = (uint32_t)isa->find_range(block_scores, count, (int16_t)min, (int16_t)max, indices);
    for (uint32_t i = 0; i < found; i++) {
      const uint16_t index = indices[backward ? found - 1 - i : i];
      const uint32_t position = (uint32_t)start + index;
      if (backward ? position > from : position < from) continue;
      if (skip > 0) {
        skip--;
        continue;
      }
      positions[taken] = position;
      scores[taken] = block_scores[index];
      if (++taken == limit) return (int32_t)taken;
    }
  }
  return (int32_t)taken;
}
