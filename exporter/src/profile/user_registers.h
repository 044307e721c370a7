// SPDX-License-Identifier: Apache-2.0
// The registers of a 64-bit program that unwinding a stack takes.
#ifndef EXPORTER_PROFILE_USER_REGISTERS_H_
#define EXPORTER_PROFILE_USER_REGISTERS_H_

#include <asm/perf_regs.h>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace pfe {

// perf's numbers of them: the general ones in the order of DWARF's numbers,
// which begin at 0, and then the instruction pointer.
#if defined(__x86_64__)
inline constexpr std::array<uint8_t, 17> kUserRegisters = {
    PERF_REG_X86_AX,  PERF_REG_X86_DX,  PERF_REG_X86_CX,  PERF_REG_X86_BX,
    PERF_REG_X86_SI,  PERF_REG_X86_DI,  PERF_REG_X86_BP,  PERF_REG_X86_SP,
    PERF_REG_X86_R8,  PERF_REG_X86_R9,  PERF_REG_X86_R10, PERF_REG_X86_R11,
    PERF_REG_X86_R12, PERF_REG_X86_R13, PERF_REG_X86_R14, PERF_REG_X86_R15,
    PERF_REG_X86_IP};
inline constexpr size_t kStackPointer = 7;  // its DWARF number
#elif defined(__aarch64__)
inline constexpr std::array<uint8_t, 33> kUserRegisters = {0,
                                                           1,
                                                           2,
                                                           3,
                                                           4,
                                                           5,
                                                           6,
                                                           7,
                                                           8,
                                                           9,
                                                           10,
                                                           11,
                                                           12,
                                                           13,
                                                           14,
                                                           15,
                                                           16,
                                                           17,
                                                           18,
                                                           19,
                                                           20,
                                                           21,
                                                           22,
                                                           23,
                                                           24,
                                                           25,
                                                           26,
                                                           27,
                                                           28,
                                                           29,
                                                           PERF_REG_ARM64_LR,
                                                           PERF_REG_ARM64_SP,
                                                           PERF_REG_ARM64_PC};
inline constexpr size_t kStackPointer = 31;
#endif

// perf_event_attr.sample_regs_user
inline constexpr uint64_t kUserRegistersMask = [] {
  uint64_t mask = 0;
  for (const uint8_t number : kUserRegisters) mask |= uint64_t{1} << number;
  return mask;
}();

// Where a sample has a register: perf writes them in the order of its numbers.
constexpr size_t PlaceInSample(uint8_t number) {
  return static_cast<size_t>(
      std::popcount(kUserRegistersMask & ((uint64_t{1} << number) - 1)));
}

}  // namespace pfe

#endif  // EXPORTER_PROFILE_USER_REGISTERS_H_
