// SPDX-License-Identifier: Apache-2.0
#include "profile/address_spaces.h"

#include <gtest/gtest.h>

#include <cinttypes>
#include <cstdio>
#include <string>

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
  std::string At(uint32_t pid, uint64_t address, uint32_t thread = 0) {
    uint64_t start = 0;
    const Mapping* mapping =
        spaces_.Find(pid, thread ? thread : pid, address, &start);
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
  spaces_.Follow(7);
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
  spaces_.Follow(7);
  Take(ForkRecord{9, 7});
  procfs_.Remove(7);
  Take(ExitRecord{9, 10});
  Take(ExitRecord{9, 9});
  EXPECT_EQ(At(9, 0x500000), "[heap]+0");
  spaces_.Forget();
  EXPECT_EQ(At(9, 0x500000), "none");
}

// What was unmapped leaves no record.
TEST_F(AddressSpacesTest, WhatIsReadReplacesWhatWasKnown) {
  At(7, 0);
  spaces_.Forget();
  procfs_.Write(7, "maps",
                "00a00000-00a01000 rw-p 00000000 00:00 0  [stack]\n");
  EXPECT_EQ(At(7, 0xa00000), "[stack]+0");
  EXPECT_EQ(At(7, 0x400000), "none");
}

TEST_F(AddressSpacesTest, MapsAreReadOfWhatIsAskedForAlone) {
  procfs_.Start(9, 1);
  procfs_.Write(9, "comm", "child\n");
  Take(ForkRecord{9, 7});
  EXPECT_EQ(spaces_.Comm(7), "perl");
  procfs_.Write(7, "maps", "");
  EXPECT_EQ(At(7, 0x400000), "none") << "it was not read before";
  MapOf(9, 0x400000, 0x1000, "/not/followed");
  EXPECT_EQ(At(9, 0x400000), "none");
}

// Further memory without a name is none of the heap, which would be beside it.
TEST_F(AddressSpacesTest, MapsAreNotReadForEachAnonymousMapping) {
  At(7, 0);
  procfs_.Write(7, "maps",
                "00a00000-00a01000 rw-p 00000000 00:00 0  [stack]\n");
  Map(0x900000, 0x1000, "//anon");
  spaces_.Forget();
  EXPECT_EQ(At(7, 0x900000), "+0");
  EXPECT_EQ(At(7, 0x500000), "[heap]+0") << "maps were not read again";
}

// The kernel moves the end of the heap after it has written the record.
TEST_F(AddressSpacesTest, AFirstHeapIsLookedUpOnce) {
  Take(CommRecord{7, 7, true, "sort"});
  Map(0x500000, 0x1000, "//anon");
  EXPECT_EQ(At(7, 0x500000), "[heap]+0");
  Map(0x500000, 0x1000, "//anon");
  procfs_.Write(7, "maps", "");
  EXPECT_EQ(At(7, 0x500000), "[heap]+0") << "it covers the heap";
}

TEST_F(AddressSpacesTest, AnonymousMemoryHasNoNameEvenIfItWasGivenOne) {
  procfs_.Write(7, "maps",
                "00a00000-00a01000 rw-p 00000000 00:00 0  [anon:malloc]\n");
  EXPECT_EQ(At(7, 0xa00000), "+0");
}

// The main thread has ended, so that its maps are empty.
TEST_F(AddressSpacesTest, AnyThreadTellsTheMapsOfItsProcess) {
  procfs_.Start(8, 1);
  procfs_.Write(8, "maps",
                "00a00000-00a01000 rw-p 00000000 00:00 0  [stack]\n");
  procfs_.Write(7, "maps", "");
  EXPECT_EQ(At(7, 0xa00000, 8), "[stack]+0");
}

