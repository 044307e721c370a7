// SPDX-License-Identifier: Apache-2.0
#include "profile/address_spaces.h"

#include <gtest/gtest.h>

#include "fake_procfs.h"

namespace pfe {
namespace {

class AddressSpacesTest : public testing::Test {
 protected:
  AddressSpacesTest() : spaces_(procfs_.root()) {
    procfs_.Start(7, 1);
    procfs_.Write(7, "comm", "perl\n");
    procfs_.Write(
        7, "maps",
        "00400000-00403000 r-xp 00001000 08:01 99                 "
        "/usr/bin/perl\n"
        "00500000-00600000 rw-p 00000000 00:00 0                  [heap]\n"
        "00700000-00701000 rw-p 00000000 00:00 0 \n"
        "00800000-00801000 r--p 00002000 08:01 7    /a b (deleted)\n");
  }
  // "name+offset" of the mapping that has the address.
  std::string At(uint32_t pid, uint64_t address) {
    uint64_t start = 0;
    const Mapping* mapping = spaces_.Find(pid, address, &start);
    if (!mapping) return "none";
    return mapping->name + "+" +
           std::to_string(address - start + mapping->offset);
  }
  template <typename T>
  void Take(T content) {
    Record record;
    record.content = std::move(content);
    spaces_.Take(record);
  }
  void MapOf(uint32_t pid, uint64_t start, uint64_t size,
             const std::string& name, uint64_t offset = 0) {
    MapRecord map;
    map.pid = pid;
    map.start = start;
    map.size = size;
    map.offset = offset;
    map.name = name;
    Take(map);
  }
  void Map(uint64_t start, uint64_t size, const std::string& name,
           uint64_t offset = 0) {
    MapOf(7, start, size, name, offset);
  }

  FakeProcesses procfs_;
  AddressSpaces spaces_;
};

TEST_F(AddressSpacesTest, AreReadFromProcfs) {
  EXPECT_EQ(At(7, 0x400010), "/usr/bin/perl+4112");
  EXPECT_EQ(At(7, 0x402fff), "/usr/bin/perl+16383");
  EXPECT_EQ(At(7, 0x403000), "none");
  EXPECT_EQ(At(7, 0x3fffff), "none");
  EXPECT_EQ(At(7, 0x500000), "[heap]+0");
  EXPECT_EQ(At(7, 0x700000), "+0");
  EXPECT_EQ(At(7, 0x800000), "/a b (deleted)+8192");
  EXPECT_EQ(spaces_.Comm(7), "perl");
  EXPECT_EQ(At(8, 0x400000), "none");
  EXPECT_EQ(spaces_.Comm(8), "");
}

TEST_F(AddressSpacesTest, ALaterMappingReplacesWhatItCovers) {
  At(7, 0);  // it is followed from now on
  Map(0x401000, 0x1000, "/new", 0x5000);
  EXPECT_EQ(At(7, 0x400fff), "/usr/bin/perl+8191");
  EXPECT_EQ(At(7, 0x401000), "/new+20480");
  EXPECT_EQ(At(7, 0x402000), "/usr/bin/perl+12288") << "the rest behind it";
  Map(0x300000, 0x400000, "//anon");
  EXPECT_EQ(At(7, 0x401000), "+1052672");
  EXPECT_EQ(At(7, 0x500000), "+2097152");
  EXPECT_EQ(At(7, 0x800000), "/a b (deleted)+8192");
  Map(0x900000, 0, "/empty");
  EXPECT_EQ(At(7, 0x900000), "none");
}

TEST_F(AddressSpacesTest, AHeapThatGrowsStaysTheHeap) {
  At(7, 0);
  Map(0x500000, 0x200000, "//anon");
  EXPECT_EQ(At(7, 0x680000), "[heap]+1572864");
  Map(0x700000, 0x100000, "//anon");
  EXPECT_EQ(At(7, 0x700000), "[heap]+0") << "as a mapping of its own";
  Map(0x900000, 0x100000, "//anon");
  EXPECT_EQ(At(7, 0x900000), "+0");
}

TEST_F(AddressSpacesTest, AChildHasThoseOfItsParent) {
  Take(ForkRecord{9, 7});
  EXPECT_EQ(spaces_.Comm(9), "perl");
  EXPECT_EQ(At(9, 0x500000), "[heap]+0");
  Map(0x500000, 0x1000, "/of/the/parent");
  EXPECT_EQ(At(7, 0x500000), "/of/the/parent+0");
  EXPECT_EQ(At(9, 0x500000), "[heap]+0");
  MapOf(9, 0x600000, 0x1000, "/of/the/child");
  EXPECT_EQ(At(9, 0x600000), "/of/the/child+0");
  EXPECT_EQ(At(7, 0x600000), "none");
  Take(ForkRecord{7, 7});  // a thread
  EXPECT_EQ(At(7, 0x500000), "/of/the/parent+0");
}

TEST_F(AddressSpacesTest, AnExecTakesThemAway) {
  At(7, 0);
  procfs_.Write(7, "maps", "");
  Take(CommRecord{7, 7, true, "sort"});
  EXPECT_EQ(spaces_.Comm(7), "sort");
  EXPECT_EQ(At(7, 0x500000), "none");
  Map(0x400000, 0x1000, "/usr/bin/sort");
  EXPECT_EQ(At(7, 0x400000), "/usr/bin/sort+0");
  Take(CommRecord{7, 8, false, "a thread"});
  EXPECT_EQ(spaces_.Comm(7), "sort");
  Take(CommRecord{7, 7, false, "renamed"});
  EXPECT_EQ(spaces_.Comm(7), "renamed");
}

// The kernel writes no record for the stack that an exec makes.
TEST_F(AddressSpacesTest, AnUnknownAddressIsLookedUpOnceATurn) {
  At(7, 0);
  procfs_.Write(7, "maps",
                "00a00000-00a01000 rw-p 00000000 00:00 0  [stack]\n");
  EXPECT_EQ(At(7, 0xa00000), "none") << "it was read in this turn";
  spaces_.Forget();
  EXPECT_EQ(At(7, 0xa00000), "[stack]+0");
}

// While a process exits, its maps are empty.
TEST_F(AddressSpacesTest, WhatIsKnownStaysIfThereIsNothingToRead) {
  At(7, 0);
  spaces_.Forget();
  procfs_.Write(7, "maps", "");
  EXPECT_EQ(At(7, 0xa00000), "none");
  EXPECT_EQ(At(7, 0x500000), "[heap]+0");
}

TEST_F(AddressSpacesTest, AnExitedProcessIsKeptUntilForget) {
  Take(ForkRecord{9, 7});
  procfs_.Remove(7);
  Take(ExitRecord{9, 10});
  Take(ExitRecord{9, 9});
  EXPECT_EQ(At(9, 0x500000), "[heap]+0");
  spaces_.Forget();
  EXPECT_EQ(At(9, 0x500000), "none");
}

}  // namespace
}  // namespace pfe
