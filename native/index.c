/*
 * The index of a match: joins what the log says (team saves, contest joins) into locked teams and the columns of each
 * contest. Reference and fallback: src/realtime/index/typescript.ts, whose results are the same to the byte.
 *
 * Teams lie in rows in the order of their first save; an open-addressing table finds a row by entry id. Random access to
 * ten million rows is bound by cache misses, so records go through in groups whose misses overlap. At the deadline rows are
 * sorted by id once, and since the entries of a contest are sorted too, their look-ups run through memory in order.
 *
 * Results: 0; INDEX_NO_MEMORY; INDEX_BAD_RECORD for an entry id that is no positive safe integer, after which the index is
 * of no use. One thread.
 */
/* For madvise, which C11 does not know. */
#define _DEFAULT_SOURCE
#include "kernel.h"

#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/mman.h>
#endif

#define INDEX_NO_MEMORY (-2)
#define INDEX_BAD_RECORD (-3)

/* src/stream/records.ts */
#define SAVE_BYTES 32
#define JOIN_BYTES 24

#define GROUP 16
#define TABLE_SIZE_MIN (1u << 12)
#define SAFE_INTEGER_MAX 9007199254740991.0
#define DIGIT_BITS 11
#define DIGITS (1u << DIGIT_BITS)
#define SMALL_SORT 48

typedef struct {
  uint64_t id;
  uint8_t roster[PP_ROSTER_SIZE];
  /* How long before the deadline it was saved, in ms; 34 years at most. */
  uint8_t before_ms[5];
} team_row;

_Static_assert(sizeof(team_row) == 24, "ten million rows are 240 MB");

typedef struct {
  uint32_t contest_id;
  uint32_t count, capacity;
  /* Entry ids as they came; `pp_index_build` leaves places of `team_ids` here instead, packed. */
  union {
    uint64_t *ids;
    uint32_t *places;
  };
} contest_entries;

typedef struct {
  uint32_t match_id;
  double deadline_ms;

  team_row *rows;
  uint32_t row_count, row_capacity;
  /* Row + 1, or 0. */
  uint32_t *table;
  uint32_t table_mask;

  contest_entries *contests;
  uint32_t contest_count, contest_capacity;
  /* Contest + 1, or 0. */
  uint32_t *contest_table;
  uint32_t contest_mask;

  /* Built: ascending. `team_ids` is one half of `sorted_keys`, `spare_keys`, as long, the other. */
  uint64_t *sorted_keys, *spare_keys;
  double *team_ids;
  uint8_t *rosters;
  uint32_t entries_without_team;
} roster_index;

roster_index *pp_index_create(uint32_t match_id, double deadline_ms);
void pp_index_free(roster_index *index);
int pp_index_add_saves(roster_index *index, const uint8_t *records, uint32_t count);
int pp_index_add_joins(roster_index *index, const uint8_t *records, uint32_t count);
int pp_index_build(roster_index *index);
uint32_t pp_index_team_count(const roster_index *index);
uint32_t pp_index_contest_count(const roster_index *index);
uint32_t pp_index_entries_without_team(const roster_index *index);
void pp_index_contests(const roster_index *index, uint32_t *contest_ids, uint32_t *entry_counts);
const void *pp_index_team_ids(const roster_index *index);
const void *pp_index_rosters(const roster_index *index);
void pp_index_take_contest(roster_index *index, uint32_t contest, double *entry_ids, uint8_t *tiles);

static inline uint32_t hash_of(uint64_t id) { return (uint32_t)((id * 0x9e3779b97f4a7c15ull) >> 32); }

static inline int is_entry_id(double id) { return id >= 1 && id <= SAFE_INTEGER_MAX && (double)(uint64_t)id == id; }

static inline double f64_at(const uint8_t *at) {
  double value;
  memcpy(&value, at, sizeof value);
  return value;
}

static inline uint32_t u32_at(const uint8_t *at) {
  uint32_t value;
  memcpy(&value, at, sizeof value);
  return value;
}

/* Random access to hundreds of megabytes in 4 KiB pages would miss the TLB each time. */
static void prefer_huge_pages(void *memory, size_t bytes) {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  const uintptr_t first = ((uintptr_t)memory + 4095) & ~(uintptr_t)4095;
  const uintptr_t end = ((uintptr_t)memory + bytes) & ~(uintptr_t)4095;
  if (bytes >= ((size_t)4 << 20)) madvise((void *)first, end - first, MADV_HUGEPAGE);
#else
  (void)memory;
  (void)bytes;
#endif
}

