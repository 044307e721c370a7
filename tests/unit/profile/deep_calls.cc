// SPDX-License-Identifier: Apache-2.0
#include "profile/deep_calls.h"

#include <pthread.h>
#include <ucontext.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace deep_calls {
namespace {

// Where the stack of this thread begins: its highest address.
uint64_t StackTop() {
  pthread_attr_t attributes;
  void* lowest = nullptr;
  size_t size = 0;
  pthread_getattr_np(pthread_self(), &attributes);
  pthread_attr_getstack(&attributes, &lowest, &size);
  pthread_attr_destroy(&attributes);
  return reinterpret_cast<uint64_t>(lowest) + size;
}

void CopyRegisters(const mcontext_t& from, pfe::UserStack* to) {
#if defined(__x86_64__)
  constexpr int kRegisters[] = {REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI,
                                REG_RDI, REG_RBP, REG_RSP, REG_R8,  REG_R9,
                                REG_R10, REG_R11, REG_R12, REG_R13, REG_R14,
                                REG_R15, REG_RIP};
  for (size_t i = 0; i < to->registers.size(); ++i)
    to->registers[i] = static_cast<uint64_t>(from.gregs[kRegisters[i]]);
#elif defined(__aarch64__)
  std::copy(std::begin(from.regs), std::end(from.regs), to->registers.begin());
  to->registers[31] = from.sp;
  to->registers[32] = from.pc;
#endif
}

}  // namespace

[[gnu::noinline]] pfe::UserStack Copy() {
  ucontext_t context;
  getcontext(&context);
  pfe::UserStack stack;
  CopyRegisters(context.uc_mcontext, &stack);
  const uint64_t begin = stack.registers[pfe::kStackPointer];
  stack.bytes.assign(reinterpret_cast<const char*>(begin),
                     std::min<uint64_t>(pfe::kStackBytes, StackTop() - begin));
  return stack;
}

[[gnu::noinline]] pfe::UserStack First() {
  pfe::UserStack stack = Copy();
  asm volatile("" : : : "memory");
  return stack;
}

// Its frame has no fixed size.
[[gnu::noinline]] pfe::UserStack Second(int number) {
  auto* const room = static_cast<char*>(
      __builtin_alloca(static_cast<size_t>(number % 100 + 16)));
  asm volatile("" : : "r"(room) : "memory");
  pfe::UserStack stack = First();
  asm volatile("" : : "r"(room) : "memory");
  return stack;
}

[[gnu::noinline]] pfe::UserStack Third(int depth) {
  pfe::UserStack stack = depth > 0 ? Third(depth - 1) : Second(depth);
  asm volatile("" : : : "memory");
  return stack;
}

}  // namespace deep_calls
