// SPDX-License-Identifier: Apache-2.0
// Users that cannot be looked up, as when a server does not answer.
#ifndef TESTS_UNIT_NO_USERS_H_
#define TESTS_UNIT_NO_USERS_H_

namespace pfe {

// While it lives, getpwuid_r(3) fails with this errno.
class NoUsers {
 public:
  explicit NoUsers(int error);
  ~NoUsers();
  NoUsers(const NoUsers&) = delete;
  NoUsers& operator=(const NoUsers&) = delete;

  // How often that was.
  int lookups() const;
};

}  // namespace pfe

#endif  // TESTS_UNIT_NO_USERS_H_