/* Room for one more element, doubled where it is full; 0 or INDEX_NO_MEMORY. */
static int reserve(void **memory, uint32_t *capacity, uint32_t count, uint32_t more, size_t element_bytes) {
  if ((uint64_t)count + more <= *capacity) return 0;
  uint64_t wanted = *capacity == 0 ? 64 : *capacity;
  while (wanted < (uint64_t)count + more) wanted *= 2;
  if (wanted > UINT32_MAX) return INDEX_NO_MEMORY;
  void *grown = realloc(*memory, wanted * element_bytes);
  if (grown == NULL) return INDEX_NO_MEMORY;
  prefer_huge_pages(grown, wanted * element_bytes);
  *memory = grown;
  *capacity = (uint32_t)wanted;
  return 0;
}

static void *big_array(size_t count, size_t element_bytes) {
  void *array = malloc(count * element_bytes);
  if (array != NULL) prefer_huge_pages(array, count * element_bytes);
  return array;
}

static uint32_t *zeroed_table(uint32_t size) {
  uint32_t *table = big_array(size, sizeof *table);
  if (table != NULL) memset(table, 0, (size_t)size * sizeof *table);
  return table;
}

roster_index *pp_index_create(uint32_t match_id, double deadline_ms) {
  roster_index *index = calloc(1, sizeof *index);
  if (index == NULL) return NULL;
  index->match_id = match_id;
  index->deadline_ms = deadline_ms;
  index->table = zeroed_table(TABLE_SIZE_MIN);
  index->table_mask = TABLE_SIZE_MIN - 1;
  index->contest_table = zeroed_table(TABLE_SIZE_MIN);
  index->contest_mask = TABLE_SIZE_MIN - 1;
  if (index->table == NULL || index->contest_table == NULL) {
    pp_index_free(index);
    return NULL;
  }
  return index;
}

void pp_index_free(roster_index *index) {
  if (index == NULL) return;
  for (uint32_t i = 0; i < index->contest_count; i++) free(index->contests[i].ids);
  free(index->contests);
  free(index->contest_table);
  free(index->rows);
  free(index->table);
  free(index->sorted_keys);
  free(index->rosters);
  free(index);
}

/* Room for `more` rows at a load of at most one half. */
static int reserve_rows(roster_index *index, uint32_t more) {
  if (reserve((void **)&index->rows, &index->row_capacity, index->row_count, more, sizeof *index->rows) != 0)
    return INDEX_NO_MEMORY;
  uint64_t size = (uint64_t)index->table_mask + 1;
  if (((uint64_t)index->row_count + more) * 2 <= size) return 0;
  while (((uint64_t)index->row_count + more) * 2 > size) size *= 2;
  if (size > (uint64_t)1 << 31) return INDEX_NO_MEMORY;
  uint32_t *table = zeroed_table((uint32_t)size);
  if (table == NULL) return INDEX_NO_MEMORY;
  const uint32_t mask = (uint32_t)size - 1;
  for (uint32_t row = 0; row < index->row_count; row++) {
    if (row + GROUP < index->row_count) __builtin_prefetch(&table[hash_of(index->rows[row + GROUP].id) & mask], 1);
    uint32_t slot = hash_of(index->rows[row].id) & mask;
    while (table[slot] != 0) slot = (slot + 1) & mask;
    table[slot] = row + 1;
  }
  free(index->table);
  index->table = table;
  index->table_mask = mask;
  return 0;
}

/* src/stream/records.ts: a save that waited in a spool goes by server time, any other by the log's order unless it is late. */
enum { LATE_MS = 100 };
static inline uint64_t margin_ms(const uint8_t *save) { return save[27] == 1 ? 0 : LATE_MS; }

static inline uint64_t before_deadline(const roster_index *index, const uint8_t *save) {
  const double ms = index->deadline_ms - f64_at(save + 8);
  return ms < 1099511627775.0 ? (uint64_t)ms : 1099511627775u;
}

