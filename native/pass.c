/*
 * One pass: every contest of a board re-scored from one points vector, by all threads, into standings.
 *
 * A standing is written to its slot of the caller's arena:
 *   0 u32 entry count     4 u32 top count      8 i16 min score   10 i16 max score
 *  12 u32 form           16 u32 window length  20 zero to 32
 *  32 f64 top entry ids[top capacity], i16 top scores[top capacity], then, at the next multiple of 8, the window:
 *     form 1, dense:  u32 above[max - min + 1], above[s - min] = how many entries score more than s
 *     form 0, sorted: i16 scores[entry count], descending; for contests with fewer entries than a dense window has bytes
 * top capacity = min(100, entry count). The window takes at most min(2 * entry count, 4 * 65536) bytes, rounded up to 8.
 * Top entries go by score descending, then position ascending; positions are in entry id order.
 */
/* For SCHED_IDLE. */
#define _GNU_SOURCE
#include "kernel.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define DOMAIN 65536
#define SCORE_MIN (-32768)
/* Contests beyond this size are split over the threads, in chunks of this size. */
#define CHUNK_ENTRIES (240 * 1024)
/*
 * Scored, then counted, at a time. Counting (one store an entry) takes longer than scoring and touches no new memory, so the
 * prefetches are spread over it; PREFETCH_TILES ahead, the next block has arrived when its turn comes. Larger blocks leave the
 * memory idle while they score (2048: 15 % slower), one tile alone waits for its own stores (50 % slower).
 */
#define BLOCK_ENTRIES 256
#define PREFETCH_TILES 16
/*
 * Neighbouring entries count in tables of their own: equal scores in a row, as in the first overs, need not wait for each
 * other. 16 bits each, for the four of every score in use must stay in an L1 cache; a chunk cannot overflow them.
 */
#define COUNT_WAYS 4
/* Up to here entries are sorted one by one; walking the range of their scores, mostly empty, would take longer. */
#define SMALL_ENTRIES 128
#define CANDIDATES_KEPT 512
#define THREADS_MAX 256
#define FORM_SORTED 0
#define FORM_DENSE 1

typedef struct {
  uint64_t tiles;
  uint64_t entry_ids;
  uint64_t slot_offset;
  uint32_t entry_count;
  uint32_t reserved;
} pp_contest;

typedef struct {
  uint32_t entry_count, top_count;
  int16_t min, max;
  uint32_t form, window_length, reserved[3];
} pp_slot;

_Static_assert(sizeof(pp_contest) == 32, "the binding packs contests in 32 bytes");
_Static_assert(sizeof(pp_slot) == 32, "the reader expects a 32-byte slot header");
_Static_assert(CHUNK_ENTRIES % BLOCK_ENTRIES == 0, "chunks are whole blocks");
_Static_assert(CHUNK_ENTRIES / COUNT_WAYS + PP_TILE_ENTRIES <= UINT16_MAX, "a count holds a chunk of equal scores");

/* The best entries so far: score inverted in the upper half, position in the lower, so ascending keys are the order. */
typedef struct {
  uint64_t keys[PP_TOP_MAX];
  uint32_t count;
} top_list;

/* A contest that several threads work on. Its counts add up in its own slot. */
typedef struct {
  pthread_mutex_t mutex;
  uint32_t chunks_left;
  int started;
  int min, max;
  top_list top;
} split_contest;

typedef struct {
  const pp_isa *isa;
  pp_table table;
  const pp_contest *contests;
  size_t contest_count;
  uint8_t *arena;
  split_contest *splits;
  size_t split_count;
  size_t *first_task;
  /* No score of this vector lies outside; the whole domain where sums may wrap. */
  int bound_min, bound_max;
  _Atomic size_t next_task;
} pass;

