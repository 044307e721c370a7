// SPDX-License-Identifier: Apache-2.0
#include "bpf.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/btf.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <iterator>

namespace pf_test {
namespace {

long Bpf(bpf_cmd command, bpf_attr* attr) {
  return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

// How many bytes follow the btf_type (linux/btf.h).
size_t SizeBehind(const btf_type& type) {
  const size_t n = BTF_INFO_VLEN(type.info);
  switch (BTF_INFO_KIND(type.info)) {
    case BTF_KIND_INT:
    case BTF_KIND_VAR:
    case BTF_KIND_DECL_TAG:
      return 4;
    case BTF_KIND_ARRAY:
      return sizeof(btf_array);
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION:
      return n * sizeof(btf_member);
    case BTF_KIND_ENUM:
      return n * sizeof(btf_enum);
    case BTF_KIND_ENUM64:
      return n * sizeof(btf_enum64);
    case BTF_KIND_FUNC_PROTO:
      return n * sizeof(btf_param);
    case BTF_KIND_DATASEC:
      return n * sizeof(btf_var_secinfo);
    default:
      return 0;
  }
}

// The number of a function in the kernel's type information; 0 if it has none.
uint32_t FunctionId(const std::string& function) {
  std::ifstream file("/sys/kernel/btf/vmlinux", std::ios::binary);
  const std::string btf{std::istreambuf_iterator<char>(file), {}};
  btf_header header;
  if (btf.size() < sizeof(header)) return 0;
  memcpy(&header, btf.data(), sizeof(header));
  const char* names = btf.data() + header.hdr_len + header.str_off;
  size_t at = header.hdr_len + header.type_off;
  const size_t end = at + header.type_len;
  btf_type type;
  for (uint32_t id = 1; at + sizeof(type) <= end; ++id) {
    memcpy(&type, btf.data() + at, sizeof(type));
    if (BTF_INFO_KIND(type.info) == BTF_KIND_FUNC &&
        function == names + type.name_off)
      return id;
    at += sizeof(type) + SizeBehind(type);
  }
  return 0;
}

// The program returns 0 at once.
int Load(uint32_t function_id, bpf_attach_type type) {
  static const bpf_insn kProgram[] = {
      {BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0},
      {BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
  };
  bpf_attr attr{};
  attr.prog_type = BPF_PROG_TYPE_TRACING;
  attr.expected_attach_type = type;
  attr.attach_btf_id = function_id;
  attr.insns = reinterpret_cast<uint64_t>(kProgram);
  attr.insn_cnt = 2;
  attr.license = reinterpret_cast<uint64_t>("GPL");
  return static_cast<int>(Bpf(BPF_PROG_LOAD, &attr));
}

}  // namespace

TracingProgram::TracingProgram(const std::string& function, Where where)
    : program_(-1) {
  if (const uint32_t id = FunctionId(function))
    program_ =
        Load(id, where == Where::kFentry ? BPF_TRACE_FENTRY : BPF_TRACE_FEXIT);
}

TracingProgram::~TracingProgram() {
  Detach();
  if (program_ >= 0) close(program_);
}

int TracingProgram::Attach() {
  bpf_attr attr{};
  attr.raw_tracepoint.prog_fd = static_cast<uint32_t>(program_);
  link_ = static_cast<int>(Bpf(BPF_RAW_TRACEPOINT_OPEN, &attr));
  return link_ < 0 ? errno : 0;
}

void TracingProgram::Detach() {
  if (link_ >= 0) close(link_);
  link_ = -1;
}

}  // namespace pf_test