/* The newest save of a team that came before the deadline: of one partition, records in their order. */
int pp_index_add_saves(roster_index *index, const uint8_t *records, uint32_t count) {
  const uint8_t *of_match[GROUP];
  uint32_t slots[GROUP];
  for (uint32_t next = 0; next < count;) {
    uint32_t taken = 0;
    for (; next < count && taken < GROUP; next++) {
      const uint8_t *record = records + (size_t)next * SAVE_BYTES;
      if (u32_at(record + 28) != index->match_id || !(f64_at(record + 8) < index->deadline_ms)) continue;
      if (!is_entry_id(f64_at(record))) return INDEX_BAD_RECORD;
      of_match[taken++] = record;
    }
    if (reserve_rows(index, taken) != 0) return INDEX_NO_MEMORY;
    for (uint32_t i = 0; i < taken; i++) {
      slots[i] = hash_of((uint64_t)f64_at(of_match[i])) & index->table_mask;
      __builtin_prefetch(&index->table[slots[i]], 1);
    }
    for (uint32_t i = 0; i < taken; i++) {
      const uint32_t row = index->table[slots[i]];
      if (row != 0) __builtin_prefetch(&index->rows[row - 1], 1);
    }
    for (uint32_t i = 0; i < taken; i++) {
      const uint64_t id = (uint64_t)f64_at(of_match[i]);
      uint32_t slot = slots[i];
      while (index->table[slot] != 0 && index->rows[index->table[slot] - 1].id != id) slot = (slot + 1) & index->table_mask;
      uint64_t before_ms = before_deadline(index, of_match[i]);
      team_row *row;
      if (index->table[slot] == 0) {
        row = &index->rows[index->row_count];
        row->id = id;
        index->table[slot] = ++index->row_count;
      } else {
        row = &index->rows[index->table[slot] - 1];
        uint64_t held_ms = 0;
        memcpy(&held_ms, row->before_ms, sizeof row->before_ms);
        if (before_ms > held_ms + margin_ms(of_match[i])) continue;
        if (held_ms < before_ms) before_ms = held_ms;
      }
      memcpy(row->roster, of_match[i] + 16, PP_ROSTER_SIZE);
      memcpy(row->before_ms, &before_ms, sizeof row->before_ms);
    }
  }
  return 0;
}

static contest_entries *contest_of(roster_index *index, uint32_t contest_id) {
  uint32_t slot = hash_of(contest_id) & index->contest_mask;
  while (index->contest_table[slot] != 0) {
    contest_entries *contest = &index->contests[index->contest_table[slot] - 1];
    if (contest->contest_id == contest_id) return contest;
    slot = (slot + 1) & index->contest_mask;
  }
  if (reserve((void **)&index->contests, &index->contest_capacity, index->contest_count, 1, sizeof *index->contests) != 0)
    return NULL;
  if (((uint64_t)index->contest_count + 1) * 2 > (uint64_t)index->contest_mask + 1) {
    const uint32_t mask = index->contest_mask * 2 + 1;
    uint32_t *table = zeroed_table(mask + 1);
    if (table == NULL) return NULL;
    for (uint32_t i = 0; i < index->contest_count; i++) {
      uint32_t at = hash_of(index->contests[i].contest_id) & mask;
      while (table[at] != 0) at = (at + 1) & mask;
      table[at] = i + 1;
    }
    free(index->contest_table);
    index->contest_table = table;
    index->contest_mask = mask;
    slot = hash_of(contest_id) & mask;
    while (table[slot] != 0) slot = (slot + 1) & mask;
  }
  contest_entries *added = &index->contests[index->contest_count++];
  *added = (contest_entries){.contest_id = contest_id};
  index->contest_table[slot] = index->contest_count;
  return added;
}

int pp_index_add_joins(roster_index *index, const uint8_t *records, uint32_t count) {
  for (uint32_t next = 0; next < count; next++) {
    const uint8_t *record = records + (size_t)next * JOIN_BYTES;
    if (u32_at(record + 4) != index->match_id || !(f64_at(record + 16) < index->deadline_ms)) continue;
    const double id = f64_at(record + 8);
    if (!is_entry_id(id)) return INDEX_BAD_RECORD;
    contest_entries *contest = contest_of(index, u32_at(record));
    if (contest == NULL) return INDEX_NO_MEMORY;
    if (reserve((void **)&contest->ids, &contest->capacity, contest->count, 1, sizeof *contest->ids) != 0)
      return INDEX_NO_MEMORY;
    contest->ids[contest->count++] = (uint64_t)id;
  }
  return 0;
}

static int digit_count(uint64_t max) {
  int digits = 1;
  while (max >>= DIGIT_BITS) digits++;
  return digits;
}

/*
 * Least significant digit first. `keys` and, if not NULL, what travels with them; both with as much room again in `spare_…`.
 * Returns whether the result lies in the spare arrays.
 */
