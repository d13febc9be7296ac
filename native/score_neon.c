/* AArch64's NEON: one look-up goes through a table of 64 bytes, the points of the whole pool. */
#include "kernel.h"

#ifdef PP_ARM64
#include <arm_neon.h>

static pp_extremes pp_score_i16_neon(const uint8_t *tiles, size_t tile_count, const pp_table *table, int16_t *scores) {
  int16x8_t min = vdupq_n_s16(INT16_MAX), max = vdupq_n_s16(INT16_MIN);
  uint8x16x4_t low[3], high[3];
  for (int w = 0; w < 3; w++) {
    low[w] = vld1q_u8_x4(table->low[w]);
    high[w] = vld1q_u8_x4(table->high[w]);
  }
  const uint8x16_t pool_mask = vdupq_n_u8(PP_POOL_SIZE - 1);
  for (size_t quarter = 0; quarter < 4 * tile_count; quarter++, scores += 16) {
    const uint8_t *column = tiles + quarter / 4 * PP_TILE_BYTES + quarter % 4 * 16;
    /* Low bytes add up in words, the first eight entries' and the last eight's; of high bytes what overflows is lost anyway. */
    uint16x8_t first = vdupq_n_u16(0), last = first;
    uint8x16_t high_sum = vdupq_n_u8(0);
#pragma GCC unroll 11
    for (int slot = 0; slot < PP_ROSTER_SIZE; slot++) {
      const int weight = slot < 2 ? slot : 2;
      const uint8x16_t index = vandq_u8(vld1q_u8(column + slot * PP_TILE_ENTRIES), pool_mask);
      const uint8x16_t low_bytes = vqtbl4q_u8(low[weight], index);
      first = vaddw_u8(first, vget_low_u8(low_bytes));
      last = vaddw_high_u8(last, low_bytes);
      high_sum = vaddq_u8(high_sum, vqtbl4q_u8(high[weight], index));
    }
    const int16x8_t first_scores = vreinterpretq_s16_u16(vaddq_u16(first, vshll_n_u8(vget_low_u8(high_sum), 8)));
    const int16x8_t last_scores = vreinterpretq_s16_u16(vaddq_u16(last, vshll_high_n_u8(high_sum, 8)));
    min = vminq_s16(min, vminq_s16(first_scores, last_scores));
    max = vmaxq_s16(max, vmaxq_s16(first_scores, last_scores));
    vst1q_s16(scores, first_scores);
    vst1q_s16(scores + 8, last_scores);
  }
  return (pp_extremes){vminvq_s16(min), vmaxvq_s16(max)};
}

static size_t pp_find_range_i16_neon(const int16_t *scores, size_t count, int16_t min, int16_t max, uint16_t *indices) {
  const uint16_t span = (uint16_t)(max - min);
  const uint16x8_t mins = vdupq_n_u16((uint16_t)min), spans = vdupq_n_u16(span);
  size_t found = 0, i = 0;
  for (; i + 16 <= count; i += 16) {
    const uint16x8_t first = vsubq_u16(vreinterpretq_u16_s16(vld1q_s16(scores + i)), mins);
    const uint16x8_t last = vsubq_u16(vreinterpretq_u16_s16(vld1q_s16(scores + i + 8)), mins);
    const uint8x16_t within = vuzp1q_u8(vreinterpretq_u8_u16(vcleq_u16(first, spans)),
                                        vreinterpretq_u8_u16(vcleq_u16(last, spans)));
    /* There is no instruction for a bit an entry; this one leaves four equal bits, of which one is kept. */
    const uint8x8_t nibbles = vshrn_n_u16(vreinterpretq_u16_u8(within), 4);
    uint64_t bits = vget_lane_u64(vreinterpret_u64_u8(nibbles), 0) & UINT64_C(0x1111111111111111);
    for (; bits != 0; bits &= bits - 1) indices[found++] = (uint16_t)(i + (size_t)__builtin_ctzll(bits) / 4);
  }
  for (; i < count; i++) {
    if ((uint16_t)(scores[i] - min) <= span) indices[found++] = (uint16_t)i;
  }
  return found;
}

const pp_isa pp_isa_neon = {"neon", pp_score_i16_neon, pp_find_range_i16_neon};
#endif
