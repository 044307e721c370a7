// SPDX-License-Identifier: Apache-2.0
#include "profile/record.h"

#include <gtest/gtest.h>
#include <linux/perf_event.h>
#include <sys/sysmacros.h>

#include <cstring>
#include <string>

namespace pfe {
namespace {

constexpr uint64_t kId = 77;

// Bytes as the kernel writes them.
class Bytes {
 public:
  template <typename T>
  Bytes& Put(T value) {
    text_.append(reinterpret_cast<const char*>(&value), sizeof(value));
    return *this;
  }
  Bytes& PutText(const std::string& text) {
    text_ += text;
    do text_ += '\0';
    while (text_.size() % 8 != 0);
    return *this;
  }
  // With the trailer of a record that is no sample.
  Bytes& PutTrailer(uint64_t time) {
    return Put<uint32_t>(5).Put<uint32_t>(6).Put(time).Put(kId);
  }
  std::string Record(uint32_t type, uint16_t misc = 0) const {
    const auto size = static_cast<uint16_t>(text_.size() + 8);
    Bytes all;
    all.Put(type).Put(misc).Put(size);
    return all.text_ + text_;
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

template <typename T>
T Parsed(const RecordParser& parser, const std::string& bytes) {
  const auto record = parser.Parse(bytes);
  EXPECT_TRUE(record);
  if (!record || !std::holds_alternative<T>(record->content)) {
    ADD_FAILURE() << "another record";
    return T();
  }
  return std::get<T>(record->content);
}

std::string Sample(const std::string& raw, bool has_period = false,
                   bool has_call_path = true) {
  Bytes bytes;
  bytes.Put(kId).Put<uint32_t>(5).Put<uint32_t>(6).Put<uint64_t>(1000);
  bytes.Put<uint64_t>(0xabc000);
  if (has_period) bytes.Put<uint64_t>(11);
  if (has_call_path)
    bytes.Put<uint64_t>(5)
        .Put<uint64_t>(PERF_CONTEXT_KERNEL)
        .Put<uint64_t>(0xffffffff81000000)
        .Put<uint64_t>(PERF_CONTEXT_USER)
        .Put<uint64_t>(0x401000)
        .Put<uint64_t>(0x402000);
  bytes.Put(static_cast<uint32_t>(raw.size()));
  return Bytes(bytes).Record(0).substr(8) + raw;
}

std::string AsRecord(uint32_t type, const std::string& payload) {
  Bytes header;
  header.Put(type).Put<uint16_t>(0).Put(
      static_cast<uint16_t>(payload.size() + 8));
  return header.text() + payload;
}

std::string WithHeader(const std::string& payload) {
  return AsRecord(PERF_RECORD_SAMPLE, payload);
}

FaultFormat Format() {
  return *FaultFormat::Parse(
      "field:u64 address;\toffset:0;\tsize:8;\n"
      "field:u64 ip;\toffset:8;\tsize:8;\n"
      "field:u64 ns;\toffset:16;\tsize:8;\n"
      "field:u64 cgroup;\toffset:24;\tsize:8;\n"
      "field:u32 weight;\toffset:32;\tsize:4;\n"
      "field:u8 severity;\toffset:36;\tsize:1;\n"
      "field:u8 kind;\toffset:37;\tsize:1;\n"
      "field:u8 origin;\toffset:38;\tsize:1;\n"
      "field:u8 access;\toffset:39;\tsize:1;\n");
}

std::string Raw(uint8_t origin = 0) {
  return Bytes()
      .Put<uint64_t>(0xdef000)
      .Put<uint64_t>(0x409000)
      .Put<uint64_t>(2500)
      .Put<uint64_t>(42)
      .Put<uint32_t>(11)
      .Put<uint8_t>(1)
      .Put<uint8_t>(2)
      .Put(origin)
      .Put<uint8_t>(1)
      .text();
}

// Registers whose values are 100 and perf's number of each.
Bytes& PutRegisters(uint64_t abi, Bytes* bytes) {
  bytes->Put(abi);
  for (uint64_t number = 0; number < 64; ++number)
    if (kUserRegistersMask >> number & 1) bytes->Put(100 + number);
  return *bytes;
}

std::string SampleWithStack(uint64_t abi, const std::string& stack,
                            uint64_t used) {
  Bytes bytes;
  if (abi == PERF_SAMPLE_REGS_ABI_NONE)
    bytes.Put(abi);
  else
    PutRegisters(abi, &bytes);
  bytes.Put(uint64_t{stack.size()});
  std::string text = bytes.text() + stack;
  if (!stack.empty()) text += Bytes().Put(used).text();
  return Sample(std::string(4, '\0')) + text;
}

TEST(RecordParser, ASampleWithAStack) {
  RecordParser parser(std::nullopt);
  parser.Add(kId, {false, 1, 97, true, true});
  const auto sample = Parsed<FaultSample>(
      parser, WithHeader(SampleWithStack(PERF_SAMPLE_REGS_ABI_64,
                                         "abcdefghijklmnop", 10)));
  ASSERT_NE(sample.stack, nullptr);
  EXPECT_EQ(sample.stack->bytes, "abcdefghij");
  for (size_t i = 0; i < kUserRegisters.size(); ++i)
    EXPECT_EQ(sample.stack->registers[i], 100u + kUserRegisters[i]);
  EXPECT_EQ(sample.frames.size(), 2u);
}

TEST(RecordParser, AStackThatIsSmallerThanTheSampleSays) {
  RecordParser parser(std::nullopt);
  parser.Add(kId, {false, 1, 97, true, true});
  for (const uint64_t used : {uint64_t{17}, UINT64_MAX}) {
    const auto sample = Parsed<FaultSample>(
        parser, WithHeader(SampleWithStack(PERF_SAMPLE_REGS_ABI_64,
                                           "abcdefghijklmnop", used)));
    ASSERT_NE(sample.stack, nullptr);
    EXPECT_EQ(sample.stack->bytes.size(), 16u);
  }
}

TEST(RecordParser, AKernelThreadAndA32BitProgramHaveNoStack) {
  RecordParser parser(std::nullopt);
  parser.Add(kId, {false, 1, 97, true, true});
  for (const uint64_t abi :
       {uint64_t{PERF_SAMPLE_REGS_ABI_NONE}, uint64_t{PERF_SAMPLE_REGS_ABI_32}})
    EXPECT_EQ(
        Parsed<FaultSample>(parser, WithHeader(SampleWithStack(abi, "", 0)))
            .stack,
        nullptr)
        << abi;
}

TEST(RecordParser, AStackThatIsCutShortIsRefused) {
  RecordParser parser(std::nullopt);
  parser.Add(kId, {false, 1, 97, true, true});
  const std::string whole =
      SampleWithStack(PERF_SAMPLE_REGS_ABI_64, "abcdefghijklmnop", 10);
  const size_t without = Sample(std::string(4, '\0')).size();
  for (size_t size = without; size < whole.size(); ++size)
    EXPECT_FALSE(parser.Parse(WithHeader(whole.substr(0, size)))) << size;
  Bytes huge;
  PutRegisters(PERF_SAMPLE_REGS_ABI_64, &huge).Put(UINT64_MAX);
  EXPECT_FALSE(parser.Parse(
      WithHeader(Sample(std::string(4, '\0')) + huge.text() + "abc")));
}

TEST(RecordParser, ASampleOfTheKernelsEvent) {
  RecordParser parser(std::nullopt);
  parser.Add(kId, {false, 1, 97, true});
  const auto sample =
      Parsed<FaultSample>(parser, WithHeader(Sample(std::string(4, '\0'))));
  EXPECT_EQ(sample.pid, 5u);
  EXPECT_EQ(sample.thread, 6u);
  EXPECT_EQ(sample.address, 0xabc000u);
  EXPECT_EQ(sample.weight, 97u);
  EXPECT_EQ(sample.severity, 1u);
  EXPECT_EQ(sample.kind, kKinds);
  EXPECT_EQ(sample.ns, 0u);
  EXPECT_EQ(sample.frames, (std::vector<uint64_t>{0x401000, 0x402000}))
      << "without those of the kernel";
}

TEST(RecordParser, ASampleOfTheModulesEvent) {
  RecordParser parser(Format());
  parser.Add(kId, {true, 0, 0, true});
  const auto sample =
      Parsed<FaultSample>(parser, WithHeader(Sample(Raw(), true)));
  EXPECT_EQ(sample.address, 0xdef000u);
  EXPECT_EQ(sample.weight, 11u);
  EXPECT_EQ(sample.ns, 2500u);
  EXPECT_EQ(sample.cgroup, 42u);
  EXPECT_EQ(sample.severity, 1u);
  EXPECT_EQ(sample.kind, 2u);
  EXPECT_EQ(sample.access, 1u);
  EXPECT_FALSE(sample.is_remote);
}

// As far as it is thinned out, each sample stands for as many faults.
TEST(RecordParser, AThinnedSampleOfTheModulesEvent) {
  RecordParser parser(Format());
  parser.Add(kId, {true, 0, 1553, false});
  const auto sample =
      Parsed<FaultSample>(parser, WithHeader(Sample(Raw(), false, false)));
  EXPECT_EQ(sample.address, 0xdef000u);
  EXPECT_EQ(sample.weight, 1553u);
  EXPECT_EQ(sample.ns, 2500u);
  EXPECT_EQ(sample.frames, std::vector<uint64_t>{0x409000})
      << "the instruction, without a call path";
}

TEST(RecordParser, AFaultCanBeInAnotherAddressSpace) {
  RecordParser parser(Format());
  parser.Add(kId, {true, 0, 0, true});
  const auto of = [&](uint8_t origin) {
    return Parsed<FaultSample>(parser, WithHeader(Sample(Raw(origin), true)));
  };
  EXPECT_FALSE(of(1).is_remote) << "by the kernel, for the process itself";
  EXPECT_TRUE(of(2).is_remote);
}

TEST(RecordParser, ASampleOfAnUnknownEventIsLeftOut) {
  RecordParser parser(std::nullopt);
  const auto record = parser.Parse(WithHeader(Sample("")));
  ASSERT_TRUE(record);
  EXPECT_TRUE(std::holds_alternative<std::monostate>(record->content));
}

TEST(RecordParser, WhatAProcessMaps) {
  const RecordParser parser(std::nullopt);
  const auto bytes = [](uint32_t protection) {
    return Bytes()
        .Put<uint32_t>(5)
        .Put<uint32_t>(6)
        .Put<uint64_t>(0x400000)
        .Put<uint64_t>(0x3000)
        .Put<uint64_t>(0x1000)
        .Put<uint8_t>(4)
        .Put<uint8_t>(0)
        .Put<uint16_t>(0)
        .Put<uint32_t>(0x04030201)
        .Put<uint64_t>(0)
        .Put<uint64_t>(0)
        .Put(protection)
        .Put<uint32_t>(2)
        .PutText("/usr/bin/perl")
        .PutTrailer(123);
  };
  const auto map = Parsed<MapRecord>(
      parser,
      bytes(5).Record(PERF_RECORD_MMAP2, PERF_RECORD_MISC_MMAP_BUILD_ID));
  EXPECT_EQ(map.pid, 5u);
  EXPECT_EQ(map.start, 0x400000u);
  EXPECT_EQ(map.size, 0x3000u);
  EXPECT_EQ(map.offset, 0x1000u);
  EXPECT_EQ(map.file.build_id, "\x01\x02\x03\x04");
  EXPECT_EQ(map.file.inode, 0u);
  EXPECT_EQ(map.name, "/usr/bin/perl");
  const auto data =
      Parsed<MapRecord>(parser, bytes(3).Record(PERF_RECORD_MMAP2));
  EXPECT_EQ(data.file.build_id, "");
  EXPECT_EQ(data.file.device, makedev(4, 0x04030201));
}

TEST(RecordParser, WhatProcessesDo) {
  const RecordParser parser(std::nullopt);
  const auto comm = Parsed<CommRecord>(
      parser, Bytes()
                  .Put<uint32_t>(5)
                  .Put<uint32_t>(6)
                  .PutText("perl")
                  .PutTrailer(1)
                  .Record(PERF_RECORD_COMM, PERF_RECORD_MISC_COMM_EXEC));
  EXPECT_EQ(comm.comm, "perl");
  EXPECT_TRUE(comm.exec);
  const auto task = [](uint32_t type) {
    return Bytes()
        .Put<uint32_t>(5)
        .Put<uint32_t>(4)
        .Put<uint32_t>(6)
        .Put<uint32_t>(4)
        .Put<uint64_t>(99)
        .PutTrailer(99)
        .Record(type);
  };
  const auto fork = Parsed<ForkRecord>(parser, task(PERF_RECORD_FORK));
  EXPECT_EQ(fork.pid, 5u);
  EXPECT_EQ(fork.parent, 4u);
  const auto exit = Parsed<ExitRecord>(parser, task(PERF_RECORD_EXIT));
  EXPECT_EQ(exit.pid, 5u);
  EXPECT_EQ(exit.thread, 6u);
  const auto lost = Parsed<LostRecord>(
      parser, Bytes().Put<uint64_t>(kId).Put<uint64_t>(12).PutTrailer(1).Record(
                  PERF_RECORD_LOST));
  EXPECT_EQ(lost.count, 12u);
}

TEST(RecordParser, RefusesEveryRecordThatIsCutShort) {
  RecordParser parser(Format());
  parser.Add(kId, {true, 0, 0, true});
  const std::string whole = Sample(Raw(), true);
  ASSERT_TRUE(parser.Parse(WithHeader(whole)));
  for (size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(parser.Parse(WithHeader(whole.substr(0, size)))) << size;
  EXPECT_FALSE(parser.Parse(AsRecord(PERF_RECORD_COMM, "x")));
  EXPECT_FALSE(parser.Parse(""));
  std::string wrong_size = WithHeader(whole);
  wrong_size.pop_back();
  EXPECT_FALSE(parser.Parse(wrong_size));
}

}  // namespace
}  // namespace pfe