static int radix_sort(uint64_t *keys, uint32_t *carried, uint64_t *spare_keys, uint32_t *spare_carried, uint32_t count,
                      uint64_t max) {
  const int digits = digit_count(max);
  for (int digit = 0; digit < digits; digit++) {
    const int shift = digit * DIGIT_BITS;
    uint32_t starts[DIGITS] = {0};
    for (uint32_t i = 0; i < count; i++) starts[keys[i] >> shift & (DIGITS - 1)]++;
    uint32_t start = 0;
    for (uint32_t d = 0; d < DIGITS; d++) {
      const uint32_t here = starts[d];
      starts[d] = start;
      start += here;
    }
    for (uint32_t i = 0; i < count; i++) {
      const uint32_t to = starts[keys[i] >> shift & (DIGITS - 1)]++;
      spare_keys[to] = keys[i];
      if (carried != NULL) spare_carried[to] = carried[i];
    }
    uint64_t *const other_keys = keys;
    keys = spare_keys;
    spare_keys = other_keys;
    uint32_t *const other_carried = carried;
    carried = spare_carried;
    spare_carried = other_carried;
  }
  return digits % 2;
}

/*
 * Turns rows into `team_ids` and `rosters`, ascending by id; rows and table are given back. Memory that is touched for the
 * first time costs more than sorting it, so the sorted keys become the ids where they lie.
 */
static int sort_teams(roster_index *index) {
  const uint32_t count = index->row_count;
  const size_t room = count == 0 ? 1 : count;
  uint64_t *keys = big_array(2 * room, sizeof *keys);
  uint32_t *order = big_array(2 * room, sizeof *order);
  index->rosters = big_array(room, PP_ROSTER_SIZE);
  index->sorted_keys = keys;
  if (keys == NULL || order == NULL || index->rosters == NULL) {
    free(order);
    return INDEX_NO_MEMORY;
  }
  uint64_t max = 0;
  for (uint32_t row = 0; row < count; row++) {
    keys[row] = index->rows[row].id;
    order[row] = row;
    if (keys[row] > max) max = keys[row];
  }
  const size_t half = radix_sort(keys, order, keys + room, order + room, count, max) ? room : 0;
  const uint32_t *sorted = order + half;
  index->team_ids = (double *)(keys + half);
  index->spare_keys = keys + (room - half);
  for (uint32_t i = 0; i < count; i++) {
    if (i + GROUP < count) __builtin_prefetch(&index->rows[sorted[i + GROUP]]);
    const team_row *row = &index->rows[sorted[i]];
    const double id = (double)row->id;
    memcpy(&index->team_ids[i], &id, sizeof id);
    memcpy(index->rosters + (size_t)i * PP_ROSTER_SIZE, row->roster, PP_ROSTER_SIZE);
  }
  free(order);
  free(index->rows);
  free(index->table);
  index->rows = NULL;
  index->table = NULL;
  return 0;
}

/* Where the teams of each range of ids begin, a few teams a range, so that a look-up touches two places. */
typedef struct {
  uint32_t *starts;
  uint32_t range_count;
  int shift;
} directory;

static int open_directory(directory *d, const double *team_ids, uint32_t count) {
  const uint64_t max = count == 0 ? 0 : (uint64_t)team_ids[count - 1];
  d->shift = 0;
  while ((max >> d->shift) > (uint64_t)count / 4 + 1) d->shift++;
  d->range_count = (uint32_t)(max >> d->shift) + 1;
  d->starts = big_array((size_t)d->range_count + 1, sizeof *d->starts);
  if (d->starts == NULL) return INDEX_NO_MEMORY;
  uint32_t place = 0;
  for (uint32_t range = 0; range < d->range_count; range++) {
    d->starts[range] = place;
    while (place < count && (uint64_t)team_ids[place] >> d->shift == range) place++;
  }
  d->starts[d->range_count] = count;
  return 0;
}

static uint32_t place_of(const directory *d, const double *team_ids, uint64_t id) {
  const uint64_t range = id >> d->shift;
  if (range >= d->range_count) return UINT32_MAX;
  uint32_t low = d->starts[range], high = d->starts[range + 1];
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    if (team_ids[middle] < (double)id) low = middle + 1;
    else high = middle;
  }
  return low < d->starts[range + 1] && team_ids[low] == (double)id ? low : UINT32_MAX;
}

