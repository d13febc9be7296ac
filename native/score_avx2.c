/* AVX2: 16-byte shuffles, one per sixteen pool indices and byte of the points. */
#include "kernel.h"

#ifdef PP_X86
#include <immintrin.h>
#define AVX2 __attribute__((target("avx2")))

/* The points of 32 entries' players, as 32 low and 32 high bytes. */
AVX2 static inline __attribute__((always_inline)) void look_up(__m256i index, const pp_table *table, int weight,
                                                                __m256i *low, __m256i *high) {
  *low = *high = _mm256_setzero_si256();
  for (int q = 0; q < table->sixteens; q++) {
    /* A lane of another sixteen gets its top bit set, for which the shuffle yields 0. */
    const __m256i lane = _mm256_adds_epu8(_mm256_sub_epi8(index, _mm256_set1_epi8((char)(16 * q))), _mm256_set1_epi8(0x70));
    const __m256i low_bytes = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(table->low[weight] + 16 * q)));
    const __m256i high_bytes = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(table->high[weight] + 16 * q)));
    *low = _mm256_or_si256(*low, _mm256_shuffle_epi8(low_bytes, lane));
    *high = _mm256_or_si256(*high, _mm256_shuffle_epi8(high_bytes, lane));
  }
}

/* The instruction finds the lowest of eight unsigned words; flipping bits turns it to signed ones and to the highest. */
AVX2 static pp_extremes reduce_extremes(__m256i min, __m256i max) {
  const __m128i low = _mm_min_epi16(_mm256_castsi256_si128(min), _mm256_extracti128_si256(min, 1));
  const __m128i high = _mm_max_epi16(_mm256_castsi256_si128(max), _mm256_extracti128_si256(max, 1));
  const __m128i lowest = _mm_minpos_epu16(_mm_xor_si128(low, _mm_set1_epi16(INT16_MIN)));
  const __m128i highest = _mm_minpos_epu16(_mm_xor_si128(high, _mm_set1_epi16(INT16_MAX)));
  return (pp_extremes){(int16_t)(_mm_cvtsi128_si32(lowest) ^ 0x8000), (int16_t)(_mm_cvtsi128_si32(highest) ^ 0x7fff)};
}

AVX2 static pp_extremes pp_score_i16_avx2(const uint8_t *tiles, size_t tile_count, const pp_table *table,
                                          int16_t *scores) {
  __m256i min = _mm256_set1_epi16(INT16_MAX), max = _mm256_set1_epi16(INT16_MIN);
  const __m256i pool_mask = _mm256_set1_epi8(PP_POOL_SIZE - 1);
  for (size_t half = 0; half < 2 * tile_count; half++, scores += 32) {
    const uint8_t *column = tiles + half / 2 * PP_TILE_BYTES + half % 2 * 32;
    /* `words` adds low bytes as 16-bit words, each with 256 x its odd neighbour in it; `odd` adds the odd ones alone. */
    __m256i words = _mm256_setzero_si256(), odd = words, high_sum = words;
    for (int slot = 0; slot < PP_ROSTER_SIZE; slot++, column += PP_TILE_ENTRIES) {
      __m256i low, high;
      const __m256i index = _mm256_and_si256(_mm256_loadu_si256((const __m256i *)column), pool_mask);
      look_up(index, table, slot < 2 ? slot : 2, &low, &high);
      words = _mm256_add_epi16(words, low);
      odd = _mm256_add_epi16(odd, _mm256_srli_epi16(low, 8));
      high_sum = _mm256_add_epi8(high_sum, high);
    }
    const __m256i even_scores =
        _mm256_add_epi16(_mm256_sub_epi16(words, _mm256_slli_epi16(odd, 8)), _mm256_slli_epi16(high_sum, 8));
    const __m256i odd_scores = _mm256_add_epi16(odd, _mm256_and_si256(high_sum, _mm256_set1_epi16((short)0xff00)));
    const __m256i first = _mm256_unpacklo_epi16(even_scores, odd_scores);
    const __m256i second = _mm256_unpackhi_epi16(even_scores, odd_scores);
    min = _mm256_min_epi16(min, _mm256_min_epi16(first, second));
    max = _mm256_max_epi16(max, _mm256_max_epi16(first, second));
    _mm256_storeu_si256((__m256i *)scores, _mm256_permute2x128_si256(first, second, 0x20));
    _mm256_storeu_si256((__m256i *)(scores + 16), _mm256_permute2x128_si256(first, second, 0x31));
  }
  return reduce_extremes(min, max);
}

AVX2 static size_t pp_find_range_i16_avx2(const int16_t *scores, size_t count, int16_t min, int16_t max,
                                          uint16_t *indices) {
  const uint16_t span = (uint16_t)(max - min);
  const __m256i mins = _mm256_set1_epi16(min), spans = _mm256_set1_epi16((short)span);
  size_t found = 0, i = 0;
  for (; i + 16 <= count; i += 16) {
    const __m256i above = _mm256_sub_epi16(_mm256_loadu_si256((const __m256i *)(scores + i)), mins);
    const __m256i within = _mm256_cmpeq_epi16(_mm256_min_epu16(above, spans), above);
    /* Two equal bits an entry; keep one. */
    uint32_t bits = (uint32_t)_mm256_movemask_epi8(within) & 0x55555555u;
    for (; bits != 0; bits &= bits - 1) indices[found++] = (uint16_t)(i + (size_t)__builtin_ctz(bits) / 2);
  }
  for (; i < count; i++) {
    if ((uint16_t)(scores[i] - min) <= span) indices[found++] = (uint16_t)i;
  }
  return found;
}

const pp_isa pp_isa_avx2 = {"avx2", pp_score_i16_avx2, pp_find_range_i16_avx2};
#endif
