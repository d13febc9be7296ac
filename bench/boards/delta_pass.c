/*
 * The contender to a full re-score: keep every score, add what one player's change is worth, and count anew. It reads a
 * multiplier (0, 2, 3 or 4 halves) and a score an entry instead of eleven indices, and writes the score back. An index that
 * has the multipliers of every player costs 2 bits a player and entry, 11 bytes an entry for 44 players, beside the rosters;
 * here it is a byte each and prepared for the one player that changes.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define DOMAIN 65536
#define SCORE_MIN (-32768)
#define BLOCK_ENTRIES 256
#define COUNT_WAYS 4

void bench_multipliers(const uint8_t *tiles, uint64_t entry_count, uint8_t player, uint8_t *halves);
void bench_delta_pass(const uint8_t *halves, uint64_t entry_count, int32_t half_qp, int16_t *scores,
                      uint32_t counts[DOMAIN][COUNT_WAYS]);

void bench_multipliers(const uint8_t *tiles, uint64_t entry_count, uint8_t player, uint8_t *halves) {
  for (uint64_t i = 0; i < entry_count; i++) {
    const uint8_t *at = tiles + i / 64 * (64 * 11) + i % 64;
    halves[i] = 0;
    for (int slot = 0; slot < 11; slot++) {
      if (at[slot * 64] == player) halves[i] = slot == 0 ? 4 : slot == 1 ? 3 : 2;
    }
  }
}

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
__attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))
#endif
static void add_block(const uint8_t *halves, int16_t half_qp, int16_t *scores) {
  for (int i = 0; i < BLOCK_ENTRIES; i++) scores[i] = (int16_t)(scores[i] + halves[i] * half_qp);
}

/* Counts as the kernel does, in four tables a score; the caller clears them. Whole blocks only. */
void bench_delta_pass(const uint8_t *halves, uint64_t entry_count, int32_t half_qp, int16_t *scores,
                      uint32_t counts[DOMAIN][COUNT_WAYS]) {
  for (uint64_t start = 0; start + BLOCK_ENTRIES <= entry_count; start += BLOCK_ENTRIES) {
    add_block(halves + start, (int16_t)half_qp, scores + start);
    for (uint64_t i = start; i < start + BLOCK_ENTRIES; i += 4) {
      uint64_t four;
      memcpy(&four, scores + i, sizeof four);
      four ^= UINT64_C(0x8000800080008000);
      counts[four & 0xffff][0]++;
      counts[four >> 16 & 0xffff][1]++;
      counts[four >> 32 & 0xffff][2]++;
      counts[four >> 48][3]++;
    }
  }
}