/* One thread's own working memory; the counts are all zero between two runs of entries. */
typedef struct {
  /* By score - SCORE_MIN; the ways of a score share a cache line. */
  uint16_t (*counts)[COUNT_WAYS];
  int16_t scores[BLOCK_ENTRIES];
  uint16_t indices[BLOCK_ENTRIES];
  /*
   * Entries that may be among the best, in position order: all that score more than `limit`, `above_limit` of them so far,
   * and, once the limit is above `floor`, as many at the limit as the best hundred have room for. Nothing up to the floor.
   */
  uint64_t candidates[CANDIDATES_KEPT + BLOCK_ENTRIES];
  uint32_t candidate_count;
  int floor, limit;
  uint32_t above_limit;
  /* Places in the order of the best, by score - SCORE_MIN. */
  uint32_t *places;
  /* Of the run so far. */
  int min, max;
} scratch;

int pp_rescore(int which, int threads, const int16_t *points, const pp_contest *contests, uint32_t contest_count,
               uint8_t *arena);

static inline uint64_t top_key(int score, uint32_t position) { return (uint64_t)(uint32_t)(32767 - score) << 32 | position; }
static inline int score_of_key(uint64_t key) { return 32767 - (int)(key >> 32); }

static inline uint32_t count_at(const scratch *s, int score) {
  const uint16_t *ways = s->counts[score - SCORE_MIN];
  return (uint32_t)ways[0] + ways[1] + ways[2] + ways[3];
}

/* Collects what scores more than the limit, and raises the limit while a hundred entries beat it: later ties lose. */
static void collect_best(const pass *p, scratch *s, uint32_t count, uint32_t first) {
  const size_t found = p->isa->find_range(s->scores, count, (int16_t)(s->limit + 1), 32767, s->indices);
  for (size_t i = 0; i < found; i++) {
    s->candidates[s->candidate_count++] = top_key(s->scores[s->indices[i]], first + s->indices[i]);
  }
  s->above_limit += (uint32_t)found;
  while (s->above_limit >= PP_TOP_MAX) s->above_limit -= count_at(s, ++s->limit);
  if (s->candidate_count <= CANDIDATES_KEPT) return;
  uint32_t kept = 0, ties = PP_TOP_MAX - s->above_limit;
  for (uint32_t i = 0; i < s->candidate_count; i++) {
    const int score = score_of_key(s->candidates[i]);
    if (score < s->limit || (score == s->limit && ties == 0)) continue;
    ties -= score == s->limit;
    s->candidates[kept++] = s->candidates[i];
  }
  s->candidate_count = kept;
}

/* Puts the best hundred in order: the counts say at which place each score begins. */
static void sort_best(scratch *s, top_list *best) {
  const int lowest = s->limit > s->floor ? s->limit : s->floor + 1;
  uint32_t next = 0, *places = s->places - SCORE_MIN;
  for (int score = s->max; score >= lowest; score--) {
    places[score] = next;
    next += count_at(s, score);
  }
  for (uint32_t i = 0; i < s->candidate_count; i++) {
    const int score = score_of_key(s->candidates[i]);
    if (score < lowest) continue;
    const uint32_t place = places[score]++;
    if (place < PP_TOP_MAX) best->keys[place] = s->candidates[i];
  }
  best->count = next < PP_TOP_MAX ? next : PP_TOP_MAX;
}

/* `tiles` are those of the block; the ones behind them are fetched meanwhile. */
static void count_block(scratch *s, uint32_t count, const uint8_t *tiles) {
  uint16_t(*counts)[COUNT_WAYS] = s->counts;
  const uint8_t *ahead = tiles + PREFETCH_TILES * PP_TILE_BYTES;
  uint32_t i = 0;
  for (; i + PP_TILE_ENTRIES <= count; i += PP_TILE_ENTRIES, ahead += PP_TILE_BYTES) {
    for (int line = 0; line < PP_ROSTER_SIZE; line++) __builtin_prefetch(ahead + line * 64);
    for (uint32_t j = i; j < i + PP_TILE_ENTRIES; j += 4) {
      /* Four scores a load; flipping the sign bit is adding 32768. */
      uint64_t four;
      memcpy(&four, s->scores + j, sizeof four);
      four ^= UINT64_C(0x8000800080008000);
      counts[four & 0xffff][0]++;
      counts[four >> 16 & 0xffff][1]++;
      counts[four >> 32 & 0xffff][2]++;
      counts[four >> 48][3]++;
    }
  }
  for (; i < count; i++) counts[s->scores[i] - SCORE_MIN][0]++;
}

