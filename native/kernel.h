/*
 * The board kernel: streams packed rosters and turns one points vector into exact standings.
 *
 * Rosters come in tiles. A tile is 64 entries as 11 columns of 64 bytes (captain, vice-captain, the nine others), each byte a
 * pool index 0..63; 704 bytes, so a contest is one sequential stream and the roster of entry i is at tile i / 64, lane i % 64.
 * A contest of n entries owns ceil(n / 64) whole tiles; the bytes of the unused lanes are 0.
 *
 * Scores are int16 quarter-points. Every product and sum is taken modulo 2^16, so all versions agree bit for bit on any
 * input; the result is the true score when 2*a1 + 1.5*a2 + a3 + ... + a11 <= 32767 for the eleven largest |points| a1 >= a2
 * >= ... (the TypeScript side refuses a vector beyond that). A player's points are even, so 1.5x is exact.
 *
 * Every buffer belongs to the caller. Names say operation, type and instruction set; the serial version is the reference.
 */
#ifndef POWERPLAY_KERNEL_H
#define POWERPLAY_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#define PP_POOL_SIZE 64
#define PP_ROSTER_SIZE 11
#define PP_TILE_ENTRIES 64
#define PP_TILE_BYTES (PP_TILE_ENTRIES * PP_ROSTER_SIZE)
/* Entries that a select scores at a time: 4 KiB of scores and 22 KiB of rosters stay in a 32 KiB L1 cache. */
#define PP_BLOCK_ENTRIES 2048
#define PP_TOP_MAX 100

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
#define PP_X86 1
#endif
#if defined(__aarch64__) && (defined(__GNUC__) || defined(__clang__))
#define PP_ARM64 1
#endif

/* One points vector, prepared once a pass: [0] captain x2, [1] vice-captain x1.5, [2] all others x1. */
typedef struct {
  int16_t weighted[3][PP_POOL_SIZE];
  uint8_t low[3][PP_POOL_SIZE];
  uint8_t high[3][PP_POOL_SIZE];
  /* How many sixteens of pool indices hold any points; a byte shuffle needs to look no further. */
  int sixteens;
} pp_table;

typedef struct {
  int16_t min, max;
} pp_extremes;

typedef struct {
  const char *name;
  /* Scores `tile_count` whole tiles, in entry order. Returns their lowest and highest score, unused lanes included. */
  pp_extremes (*score_tiles)(const uint8_t *tiles, size_t tile_count, const pp_table *table, int16_t *scores);
  /* Writes the ascending indices of scores in [min, max]; `indices` has room for `count` <= 65536. Returns how many. */
  size_t (*find_range)(const int16_t *scores, size_t count, int16_t min, int16_t max, uint16_t *indices);
} pp_isa;

extern const pp_isa pp_isa_serial;
#ifdef PP_X86
extern const pp_isa pp_isa_avx2;
extern const pp_isa pp_isa_avx512vbmi;
#endif
#ifdef PP_ARM64
extern const pp_isa pp_isa_neon;
#endif

/*
 * `which`: 0 serial; on x86-64 1 AVX2, 2 AVX-512 BW + VBMI; on arm64, all of which have it, 1 NEON. Returns NULL where this
 * machine cannot run it.
 */
const pp_isa *pp_isa_get(int which);

void pp_table_prepare(pp_table *table, const int16_t points[PP_POOL_SIZE]);

static inline size_t pp_tile_count(size_t entry_count) { return (entry_count + PP_TILE_ENTRIES - 1) / PP_TILE_ENTRIES; }

#endif
