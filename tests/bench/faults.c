// SPDX-License-Identifier: Apache-2.0
// Makes minor faults at a rate: faults FAULTS_A_SECOND SECONDS; 0: as many as it
// can. Prints how many it made.
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char** argv) {
  const size_t pages = 256;
  if (argc != 3) return 2;
  const double rate = atof(argv[1]);
  const double begin = now(), end = begin + atof(argv[2]);
  double made = 0;
  while (now() < end) {
    char* memory = mmap(NULL, pages * 4096, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return 1;
    madvise(memory, pages * 4096, MADV_NOHUGEPAGE);
    for (size_t i = 0; i < pages; ++i) memory[i * 4096] = 1;
    munmap(memory, pages * 4096);
    made += (double)pages;
    const double ahead = rate > 0 ? made / rate - (now() - begin) : 0;
    if (ahead > 0) {
      const struct timespec pause = {(time_t)ahead,
                                     (long)((ahead - (double)(time_t)ahead) * 1e9)};
      nanosleep(&pause, NULL);
    }
  }
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  printf("%ld\n", usage.ru_minflt);
  return 0;
}