/* Scores one block. The unused lanes of a last tile score too, but do not count. */
static pp_extremes score_block(const pass *p, scratch *s, uint32_t count, const uint8_t *tiles) {
  const uint32_t whole = count / PP_TILE_ENTRIES * PP_TILE_ENTRIES;
  pp_extremes block = p->isa->score_tiles(tiles, pp_tile_count(whole), &p->table, s->scores);
  if (whole < count) {
    p->isa->score_tiles(tiles + pp_tile_count(whole) * PP_TILE_BYTES, 1, &p->table, s->scores + whole);
    for (uint32_t i = whole; i < count; i++) {
      block.min = s->scores[i] < block.min ? s->scores[i] : block.min;
      block.max = s->scores[i] > block.max ? s->scores[i] : block.max;
    }
  }
  s->min = block.min < s->min ? block.min : s->min;
  s->max = block.max > s->max ? block.max : s->max;
  return block;
}

/*
 * Scores, counts and collects the best of one run of entries; none that scores `floor` or less is wanted. Leaves counts and
 * extremes in `s`.
 */
static void scan_run(const pass *p, scratch *s, const uint8_t *tiles, uint32_t first, uint32_t count, int floor,
                     top_list *best) {
  const uint8_t *at = tiles + (size_t)first / PP_TILE_ENTRIES * PP_TILE_BYTES;
  s->min = 32767;
  s->max = SCORE_MIN;
  s->candidate_count = 0;
  s->floor = floor;
  s->above_limit = 0;
  for (uint32_t start = 0; start < count; start += BLOCK_ENTRIES) {
    const uint32_t length = count - start < BLOCK_ENTRIES ? count - start : BLOCK_ENTRIES;
    const pp_extremes block = score_block(p, s, length, at);
    count_block(s, length, at);
    at += (size_t)BLOCK_ENTRIES / PP_TILE_ENTRIES * PP_TILE_BYTES;
    /* The limit rises score by score, so it starts where there are any. */
    if (start == 0) s->limit = floor > block.min - 1 ? floor : block.min - 1;
    if (block.max > s->limit) collect_best(p, s, length, first + start);
  }
  sort_best(s, best);
}

static inline size_t window_offset(uint32_t entry_count) {
  const size_t top_capacity = entry_count < PP_TOP_MAX ? entry_count : PP_TOP_MAX;
  return (sizeof(pp_slot) + top_capacity * 10 + 7) & ~(size_t)7;
}

static void write_top(uint8_t *slot, const pp_contest *contest, const uint64_t *keys, uint32_t count) {
  const size_t top_capacity = contest->entry_count < PP_TOP_MAX ? contest->entry_count : PP_TOP_MAX;
  const double *ids = (const double *)(uintptr_t)contest->entry_ids;
  double *top_ids = (double *)(slot + sizeof(pp_slot));
  int16_t *top_scores = (int16_t *)(top_ids + top_capacity);
  for (uint32_t i = 0; i < count; i++) {
    top_ids[i] = ids[(uint32_t)keys[i]];
    top_scores[i] = (int16_t)score_of_key(keys[i]);
  }
  ((pp_slot *)slot)->top_count = count;
}

static void write_header(uint8_t *slot, uint32_t entry_count, int min, int max, uint32_t form, uint32_t window_length) {
  pp_slot *header = (pp_slot *)slot;
  memset(header, 0, sizeof *header);
  header->entry_count = entry_count;
  header->min = (int16_t)min;
  header->max = (int16_t)max;
  header->form = form;
  header->window_length = window_length;
}

/* Counts[0 .. length) of scores min upward become "how many score more", in place. */
static void counts_to_above(uint32_t *counts, uint32_t length) {
  uint32_t above = 0;
  for (uint32_t i = length; i-- > 0;) {
    const uint32_t here = counts[i];
    counts[i] = above;
    above += here;
  }
}

