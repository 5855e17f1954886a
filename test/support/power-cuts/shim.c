/*
 * What a power cut leaves of files: preloaded into a program, it notes what each write to a file below POWER_ROOT has replaced, until that
 * file is synced. At the POWER_AT-th call that writes, cuts or syncs it undoes what was not synced, and kills the program. POWER_KEEPS is
 * what is not undone: "nothing", "everything", or the seed by which some writes are drawn, as a disk makes them in any order. POWER_COUNT
 * is a file that is told how many calls there were if the program ends by itself. That a file is there, and its name, are taken for durable.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

typedef struct change {
  struct change *before;
  off_t offset, size_before;
  size_t length, length_before;
  char *bytes, *bytes_before;
} change;

typedef struct file {
  struct file *next;
  dev_t dev;
  ino_t ino;
  int fd;
  change *last;
} file;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static file *files;
static long calls;
static char root[4096];

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static ssize_t put(int fd, const char *bytes, size_t length, off_t offset) {
  return REAL(pwrite64)(fd, bytes, length, offset);
}

/* The file behind a descriptor, if it is one of ours. */
static file *file_of(int fd) {
  char link[64], path[4096];
  struct stat is;
  if (root[0] == 0) {
    const char *given = getenv("POWER_ROOT");
    if (given == NULL || realpath(given, root) == NULL) return NULL;
  }
  if (fstat(fd, &is) != 0 || !S_ISREG(is.st_mode)) return NULL;
  for (file *at = files; at; at = at->next) if (at->dev == is.st_dev && at->ino == is.st_ino) return at;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return NULL;
  path[length] = 0;
  /* What processes share in memory is made anew after a power cut. */
  if (strncmp(path, root, strlen(root)) != 0 || (length > 4 && strcmp(path + length - 4, "-shm") == 0)) return NULL;
  file *found = calloc(1, sizeof *found);
  *found = (file){.next = files, .dev = is.st_dev, .ino = is.st_ino};
  /* Never closed: that would give up the locks that the program has on it. */
  found->fd = REAL(open64)(link, O_RDWR | O_CLOEXEC);
  if (found->fd < 0) abort();
  return files = found;
}

static void forget(file *of) {
  while (of->last) {
    change *gone = of->last;
    of->last = gone->before;
    free(gone->bytes);
    free(gone->bytes_before);
    free(gone);
  }
}

static change *reversed(change *last) {
  change *first = NULL;
  while (last) {
    change *before = last->before;
    last->before = first;
    first = last;
    last = before;
  }
  return first;
}

static void undo(file *of) {
  for (change *at = of->last; at; at = at->before) {
    if (at->length_before > 0) put(of->fd, at->bytes_before, at->length_before, at->offset);
    if (REAL(ftruncate64)(of->fd, at->size_before) != 0) abort();
  }
}

static void cut(void) {
  const char *given = getenv("POWER_KEEPS");
  const char *keeps = given ? given : "nothing";
  unsigned seed = (unsigned)atoi(keeps);
  for (file *of = files; of && strcmp(keeps, "everything") != 0; of = of->next) {
    undo(of);
    if (strcmp(keeps, "nothing") == 0) continue;
    /* A write is kept, lost, or torn between two sectors. */
    for (change *at = reversed(of->last); at; at = at->before) {
      unsigned fate = rand_r(&seed) % 4;
      size_t length = fate < 2 ? at->length : fate == 2 ? (at->length / 2) & ~511UL : 0;
      if (at->bytes && length > 0) put(of->fd, at->bytes, length, at->offset);
    }
  }
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

static void count(void) {
  if (++calls == atol(getenv("POWER_AT"))) cut();
}

/* `bytes` NULL: everything from `offset` on goes. */
static void note(file *of, const char *bytes, size_t length, off_t offset) {
  struct stat is;
  if (fstat(of->fd, &is) != 0) abort();
  change *made = calloc(1, sizeof *made);
  *made = (change){.before = of->last, .offset = offset, .size_before = is.st_size, .length = length};
  size_t there = is.st_size > offset ? (size_t)(is.st_size - offset) : 0;
  made->length_before = bytes && there > length ? length : there;
  made->bytes_before = malloc(made->length_before + 1);
  if (pread64(of->fd, made->bytes_before, made->length_before, offset) != (ssize_t)made->length_before) abort();
  if (bytes) {
    made->bytes = malloc(length + 1);
    memcpy(made->bytes, bytes, length);
  }
  of->last = made;
}

static void before_write(int fd, const char *bytes, size_t length, off_t offset) {
  pthread_mutex_lock(&lock);
  file *of = file_of(fd);
  if (of) {
    count();
    if (offset < 0) {
      struct stat is;
      int flags = fcntl(fd, F_GETFL);
      offset = flags & O_APPEND && fstat(fd, &is) == 0 ? is.st_size : lseek64(fd, 0, SEEK_CUR);
    }
    note(of, bytes, length, offset);
  }
  pthread_mutex_unlock(&lock);
}

static void before_vector(int fd, const struct iovec *parts, int many, off_t offset) {
  size_t length = 0;
  for (int i = 0; i < many; i++) length += parts[i].iov_len;
  char *bytes = malloc(length + 1), *at = bytes;
  for (int i = 0; i < many; i++) at = mempcpy(at, parts[i].iov_base, parts[i].iov_len);
  before_write(fd, bytes, length, offset);
  free(bytes);
}

static void before_cut(int fd, off_t size) {
  pthread_mutex_lock(&lock);
  file *of = file_of(fd);
  if (of) {
    count();
    note(of, NULL, 0, size);
  }
  pthread_mutex_unlock(&lock);
}

static void before_sync(int fd) {
  pthread_mutex_lock(&lock);
  file *of = file_of(fd);
  if (of) {
    count();
    forget(of);
  }
  pthread_mutex_unlock(&lock);
}

#define WRAPPED(type, name, parameters, before, ...)  \
  type name parameters {                              \
    before;                                           \
    return REAL(name)(__VA_ARGS__);                   \
  }

WRAPPED(ssize_t, write, (int fd, const void *b, size_t n), before_write(fd, b, n, -1), fd, b, n)
WRAPPED(ssize_t, pwrite, (int fd, const void *b, size_t n, off_t o), before_write(fd, b, n, o), fd, b, n, o)
WRAPPED(ssize_t, pwrite64, (int fd, const void *b, size_t n, off64_t o), before_write(fd, b, n, o), fd, b, n, o)
WRAPPED(ssize_t, writev, (int fd, const struct iovec *v, int n), before_vector(fd, v, n, -1), fd, v, n)
WRAPPED(ssize_t, pwritev, (int fd, const struct iovec *v, int n, off_t o), before_vector(fd, v, n, o), fd, v, n, o)
WRAPPED(ssize_t, pwritev64, (int fd, const struct iovec *v, int n, off64_t o), before_vector(fd, v, n, o), fd, v, n, o)
WRAPPED(int, ftruncate, (int fd, off_t size), before_cut(fd, size), fd, size)
WRAPPED(int, ftruncate64, (int fd, off64_t size), before_cut(fd, size), fd, size)
WRAPPED(int, fsync, (int fd), before_sync(fd), fd)
WRAPPED(int, fdatasync, (int fd), before_sync(fd), fd)

__attribute__((destructor)) static void tell(void) {
  const char *path = getenv("POWER_COUNT");
  if (!path) return;
  FILE *out = fopen(path, "w");
  fprintf(out, "%ld\n", calls);
  fclose(out);
}
