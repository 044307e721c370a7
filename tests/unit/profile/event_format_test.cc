// SPDX-License-Identifier: Apache-2.0
#include "profile/event_format.h"

#include <gtest/gtest.h>

#include <string>

namespace pfe {
namespace {

// As Linux 6.1 prints it.
const std::string kText =
    "name: fault\nID: 1500\nformat:\n"
    "\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
    "\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"
    "\tfield:u64 address;\toffset:8;\tsize:8;\tsigned:0;\n"
    "\tfield:u64 ip;\toffset:16;\tsize:8;\tsigned:0;\n"
    "\tfield:u64 ns;\toffset:24;\tsize:8;\tsigned:0;\n"
    "\tfield:u64 cgroup;\toffset:32;\tsize:8;\tsigned:0;\n"
    "\tfield:u32 weight;\toffset:40;\tsize:4;\tsigned:0;\n"
    "\tfield:u8 severity;\toffset:44;\tsize:1;\tsigned:0;\n"
    "\tfield:u8 kind;\toffset:45;\tsize:1;\tsigned:0;\n"
    "\tfield:u8 access;\toffset:47;\tsize:1;\tsigned:0;\n"
    "\tfield:u8 origin;\toffset:46;\tsize:1;\tsigned:0;\n\n"
    "print fmt: \"%s\", __print_symbolic(REC->severity, { 0, \"minor\" })\n";

TEST(FaultFormat, ReadsFields) {
  const auto format = FaultFormat::Parse(kText);
  ASSERT_TRUE(format);
  std::string bytes(47, '\0');
  bytes[8] = 0x34;
  bytes[9] = 0x12;
  bytes[44] = 1;
  bytes[45] = 3;
  bytes[46] = 2;
  EXPECT_EQ(format->Read(FaultField::kAddress, bytes), 0x1234u);
  EXPECT_EQ(format->Read(FaultField::kSeverity, bytes), 1u);
  EXPECT_EQ(format->Read(FaultField::kKind, bytes), 3u);
  EXPECT_EQ(format->Read(FaultField::kOrigin, bytes), 2u);
  bytes.pop_back();
  EXPECT_FALSE(format->Read(FaultField::kOrigin, bytes)) << "it is cut short";
}

TEST(FaultFormat, RefusesWhatItDoesNotKnow) {
  EXPECT_FALSE(FaultFormat::Parse(""));
  for (const std::string name : {"address", "ip", "ns", "cgroup", "severity",
                                 "kind", "origin", "access"}) {
    std::string text = kText;
    text.replace(text.find(" " + name + ";"), name.size() + 1, " x");
    EXPECT_FALSE(FaultFormat::Parse(text)) << "without " << name;
  }
  std::string odd = kText;
  odd.replace(odd.find("size:8"), 6, "size:3");
  EXPECT_FALSE(FaultFormat::Parse(odd));
}

}  // namespace
}  // namespace pfe