static void clear_counts(scratch *s) {
  memset(s->counts[s->min - SCORE_MIN], 0, (size_t)(s->max - s->min + 1) * sizeof *s->counts);
}

static int write_whole_header(uint8_t *slot, uint32_t entry_count, int min, int max) {
  const uint32_t length = (uint32_t)(max - min + 1);
  const int dense = (uint64_t)entry_count * 2 > (uint64_t)length * 4;
  write_header(slot, entry_count, min, max, dense ? FORM_DENSE : FORM_SORTED, dense ? length : entry_count);
  return dense;
}

static void rank_small(const pass *p, scratch *s, const pp_contest *contest) {
  const uint32_t count = contest->entry_count;
  uint8_t *slot = p->arena + contest->slot_offset;
  uint64_t keys[SMALL_ENTRIES];
  p->isa->score_tiles((const uint8_t *)(uintptr_t)contest->tiles, pp_tile_count(count), &p->table, s->scores);
  for (uint32_t i = 0; i < count; i++) {
    const uint64_t key = top_key(s->scores[i], i);
    uint32_t place = i;
    for (; place > 0 && keys[place - 1] > key; place--) keys[place] = keys[place - 1];
    keys[place] = key;
  }
  const int max = score_of_key(keys[0]), min = score_of_key(keys[count - 1]);
  if (write_whole_header(slot, count, min, max)) {
    uint32_t *above = (uint32_t *)(slot + window_offset(count)), better = 0;
    for (int score = max; score >= min; score--) {
      above[score - min] = better;
      while (better < count && score_of_key(keys[better]) == score) better++;
    }
  } else {
    int16_t *sorted = (int16_t *)(slot + window_offset(count));
    for (uint32_t i = 0; i < count; i++) sorted[i] = (int16_t)score_of_key(keys[i]);
  }
  write_top(slot, contest, keys, count < PP_TOP_MAX ? count : PP_TOP_MAX);
}

/* Writes every score as often as it was counted, the highest first. */
static void write_sorted(const scratch *s, uint32_t entry_count, int16_t *sorted) {
  const int16_t *end = sorted + entry_count;
  for (int score = s->max; score >= s->min; score--) {
    uint32_t n = count_at(s, score);
    /* Mostly four at a time are enough, and no branch has to guess how many. */
    if (n <= 4 && end - sorted >= 4) {
      for (int i = 0; i < 4; i++) sorted[i] = (int16_t)score;
      sorted += n;
      continue;
    }
    for (; n > 0; n--) *sorted++ = (int16_t)score;
  }
}

static void rank_whole(const pass *p, scratch *s, const pp_contest *contest) {
  uint8_t *slot = p->arena + contest->slot_offset;
  top_list best;
  scan_run(p, s, (const uint8_t *)(uintptr_t)contest->tiles, 0, contest->entry_count, SCORE_MIN - 1, &best);
  if (write_whole_header(slot, contest->entry_count, s->min, s->max)) {
    uint32_t *above = (uint32_t *)(slot + window_offset(contest->entry_count));
    const uint32_t length = (uint32_t)(s->max - s->min + 1);
    for (uint32_t i = 0; i < length; i++) above[i] = count_at(s, s->min + (int)i);
    counts_to_above(above, length);
  } else {
    write_sorted(s, contest->entry_count, (int16_t *)(slot + window_offset(contest->entry_count)));
  }
  clear_counts(s);
  write_top(slot, contest, best.keys, best.count);
}

static void merge_top(top_list *top, const top_list *more) {
  top_list merged = {.count = 0};
  uint32_t a = 0, b = 0;
  while (merged.count < PP_TOP_MAX && (a < top->count || b < more->count)) {
    const int first = b == more->count || (a < top->count && top->keys[a] < more->keys[b]);
    merged.keys[merged.count++] = first ? top->keys[a++] : more->keys[b++];
  }
  *top = merged;
}

