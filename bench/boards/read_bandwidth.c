/* How fast this machine reads memory: the sum of a buffer, by as many threads as a pass has. The kernel is measured against it. */
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#define THREADS_MAX 256

typedef struct {
  const uint64_t *words;
  size_t count;
  uint64_t sum;
} part;

uint64_t bench_read(const uint8_t *bytes, uint64_t length, int threads);

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
__attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))
#endif
static uint64_t sum_words(const uint64_t *words, size_t count) {
  uint64_t sums[32] = {0};
  for (size_t i = 0; i + 32 <= count; i += 32) {
    for (int lane = 0; lane < 32; lane++) sums[lane] += words[i + (size_t)lane];
  }
  uint64_t sum = 0;
  for (int lane = 0; lane < 32; lane++) sum += sums[lane];
  return sum;
}

static void *read_part(void *argument) {
  part *p = argument;
  p->sum = sum_words(p->words, p->count);
  return NULL;
}

/* `bytes` is aligned to 8; a remainder of less than 256 bytes a thread is left out. */
uint64_t bench_read(const uint8_t *bytes, uint64_t length, int threads) {
  part parts[THREADS_MAX];
  pthread_t others[THREADS_MAX];
  int started[THREADS_MAX] = {0};
  if (threads > THREADS_MAX) threads = THREADS_MAX;
  const size_t each = length / 8 / (size_t)threads;
  uint64_t sum = 0;
  for (int i = threads - 1; i >= 0; i--) {
    parts[i] = (part){(const uint64_t *)(const void *)bytes + (size_t)i * each, each, 0};
    started[i] = i > 0 && pthread_create(&others[i], NULL, read_part, &parts[i]) == 0;
    if (!started[i]) read_part(&parts[i]);
  }
  for (int i = 0; i < threads; i++) {
    if (started[i]) pthread_join(others[i], NULL);
    sum += parts[i].sum;
  }
  return sum;
}