/* Sorts the entries of a contest, drops repeats and entries without a team. `scratch` has room for `count` ids. */
static void place_entries(roster_index *index, const directory *d, contest_entries *contest, uint64_t *scratch) {
  const uint32_t count = contest->count;
  const uint64_t *sorted = contest->ids;
  if (count <= SMALL_SORT) {
    uint64_t *ids = contest->ids;
    for (uint32_t i = 1; i < count; i++) {
      const uint64_t id = ids[i];
      uint32_t j = i;
      for (; j > 0 && ids[j - 1] > id; j--) ids[j] = ids[j - 1];
      ids[j] = id;
    }
  } else {
    uint64_t max = 0;
    for (uint32_t i = 0; i < count; i++) max = sorted[i] > max ? sorted[i] : max;
    if (radix_sort(contest->ids, NULL, scratch, NULL, count, max)) sorted = scratch;
  }
  uint32_t kept = 0;
  uint64_t previous = 0;
  for (uint32_t i = 0; i < count; i++) {
    if (i + GROUP < count && sorted[i + GROUP] >> d->shift < d->range_count)
      __builtin_prefetch(&d->starts[sorted[i + GROUP] >> d->shift]);
    const uint64_t id = sorted[i];
    if (id == previous) continue;
    previous = id;
    const uint32_t place = place_of(d, index->team_ids, id);
    if (place == UINT32_MAX) index->entries_without_team++;
    /* A place is half as long as the id that it replaces, so it never overtakes the reading. */
    else contest->places[kept++] = place;
  }
  contest->count = kept;
}

static int by_contest_id(const void *a, const void *b) {
  const uint32_t x = ((const contest_entries *)a)->contest_id, y = ((const contest_entries *)b)->contest_id;
  return (x > y) - (x < y);
}

/* Once, when all records are in. Afterwards contests without entries are gone and the others ascend by id. */
int pp_index_build(roster_index *index) {
  directory d = {0};
  uint32_t longest = 0;
  for (uint32_t i = 0; i < index->contest_count; i++) {
    if (index->contests[i].count > longest) longest = index->contests[i].count;
  }
  if (sort_teams(index) != 0 || open_directory(&d, index->team_ids, index->row_count) != 0) return INDEX_NO_MEMORY;
  /* More entries than teams only where the log repeats itself. */
  uint64_t *longer = longest > index->row_count ? big_array(longest, sizeof *longer) : NULL;
  if (longest > index->row_count && longer == NULL) {
    free(d.starts);
    return INDEX_NO_MEMORY;
  }
  uint64_t *scratch = longer != NULL ? longer : index->spare_keys;
  uint32_t kept = 0;
  for (uint32_t i = 0; i < index->contest_count; i++) {
    place_entries(index, &d, &index->contests[i], scratch);
    if (index->contests[i].count == 0) free(index->contests[i].places);
    else index->contests[kept++] = index->contests[i];
  }
  free(longer);
  free(d.starts);
  index->contest_count = kept;
  if (kept > 0) qsort(index->contests, kept, sizeof *index->contests, by_contest_id);
  return 0;
}

uint32_t pp_index_team_count(const roster_index *index) { return index->row_count; }
uint32_t pp_index_contest_count(const roster_index *index) { return index->contest_count; }
uint32_t pp_index_entries_without_team(const roster_index *index) { return index->entries_without_team; }
const void *pp_index_team_ids(const roster_index *index) { return index->team_ids; }
const void *pp_index_rosters(const roster_index *index) { return index->rosters; }

void pp_index_contests(const roster_index *index, uint32_t *contest_ids, uint32_t *entry_counts) {
  for (uint32_t i = 0; i < index->contest_count; i++) {
    contest_ids[i] = index->contests[i].contest_id;
    entry_counts[i] = index->contests[i].count;
  }
}

/* Writes the columns of a contest into the caller's buffers, whose tiles are all zero, and gives its memory back. */
void pp_index_take_contest(roster_index *index, uint32_t which, double *entry_ids, uint8_t *tiles) {
  contest_entries *contest = &index->contests[which];
  for (uint32_t i = 0; i < contest->count; i++) {
    if (i + GROUP < contest->count) {
      __builtin_prefetch(index->rosters + (size_t)contest->places[i + GROUP] * PP_ROSTER_SIZE);
      __builtin_prefetch(&index->team_ids[contest->places[i + GROUP]]);
    }
    const uint32_t place = contest->places[i];
    const uint8_t *roster = index->rosters + (size_t)place * PP_ROSTER_SIZE;
    uint8_t *lane = tiles + (size_t)(i / PP_TILE_ENTRIES) * PP_TILE_BYTES + i % PP_TILE_ENTRIES;
    entry_ids[i] = index->team_ids[place];
    for (int slot = 0; slot < PP_ROSTER_SIZE; slot++) lane[slot * PP_TILE_ENTRIES] = roster[slot];
  }
  free(contest->places);
  contest->places = NULL;
  contest->count = 0;
}