static void rank_chunk(const pass *p, scratch *s, const pp_contest *contest, split_contest *split, size_t chunk) {
  const uint32_t first = (uint32_t)(chunk * CHUNK_ENTRIES);
  const uint32_t left = contest->entry_count - first;
  uint8_t *slot = p->arena + contest->slot_offset;
  /* Indexed by score - bound_min until the last chunk is in. */
  uint32_t *counts = (uint32_t *)(slot + window_offset(contest->entry_count));
  /* What the best of other chunks beat is not collected again. Ties are: chunks do not end in order. */
  pthread_mutex_lock(&split->mutex);
  const int worst = split->top.count == PP_TOP_MAX ? score_of_key(split->top.keys[PP_TOP_MAX - 1]) : SCORE_MIN;
  pthread_mutex_unlock(&split->mutex);
  top_list best;
  scan_run(p, s, (const uint8_t *)(uintptr_t)contest->tiles, first, left < CHUNK_ENTRIES ? left : CHUNK_ENTRIES, worst - 1,
           &best);

  pthread_mutex_lock(&split->mutex);
  if (!split->started) {
    split->started = 1;
    memset(counts, 0, (size_t)(p->bound_max - p->bound_min + 1) * sizeof *counts);
  }
  for (int score = s->min; score <= s->max; score++) counts[score - p->bound_min] += count_at(s, score);
  if (s->min < split->min) split->min = s->min;
  if (s->max > split->max) split->max = s->max;
  merge_top(&split->top, &best);
  if (--split->chunks_left == 0) {
    const uint32_t length = (uint32_t)(split->max - split->min + 1);
    memmove(counts, counts + (split->min - p->bound_min), (size_t)length * sizeof *counts);
    counts_to_above(counts, length);
    write_header(slot, contest->entry_count, split->min, split->max, FORM_DENSE, length);
    write_top(slot, contest, split->top.keys, split->top.count);
  }
  pthread_mutex_unlock(&split->mutex);
  clear_counts(s);
}

static inline size_t chunk_count(const pp_contest *contest) {
  return contest->entry_count <= CHUNK_ENTRIES ? 1 : ((size_t)contest->entry_count + CHUNK_ENTRIES - 1) / CHUNK_ENTRIES;
}

static void *run_tasks(void *argument) {
  pass *p = argument;
  scratch *s = malloc(sizeof *s);
  uint16_t(*counts)[COUNT_WAYS] = calloc(DOMAIN, sizeof *counts);
  uint32_t *places = malloc(DOMAIN * sizeof *places);
  if (s == NULL || counts == NULL || places == NULL) {
    /* The other threads take the tasks; the pass fails only if no thread could start. */
    free(s);
    free(counts);
    free(places);
    return NULL;
  }
  s->counts = counts;
  s->places = places;
  const size_t task_count = p->first_task[p->contest_count];
  size_t contest = 0, split = 0;
  for (;;) {
    const size_t task = atomic_fetch_add(&p->next_task, 1);
    if (task >= task_count) break;
    /* Tasks only ever grow, so each thread walks the contests once. */
    while (task >= p->first_task[contest + 1]) split += p->contests[contest++].entry_count > CHUNK_ENTRIES;
    if (p->contests[contest].entry_count > CHUNK_ENTRIES) {
      rank_chunk(p, s, &p->contests[contest], &p->splits[split], task - p->first_task[contest]);
    } else if (p->contests[contest].entry_count <= SMALL_ENTRIES) {
      rank_small(p, s, &p->contests[contest]);
    } else {
      rank_whole(p, s, &p->contests[contest]);
    }
  }
  free(places);
  free(counts);
  free(s);
  return p;
}

/*
 * Helpers take what nobody else wants of their cores, so that a thread that wakes up, above all the node's event loop, runs at
 * once; otherwise it waits for the end of a time slice, 2 ms and more in every hundredth case. The calling thread keeps its
 * own priority: on a busy machine the pass goes on.
 */
#ifdef SCHED_IDLE
static int set_policy(pthread_t thread, int policy) {
  const struct sched_param none = {0};
  return pthread_setschedparam(thread, policy, &none);
}

