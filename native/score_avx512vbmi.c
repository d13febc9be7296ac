/* AVX-512 with VBMI: one register holds the points of the whole pool, so a look-up of 64 players is one byte permute. */
#include "kernel.h"

#ifdef PP_X86
#include <immintrin.h>
#define AVX512VBMI __attribute__((target("avx512f,avx512bw,avx512vbmi")))

/* The instruction finds the lowest of eight unsigned words; flipping bits turns it to signed ones and to the highest. */
AVX512VBMI static pp_extremes reduce_extremes(__m512i min, __m512i max) {
  const __m256i min256 = _mm256_min_epi16(_mm512_castsi512_si256(min), _mm512_extracti64x4_epi64(min, 1));
  const __m256i max256 = _mm256_max_epi16(_mm512_castsi512_si256(max), _mm512_extracti64x4_epi64(max, 1));
  const __m128i low = _mm_min_epi16(_mm256_castsi256_si128(min256), _mm256_extracti128_si256(min256, 1));
  const __m128i high = _mm_max_epi16(_mm256_castsi256_si128(max256), _mm256_extracti128_si256(max256, 1));
  const __m128i lowest = _mm_minpos_epu16(_mm_xor_si128(low, _mm_set1_epi16(INT16_MIN)));
  const __m128i highest = _mm_minpos_epu16(_mm_xor_si128(high, _mm_set1_epi16(INT16_MAX)));
  return (pp_extremes){(int16_t)(_mm_cvtsi128_si32(lowest) ^ 0x8000), (int16_t)(_mm_cvtsi128_si32(highest) ^ 0x7fff)};
}

AVX512VBMI static pp_extremes pp_score_i16_avx512vbmi(const uint8_t *tiles, size_t tile_count, const pp_table *table,
                                                      int16_t *scores) {
  __m512i min = _mm512_set1_epi16(INT16_MAX), max = _mm512_set1_epi16(INT16_MIN);
  __m512i low[3], high[3];
  for (int w = 0; w < 3; w++) {
    low[w] = _mm512_loadu_si512(table->low[w]);
    high[w] = _mm512_loadu_si512(table->high[w]);
  }
  const __m512i high_bytes = _mm512_set1_epi16((short)0xff00);
  const __m512i first_order = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
  const __m512i second_order = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
  for (size_t t = 0; t < tile_count; t++, tiles += PP_TILE_BYTES, scores += PP_TILE_ENTRIES) {
    /* `words` adds low bytes as 16-bit words, each with 256 x its odd neighbour in it; `odd` adds the odd ones alone. */
    __m512i words = _mm512_setzero_si512(), odd = words, high_sum = words;
#pragma GCC unroll 11
    for (int slot = 0; slot < PP_ROSTER_SIZE; slot++) {
      const int weight = slot < 2 ? slot : 2;
      const __m512i index = _mm512_loadu_si512(tiles + slot * PP_TILE_ENTRIES);
      const __m512i low_bytes = _mm512_permutexvar_epi8(index, low[weight]);
      words = _mm512_add_epi16(words, low_bytes);
      odd = _mm512_add_epi16(odd, _mm512_srli_epi16(low_bytes, 8));
      high_sum = _mm512_add_epi8(high_sum, _mm512_permutexvar_epi8(index, high[weight]));
    }
    const __m512i even_scores =
        _mm512_add_epi16(_mm512_sub_epi16(words, _mm512_slli_epi16(odd, 8)), _mm512_slli_epi16(high_sum, 8));
    const __m512i odd_scores = _mm512_add_epi16(odd, _mm512_and_si512(high_sum, high_bytes));
    const __m512i lower = _mm512_unpacklo_epi16(even_scores, odd_scores);
    const __m512i upper = _mm512_unpackhi_epi16(even_scores, odd_scores);
    min = _mm512_min_epi16(min, _mm512_min_epi16(lower, upper));
    max = _mm512_max_epi16(max, _mm512_max_epi16(lower, upper));
    _mm512_storeu_si512(scores, _mm512_permutex2var_epi64(lower, first_order, upper));
    _mm512_storeu_si512(scores + 32, _mm512_permutex2var_epi64(lower, second_order, upper));
  }
  return reduce_extremes(min, max);
}

AVX512VBMI static size_t pp_find_range_i16_avx512vbmi(const int16_t *scores, size_t count, int16_t min, int16_t max,
                                                      uint16_t *indices) {
  const __m512i mins = _mm512_set1_epi16(min), spans = _mm512_set1_epi16((short)(max - min));
  size_t found = 0;
  for (size_t i = 0; i < count; i += 32) {
    const __mmask32 valid = count - i >= 32 ? ~(__mmask32)0 : ((__mmask32)1 << (count - i)) - 1;
    const __m512i above = _mm512_sub_epi16(_mm512_maskz_loadu_epi16(valid, scores + i), mins);
    for (uint32_t bits = _mm512_mask_cmple_epu16_mask(valid, above, spans); bits != 0; bits &= bits - 1) {
      indices[found++] = (uint16_t)(i + (size_t)__builtin_ctz(bits));
    }
  }
  return found;
}

const pp_isa pp_isa_avx512vbmi = {"avx512vbmi", pp_score_i16_avx512vbmi, pp_find_range_i16_avx512vbmi};
#endif
