// SPDX-License-Identifier: Apache-2.0
#include "no_users.h"

#include <dlfcn.h>
#include <pwd.h>

namespace {

int lookup_error = 0;  // 0: the library answers
int lookups_failed = 0;

}  // namespace

// Takes the place of the library's.
extern "C" int getpwuid_r(uid_t uid, passwd* entry, char* buffer, size_t size,
                          passwd** found) {
  *found = nullptr;
  if (lookup_error) {
    ++lookups_failed;
    return lookup_error;
  }
  static const auto library =
      reinterpret_cast<decltype(&getpwuid_r)>(dlsym(RTLD_NEXT, "getpwuid_r"));
  return library(uid, entry, buffer, size, found);
}

namespace pfe {

NoUsers::NoUsers(int error) {
  lookup_error = error;
  lookups_failed = 0;
}

NoUsers::~NoUsers() { lookup_error = 0; }

int NoUsers::lookups() const { return lookups_failed; }

}  // namespace pfe