TEST_F(AddressSpacesTest, AfterALossTheyAreReadAgain) {
  spaces_.Follow(7);
  spaces_.Forget();
  procfs_.Write(7, "comm", "renamed\n");
  procfs_.Write(7, "maps",
                "00400000-00403000 r-xp 00000000 08:01 99  /usr/bin/sort\n");
  EXPECT_EQ(At(7, 0x400000), "/usr/bin/perl+4096");
  spaces_.Distrust();
  EXPECT_EQ(At(7, 0x400000), "/usr/bin/sort+0");
  EXPECT_EQ(spaces_.Comm(7), "renamed");
  spaces_.Distrust();
  procfs_.Remove(7);
  spaces_.Forget();
  EXPECT_EQ(At(7, 0x400000), "/usr/bin/sort+0") << "it cannot be read any more";
  EXPECT_EQ(spaces_.Comm(7), "renamed");
}

TEST_F(AddressSpacesTest, HaveALimitTogether) {
  const std::string name(4000, 'x');
  for (uint32_t pid = 10; pid < 110; ++pid) {
    Take(CommRecord{pid, pid, true, "x"});
    for (uint64_t i = 0; i < 200; ++i)
      MapOf(pid, (i + 1) * 0x1000, 0x1000, name);
  }
  EXPECT_EQ(At(10, 0x1000), name + "+0");
  EXPECT_GT(spaces_.left_out(), 3000u);
  EXPECT_LT(spaces_.left_out(), 5000u);
  EXPECT_EQ(At(109, 0xc8000), "none");
  // What ends makes room.
  for (uint32_t pid = 10; pid < 110; ++pid) Take(ExitRecord{pid, pid});
  spaces_.Forget();
  const uint64_t left_out = spaces_.left_out();
  EXPECT_EQ(At(7, 0x500000), "[heap]+0");
  EXPECT_EQ(spaces_.left_out(), left_out);
}

// The text of maps with that many bytes at least, with a first mapping at
// 0x1000.
std::string LongMaps(size_t bytes, const std::string& name) {
  std::string maps;
  for (uint64_t i = 1; maps.size() <= bytes; ++i) {
    char range[80];
    snprintf(range, sizeof(range),
             "%08" PRIx64 "-%08" PRIx64 " rw-p 00000000 08:01 7 ", i * 0x1000,
             (i + 1) * 0x1000);
    maps += range + name + "\n";
  }
  return maps;
}

TEST_F(AddressSpacesTest, MapsThatAreTooLongAreCutAndSeldomRead) {
  const std::string name = "/" + std::string(4000, 'x');
  procfs_.Write(7, "maps", LongMaps(AddressSpaces::kMostMapsBytes, name));
  EXPECT_EQ(At(7, 0x1000), name + "+0");
  EXPECT_GT(spaces_.left_out(), 0u);
  procfs_.Write(7, "maps",
                "f0000000-f0001000 rw-p 00000000 00:00 0  [stack]\n");
  int turns = 0;
  for (; At(7, 0xf0000000) == "none" && turns < 1000; ++turns) spaces_.Forget();
  EXPECT_EQ(turns, 65) << "a fourth of 1 MiB a turn";
}

// So that the rings are drained in time.
TEST_F(AddressSpacesTest, ATurnReadsALimitedNumberOfMaps) {
  const std::string maps = LongMaps(1 << 20, "/" + std::string(2000, 'x'));
  constexpr uint32_t kProcesses = 40;
  for (uint32_t pid = 10; pid < 10 + kProcesses; ++pid) {
    procfs_.Start(pid, 1);
    procfs_.Write(pid, "maps", maps);
  }
  const auto follow = [&] {
    uint32_t followed = 0;
    for (uint32_t pid = 10; pid < 10 + kProcesses; ++pid) {
      spaces_.Follow(pid);
      const uint64_t before = spaces_.put_off();
      At(pid, 0x1000);
      followed += spaces_.put_off() == before;
    }
    return followed;
  };
  EXPECT_EQ(follow(), 16u) << "16 MiB";
  EXPECT_GT(spaces_.put_off(), 0u);
  spaces_.Forget();
  EXPECT_EQ(follow(), 17u) << "and 1 MiB each turn";
  for (int i = 0; i < 200; ++i) {
    spaces_.Forget();
    follow();
  }
  EXPECT_EQ(follow(), kProcesses);
}

TEST_F(AddressSpacesTest, ManyMapsOfNothingHaveALimitToo) {
  for (uint32_t pid = 1000; pid < 10000; ++pid) At(pid, 0);
  EXPECT_GT(spaces_.put_off(), 4000u);
}