static void *try_policies(void *argument) {
  int *reversible = argument;
  *reversible = set_policy(pthread_self(), SCHED_IDLE) == 0 && set_policy(pthread_self(), SCHED_OTHER) == 0;
  return NULL;
}

/*
 * Without CAP_SYS_NICE a thread can't come back from SCHED_IDLE, and helpers then stay what they are: on a saturated machine
 * the last chunk of a pass could wait for ever. Tried once, on a thread of no importance.
 */
static pthread_once_t policies_tried = PTHREAD_ONCE_INIT;
static int may_idle;

static void find_policies(void) {
  pthread_t tester;
  if (pthread_create(&tester, NULL, try_policies, &may_idle) == 0) pthread_join(tester, NULL);
}
#endif

static void *help(void *argument) {
#ifdef SCHED_IDLE
  pthread_once(&policies_tried, find_policies);
  if (may_idle) set_policy(pthread_self(), SCHED_IDLE);
#endif
  return run_tasks(argument);
}

/* Nothing is left but what a helper has begun, and that must not wait for an idle core. */
static void hurry(pthread_t helper) {
#ifdef SCHED_IDLE
  if (may_idle) set_policy(helper, SCHED_OTHER);
#else
  (void)helper;
#endif
}

static void set_bounds(pass *p, const int16_t *points) {
  int min = 0, max = 0;
  for (int i = 0; i < PP_POOL_SIZE; i++) {
    if (points[i] < min) min = points[i];
    if (points[i] > max) max = points[i];
  }
  /* 2 + 1.5 + 9 times the extreme, rounded away from zero. */
  min = (25 * min - 1) / 2;
  max = (25 * max + 1) / 2;
  const int wraps = min < SCORE_MIN || max > 32767;
  p->bound_min = wraps ? SCORE_MIN : min;
  p->bound_max = wraps ? 32767 : max;
}

/* Returns 0; -1 for an unknown version; -2 when out of memory, in which case the arena holds nothing of use. */
int pp_rescore(int which, int threads, const int16_t *points, const pp_contest *contests, uint32_t contest_count,
               uint8_t *arena) {
  pass p = {.isa = pp_isa_get(which), .contests = contests, .contest_count = contest_count, .arena = arena};
  if (p.isa == NULL) return -1;
  pp_table_prepare(&p.table, points);
  set_bounds(&p, points);

  p.first_task = malloc((contest_count + (size_t)1) * sizeof *p.first_task);
  if (p.first_task == NULL) return -2;
  size_t tasks = 0;
  for (uint32_t i = 0; i < contest_count; i++) {
    p.first_task[i] = tasks;
    tasks += chunk_count(&contests[i]);
    p.split_count += contests[i].entry_count > CHUNK_ENTRIES;
  }
  p.first_task[contest_count] = tasks;
  p.splits = calloc(p.split_count + 1, sizeof *p.splits);
  if (p.splits == NULL) {
    free(p.first_task);
    return -2;
  }
  for (uint32_t i = 0, split = 0; i < contest_count; i++) {
    if (contests[i].entry_count <= CHUNK_ENTRIES) continue;
    pthread_mutex_init(&p.splits[split].mutex, NULL);
    p.splits[split].chunks_left = (uint32_t)chunk_count(&contests[i]);
    p.splits[split].min = 32767;
    p.splits[split].max = SCORE_MIN;
    split++;
  }

  pthread_t others[THREADS_MAX];
  int started = 0;
  if (threads > THREADS_MAX) threads = THREADS_MAX;
  while (started < threads - 1 && (size_t)started + 1 < tasks) {
    if (pthread_create(&others[started], NULL, help, &p) != 0) break;
    started++;
  }
  int worked = run_tasks(&p) != NULL;
  for (int i = 0; i < started; i++) hurry(others[i]);
  for (int i = 0; i < started; i++) {
    void *result = NULL;
    pthread_join(others[i], &result);
    worked |= result != NULL;
  }
  for (size_t i = 0; i < p.split_count; i++) pthread_mutex_destroy(&p.splits[i].mutex);
  free(p.splits);
  free(p.first_task);
  return worked ? 0 : -2;
}
