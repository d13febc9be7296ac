/*
 * Preloaded into a server, counts how often it asks the disk to be sure: fsync, fdatasync, msync(MS_SYNC), sync_file_range. The
 * count is a word in the file that SYNC_COUNT_FILE names, shared by the server's processes.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static _Atomic uint32_t *counter;

__attribute__((constructor)) static void open_counter(void) {
  const char *path = getenv("SYNC_COUNT_FILE");
  if (path == NULL) return;
  const int file = open(path, O_RDWR | O_CLOEXEC);
  if (file < 0) return;
  void *word = mmap(NULL, sizeof *counter, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (word != MAP_FAILED) counter = word;
}

static void count(void) {
  if (counter != NULL) atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

int fsync(int file) {
  count();
  return (int)syscall(SYS_fsync, file);
}

int fdatasync(int file) {
  count();
  return (int)syscall(SYS_fdatasync, file);
}

int msync(void *address, size_t bytes, int flags) {
  if ((flags & MS_SYNC) != 0) count();
  return (int)syscall(SYS_msync, address, bytes, flags);
}

int sync_file_range(int file, off64_t offset, off64_t bytes, unsigned int flags) {
  count();
  return (int)syscall(SYS_sync_file_range, file, offset, bytes, flags);
}
