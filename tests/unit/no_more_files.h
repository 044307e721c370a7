// SPDX-License-Identifier: Apache-2.0
// A process that can open no file, as one with too many open ones.
#ifndef TESTS_UNIT_NO_MORE_FILES_H_
#define TESTS_UNIT_NO_MORE_FILES_H_

#include <sys/resource.h>

namespace pfe {

// While it lives, open(2) fails with EMFILE.
class NoMoreFiles {
 public:
  NoMoreFiles() {
    getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit none{0, before_.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoMoreFiles() { setrlimit(RLIMIT_NOFILE, &before_); }
  NoMoreFiles(const NoMoreFiles&) = delete;
  NoMoreFiles& operator=(const NoMoreFiles&) = delete;

 private:
  rlimit before_{};
};

}  // namespace pfe

#endif  // TESTS_UNIT_NO_MORE_FILES_H_