TEST_F(AddressSpacesTest, WhatDoesNotFitEndsTheReading) {
  const std::string name(4000, 'x');
  for (uint32_t pid = 10; pid < 14; ++pid) {
    Take(CommRecord{pid, pid, true, "x"});
    const uint64_t before = spaces_.left_out();
    for (uint64_t i = 0; spaces_.left_out() == before; ++i)
      MapOf(pid, (i + 1) * 0x1000, 0x1000, name);
  }
  const uint64_t left_out = spaces_.left_out();
  EXPECT_EQ(At(7, 0x500000), "none");
  EXPECT_EQ(spaces_.left_out(), left_out + 1);
}

TEST_F(AddressSpacesTest, ChildrenOfLongMapsAreSeldomReadToo) {
  procfs_.Write(7, "maps", LongMaps(8 << 20, "/x"));
  EXPECT_EQ(At(7, 0x1000), "/x+0");
  procfs_.Start(9, 1);
  procfs_.Write(9, "maps",
                "f0000000-f0001000 rw-p 00000000 00:00 0  [stack]\n");
  Take(ForkRecord{9, 7});
  spaces_.Forget();
  EXPECT_EQ(At(9, 0xf0000000), "none");
}

TEST_F(AddressSpacesTest, AChildOfADistrustedProcessIsDistrusted) {
  procfs_.Start(9, 1);
  procfs_.Write(9, "comm", "renamed\n");
  spaces_.Follow(7);
  spaces_.Distrust();
  Take(ForkRecord{9, 7});
  EXPECT_EQ(spaces_.Comm(9), "renamed");
}

// It was mapped, used and unmapped before it was looked up.
TEST_F(AddressSpacesTest, WhatARecordSaysIsNotLostByMaps) {
  Take(CommRecord{7, 7, true, "sort"});
  Map(0x900000, 0x1000, "//anon", 0);
  EXPECT_EQ(At(7, 0x900000), "+0");
}

TEST_F(AddressSpacesTest, OneProcessDoesNotTakeTheRoomOfAll) {
  const std::string name(4000, 'x');
  Take(CommRecord{10, 10, true, "x"});
  for (uint64_t i = 0; i < 100'000; ++i)
    MapOf(10, (i + 1) * 0x1000, 0x1000, name);
  EXPECT_EQ(At(7, 0x500000), "[heap]+0");
  spaces_.Forget();
  procfs_.Write(7, "maps", "");
  EXPECT_EQ(At(7, 0x500000), "[heap]+0") << "it is still known";
}

TEST_F(AddressSpacesTest, ClearForgetsAll) {
  spaces_.Follow(7);
  spaces_.Clear();
  procfs_.Remove(7);
  EXPECT_EQ(At(7, 0x500000), "none");
}

// The other threads go on.
TEST_F(AddressSpacesTest, AProcessWhoseMainThreadHasEndedIsRead) {
  spaces_.Follow(7);
  Take(ExitRecord{7, 7});
  procfs_.Start(8, 1);
  procfs_.Write(8, "maps",
                "00a00000-00a01000 rw-p 00000000 00:00 0  [stack]\n");
  spaces_.Forget();
  EXPECT_EQ(At(7, 0xa00000, 8), "[stack]+0");
  Take(ExitRecord{7, 7});
  procfs_.Write(8, "maps",
                "00b00000-00b01000 rw-p 00000000 00:00 0  [stack]\n");
  spaces_.Forget();
  EXPECT_EQ(At(7, 0xb00000, 8), "[stack]+0");
}

// As after a loss of the records of their ends.
TEST_F(AddressSpacesTest, TooManyProcessesAreForgotten) {
  for (uint32_t pid = 10; pid <= 10 + AddressSpaces::kMostProcesses; ++pid)
    Take(CommRecord{pid, pid, true, "x"});
  EXPECT_EQ(spaces_.Comm(10), "x");
  spaces_.Forget();
  EXPECT_EQ(spaces_.Comm(10), "");
}

}  // namespace
}  // namespace pfe
