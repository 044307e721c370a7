// SPDX-License-Identifier: Apache-2.0
// A BPF program at the entry or the return of a kernel function, attached as
// bpftrace's kfunc and libbpf's fentry and fexit are: by the only direct call
// that a function can have.
#ifndef TESTS_VM_BPF_H_
#define TESTS_VM_BPF_H_

#include <string>

namespace pf_test {

class TracingProgram {
 public:
  enum class Where { kFentry, kFexit };

  TracingProgram(const std::string& function, Where where);
  ~TracingProgram();
  TracingProgram(const TracingProgram&) = delete;
  TracingProgram& operator=(const TracingProgram&) = delete;

  // Whether the kernel knows such programs and the function.
  bool loaded() const { return program_ >= 0; }
  // Returns 0 or the errno.
  int Attach();
  // The kernel takes it off the function some time after this.
  void Detach();

 private:
  int program_;
  int link_ = -1;
};

}  // namespace pf_test

#endif  // TESTS_VM_BPF_H_
