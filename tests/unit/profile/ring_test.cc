// SPDX-License-Identifier: Apache-2.0
#include "profile/ring.h"

#include <gtest/gtest.h>
#include <linux/perf_event.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <vector>

namespace pfe {
namespace {

// Memory with the layout of a perf event's, of which this test is the kernel.
class FakeEvent {
 public:
  FakeEvent() : file_(memfd_create("pfe_ring", MFD_CLOEXEC)) {
    EXPECT_EQ(ftruncate(file_, 2 * page_), 0);
    void* const memory = mmap(nullptr, static_cast<size_t>(2 * page_),
                              PROT_READ | PROT_WRITE, MAP_SHARED, file_, 0);
    EXPECT_NE(memory, MAP_FAILED);
    control_ = static_cast<perf_event_mmap_page*>(memory);
    data_ = static_cast<char*>(memory) + page_;
  }
  ~FakeEvent() {
    munmap(control_, static_cast<size_t>(2 * page_));
    close(file_);
  }
  int file() const { return file_; }
  uint64_t tail() const { return control_->data_tail; }
  uint64_t head() const { return control_->data_head; }
  // Both ends of an empty ring.
  void StartAt(uint64_t at) { control_->data_head = control_->data_tail = at; }
  // A record whose header gives a size, followed by so many bytes.
  void Write(uint16_t size, const std::string& payload) {
    perf_event_header header{};
    header.size = size;
    std::string bytes(reinterpret_cast<const char*>(&header), sizeof(header));
    for (const char byte : bytes + payload)
      data_[control_->data_head++ % static_cast<uint64_t>(page_)] = byte;
  }
  void Write(const std::string& payload) {
    Write(static_cast<uint16_t>(sizeof(perf_event_header) + payload.size()),
          payload);
  }

 private:
  const off_t page_ = sysconf(_SC_PAGESIZE);
  const int file_;
  perf_event_mmap_page* control_ = nullptr;
  char* data_ = nullptr;
};

class RingTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(ring_.Map(event_.file(), 1), 0); }
  // Whether the ring was good. The payloads are in taken_.
  bool Drain() {
    taken_.clear();
    const bool good = ring_.Drain([&](std::string_view record) {
      taken_.emplace_back(record.substr(sizeof(perf_event_header)));
    });
    EXPECT_EQ(event_.tail(), event_.head()) << "there is room again";
    return good;
  }

  FakeEvent event_;
  Ring ring_;
  std::vector<std::string> taken_;
};

using Payloads = std::vector<std::string>;

TEST_F(RingTest, GivesEachRecordOnce) {
  EXPECT_TRUE(Drain());
  EXPECT_EQ(taken_, Payloads());
  event_.Write("one.....");
  event_.Write("two.............");
  EXPECT_TRUE(Drain());
  EXPECT_EQ(taken_, (Payloads{"one.....", "two............."}));
  event_.Write("three...");
  EXPECT_TRUE(Drain());
  EXPECT_EQ(taken_, Payloads{"three..."});
}

TEST_F(RingTest, ARecordCanGoOverTheEnd) {
  event_.StartAt(static_cast<uint64_t>(sysconf(_SC_PAGESIZE)) - 16);
  event_.Write("over the end of the ring");
  event_.Write("next....");
  EXPECT_TRUE(Drain());
  EXPECT_EQ(taken_, (Payloads{"over the end of the ring", "next...."}));
}

TEST_F(RingTest, GoesOnBehindABrokenHeader) {
  for (const int size : {0, 4, 12, 24, 65528}) {
    event_.Write("good....");
    event_.Write(static_cast<uint16_t>(size), "........");
    EXPECT_FALSE(Drain()) << size;
    EXPECT_EQ(taken_, Payloads{"good...."});
    event_.Write("later...");
    EXPECT_TRUE(Drain()) << size;
    EXPECT_EQ(taken_, Payloads{"later..."});
  }
}

TEST_F(RingTest, GoesOnAfterAHeadThatCannotBe) {
  for (int i = 0; i < 1000; ++i) event_.Write("........");
  EXPECT_FALSE(Drain()) << "that is more than it has room for";
  EXPECT_EQ(taken_, Payloads());
  event_.Write("later...");
  EXPECT_TRUE(Drain());
  EXPECT_EQ(taken_, Payloads{"later..."});
}

}  // namespace
}  // namespace pfe
