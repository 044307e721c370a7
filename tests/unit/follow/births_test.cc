// SPDX-License-Identifier: Apache-2.0
#include "follow/births.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "follow/sums.h"
#include "samples.h"

namespace pfe {
namespace {

constexpr uint64_t kHold = 60 * kSecond;

Offered Everything() {
  Offered offered;
  offered.breakdown = offered.stall = offered.slow = true;
  return offered;
}

// What metrics show, by comm and counter.
using Shown = std::map<std::pair<std::string, size_t>, uint64_t>;

uint64_t TotalOf(const NamedSums& sums, size_t counter) {
  if (counter >= Births::kSlow) return sums.slow[counter - Births::kSlow];
  if (counter == Births::kStall) return sums.counters.stall_ns;
  return counter < Births::kPlain ? sums.breakdown[counter]
                                  : sums.plain[counter - Births::kPlain];
}

Shown ShownBy(const Sums& sums) {
  Shown shown;
  for (const NamedSums& comm : *sums.all())
    for (size_t counter = 0; counter < Births::kCounters; ++counter)
      if (comm.births.Has(counter))
        shown[{comm.name, counter}] =
            TotalOf(comm, counter) - comm.births.Held(counter);
  return shown;
}

class BirthsTest : public testing::Test {
 protected:
  BirthsTest() { sums_.set_birth_hold(kHold); }

  // A process that faulted `growth` times since the tick before, and had
  // `faults` before the first tick. `slow` of `growth` were slow, and
  // `were_slow` of `faults`.
  void Add(const std::string& comm, size_t cell, uint64_t growth,
           uint64_t faults = 0, const SlowFaults& slow = {},
           const SlowFaults& were_slow = {}) {
    RowGrowth grown;
    grown.Clear();
    // A stall of 1 ns a fault.
    grown.counters = {growth, growth, 0, growth};
    grown.slow = slow;
    if (growth) grown.SetCell(cell, growth);
    Sample process = Live(1, 1, comm, faults + growth);
    process.cells = faults + growth ? 1u << cell : 0;
    for (size_t i = 0; i < slow.size(); ++i)
      if (were_slow[i] + slow[i]) process.slow_bits |= 1u << i;
    sums_.Add(process, comm, Sums::kOther, grown);
  }
  void Begin(uint64_t seconds, bool interrupted = false) {
    sums_.Begin(seconds * kSecond, Everything(), interrupted);
  }
  // A tick in which nothing faults.
  void Quiet(uint64_t seconds, bool interrupted = false) {
    Begin(seconds, interrupted);
    sums_.Commit();
  }
  uint64_t Show(const std::string& comm, size_t counter) const {
    return ShownBy(sums_).at({comm, counter});
  }

  Sums sums_{2};
};

TEST_F(BirthsTest, ANewCounterStaysAtZeroForTheHold) {
  Quiet(1000);
  Begin(1005);
  Add("burst", 3, 100000);
  sums_.Commit();
  for (uint64_t now = 1010; now <= 1065; now += 5) {
    EXPECT_EQ(Show("burst", 3), 0u) << now;
    EXPECT_EQ(Show("burst", Births::kStall), 0u) << now;
    EXPECT_EQ(HeldBackOf(*sums_.all()).faults, 100000u);
    EXPECT_EQ(HeldBackOf(*sums_.all()).stall_ns, 100000u);
    EXPECT_EQ((*sums_.all())[1].counters.faults, 100000u) << "for the API";
    Quiet(now);
    EXPECT_FALSE(sums_.released());
  }
  // The tick at 1065 was the first after the hold, and still had 0.
  Quiet(1070);
  EXPECT_TRUE(sums_.released());
  EXPECT_EQ(Show("burst", 3), 100000u);
  EXPECT_EQ(Show("burst", Births::kStall), 100000u);
  EXPECT_EQ(HeldBackOf(*sums_.all()).faults, 0u);
  EXPECT_EQ(HeldBackOf(*sums_.all()).stall_ns, 0u);
}

// Each combination of labels has a birth of its own.
TEST_F(BirthsTest, AnOldCommCanHaveANewCounter) {
  Begin(1000);
  Add("a", 3, 0, 7);
  sums_.Commit();
  Begin(1005);
  Add("a", 3, 10);
  Add("a", 13, 20);
  sums_.Commit();
  EXPECT_EQ(Show("a", 3), 10u) << "it was there in the first tick, with 0";
  EXPECT_EQ(Show("a", 13), 0u);
  Begin(1010);
  Add("a", 3, 1);
  Add("a", 13, 2);
  sums_.Commit();
  EXPECT_EQ(Show("a", 3), 11u);
  EXPECT_EQ(Show("a", 13), 0u);
  EXPECT_EQ(HeldBackOf(*sums_.all()).faults, 22u);
}

TEST_F(BirthsTest, WhatIsThereInTheFirstTickIsThereWithZero) {
  Begin(1000);
  Add("a", 3, 0, 7);
  sums_.Commit();
  EXPECT_EQ(ShownBy(sums_), (Shown{{{"a", 3}, 0}, {{"a", Births::kStall}, 0}}));
}

// A comm has a series for each bound that one of its faults took longer than.
TEST_F(BirthsTest, EachBoundOfSlowFaultsHasABirthOfItsOwn) {
  Begin(1000);
  Add("a", 3, 0, 7, {}, {5, 0, 0, 0});
  sums_.Commit();
  EXPECT_EQ(Show("a", Births::kSlow), 0u) << "it was there in the first tick";
  Begin(1005);
  Add("a", 3, 9, 0, {4, 3, 1, 0});
  sums_.Commit();
  EXPECT_EQ(Show("a", Births::kSlow), 4u);
  EXPECT_EQ(Show("a", Births::kSlow + 1), 0u);
  EXPECT_EQ(Show("a", Births::kSlow + 2), 0u);
  EXPECT_FALSE(ShownBy(sums_).contains({"a", Births::kSlow + 3}));
  EXPECT_EQ(HeldBackOf(*sums_.all()).slow, (SlowFaults{0, 3, 1, 0}));
  EXPECT_EQ((*sums_.all())[1].slow, (SlowFaults{4, 3, 1, 0}));
  Quiet(1065);
  Quiet(1070);
  EXPECT_EQ(Show("a", Births::kSlow + 1), 3u);
  EXPECT_EQ(Show("a", Births::kSlow + 2), 1u);
  EXPECT_EQ(HeldBackOf(*sums_.all()).slow, SlowFaults{});
}

TEST_F(BirthsTest, WithoutAHoldTheTruthIsThereAtOnce) {
  sums_.set_birth_hold(0);
  Quiet(1000);
  Begin(1005);
  Add("burst", 3, 100000);
  sums_.Commit();
  EXPECT_EQ(Show("burst", 3), 100000u);
}

// A hold of an hour is shortened: what was born counts by the new one.
TEST_F(BirthsTest, TheHoldCanBeChanged) {
  sums_.set_birth_hold(3600 * kSecond);
  Quiet(1000);
  Begin(1005);
  Add("burst", 3, 5);
  sums_.Commit();
  Quiet(1070);
  Quiet(1075);
  EXPECT_EQ(Show("burst", 3), 0u);
  sums_.set_birth_hold(0);
  Quiet(1080);
  EXPECT_EQ(Show("burst", 3), 5u);
}

// While reads fail nobody can see the 0.
TEST_F(BirthsTest, TimeInWhichReadsFailDoesNotCount) {
  Quiet(1000);
  Begin(1005);
  Add("burst", 3, 5);
  sums_.Commit();
  Quiet(1500, true);
  Quiet(1505);
  EXPECT_EQ(Show("burst", 3), 0u);
  Quiet(1560);
  EXPECT_EQ(Show("burst", 3), 0u);
  Quiet(1565);
  EXPECT_EQ(Show("burst", 3), 5u);
}

TEST_F(BirthsTest, WhatLeavesTheBucketStartsAtZeroAndLeavesItsPast) {
  Begin(1000);
  Add("a", 3, 0);
  Add("b", 3, 0);
  sums_.Commit();
  for (uint64_t now = 1005; now <= 1100; now += 5) {
    Begin(now);
    Add("c", 3, 1);
    sums_.Commit();
  }
  EXPECT_EQ(Show("other", 3), 20u);
  Quiet(1000 + Sums::kIdleNs / kSecond);
  Begin(1005 + Sums::kIdleNs / kSecond);
  Add("c", 3, 50);
  sums_.Commit();
  EXPECT_EQ(Show("c", 3), 0u);
  EXPECT_EQ(Show("other", 3), 20u);
  EXPECT_EQ(HeldBackOf(*sums_.all()).faults, 50u);
}

// When a comm loses its place, the metrics add the value that they showed for
// it to the bucket, even if the counter is new there.
TEST_F(BirthsTest, WhatAPlaceGivesUpGoesToTheBucket) {
  Begin(1000);
  Add("a", 3, 0, 1);
  Add("b", 3, 0, 1);
  sums_.Commit();
  Begin(1005);
  Add("a", 3, 4902);
  sums_.Commit();
  EXPECT_EQ(Show("a", 3), 4902u);
  const uint64_t later = 1010 + Sums::kIdleNs / kSecond;
  Quiet(later);
  Begin(later + 5);
  Add("c", 3, 1);
  sums_.Commit();
  const Shown shown = ShownBy(sums_);
  EXPECT_FALSE(shown.contains({"a", 3}));
  EXPECT_EQ(shown.at({"other", 3}), 4902u);
  EXPECT_EQ(shown.at({"other", Births::kStall}), 4902u);
  EXPECT_EQ((*sums_.all())[Sums::kOther].counters.faults, 4902u);
  // A scraper may not have seen these 4902 yet: what the bucket grows is held
  // back.
  Begin(later + 10);
  Add("other", 3, 10);
  sums_.Commit();
  EXPECT_EQ(Show("other", 3), 4902u);
  EXPECT_EQ(HeldBackOf(*sums_.all()).faults, 11u);
}

// A hold that is longer than a comm may be idle goes on in the bucket.
TEST_F(BirthsTest, WhatIsHeldBackStaysSoInTheBucket) {
  sums_.set_birth_hold(2 * Sums::kIdleNs);
  Quiet(1000);
  Begin(1005);
  Add("a", 3, 7);
  Add("b", 3, 8);
  sums_.Commit();
  const uint64_t later = 1010 + Sums::kIdleNs / kSecond;
  Quiet(later);
  Begin(later + 5);
  Add("c", 3, 1);
  sums_.Commit();
  EXPECT_EQ(Show("other", 3), 0u);
  EXPECT_EQ(HeldBackOf(*sums_.all()).faults, 16u);
}

// A machine with more comms than places, whose reads fail now and then.
class RandomBirths {
 public:
  explicit RandomBirths(unsigned seed)
      : random_(seed), hold_ns_(seed % 2 ? kHold : 2 * Sums::kIdleNs) {
    sums_.set_birth_hold(hold_ns_);
  }

  void Tick() {
    const bool idle = random_() % 10 == 0;
    now_ns_ += idle ? 700 * kSecond : random_() % 20 * kSecond + 1;
    if (random_() % 8 == 0) {
      interrupted_ = true;
      if (random_() % 2) Fill(false);  // it fails in the middle
      return;
    }
    if (!interrupted_) seen_ns_ += now_ns_ - last_ns_;
    Fill(true);
    sums_.Commit();
    Check();
    last_ns_ = now_ns_;
    interrupted_ = false;
  }

 private:
  void Fill(bool counts) {
    Offered offered;
    offered.stall = true;
    offered.breakdown = random_() % 4 != 0;
    sums_.Begin(now_ns_, offered, interrupted_);
    for (auto n = random_() % 4; n > 0; --n) {
      RowGrowth growth;
      growth.Clear();
      const uint64_t minor = random_() % 100, major = random_() % 3;
      const uint64_t slow = random_() % 3;
      growth.counters = {minor + major, minor, major, random_() % 5};
      growth.slow = {slow, slow / 2, 0, 0};
      if (minor) growth.SetCell(random_() % 12, minor);
      if (major) growth.SetCell(12 + random_() % 12, major);
      const std::string comm(1, static_cast<char>('a' + random_() % 8));
      sums_.Add(Live(1, 1, comm, 0), comm, Sums::kOther, growth);
      if (counts) AddTo(growth.counters, growth.slow, &total_);
    }
  }

  // The fields of HeldBack are what is compared; here they are of all growth.
  static void AddTo(const Counters& counters, const SlowFaults& slow,
                    HeldBack* total) {
    total->faults += counters.faults;
    total->stall_ns += counters.stall_ns;
    for (size_t i = 0; i < slow.size(); ++i) total->slow[i] += slow[i];
  }

  void Check() {
    HeldBack counted, shown;
    for (const NamedSums& comm : *sums_.all())
      AddTo(comm.counters, comm.slow, &counted);
    const Shown now = ShownBy(sums_);
    for (const auto& [key, value] : now) {
      (key.second >= Births::kSlow    ? shown.slow[key.second - Births::kSlow]
       : key.second == Births::kStall ? shown.stall_ns
                                      : shown.faults) += value;
      CheckBirth(key, value);
    }
    const HeldBack held = HeldBackOf(*sums_.all());
    EXPECT_EQ(counted.faults, total_.faults) << "no fault is lost";
    EXPECT_EQ(counted.stall_ns, total_.stall_ns);
    EXPECT_EQ(shown.faults + held.faults, total_.faults);
    EXPECT_EQ(shown.stall_ns + held.stall_ns, total_.stall_ns);
    EXPECT_EQ(counted.slow, total_.slow);
    for (size_t i = 0; i < kSlowBounds.size(); ++i) {
      EXPECT_EQ(shown.slow[i] + held.slow[i], total_.slow[i]);
      EXPECT_GE(shown.slow[i], shown_.slow[i]);
    }
    EXPECT_GE(shown.faults, shown_.faults) << "the sum never falls";
    EXPECT_GE(shown.stall_ns, shown_.stall_ns);
    shown_ = shown;
    std::erase_if(born_,
                  [&](const auto& one) { return !now.contains(one.first); });
  }

  // A counter of a comm's own is 0 at first, and at all ticks in the hold.
  void CheckBirth(const Shown::key_type& key, uint64_t value) {
    const bool is_held = last_ns_ != 0 && key.first != "other";
    const bool is_new =
        born_.emplace(key, is_held ? seen_ns_ + hold_ns_ : 0).second;
    if (is_new && is_held) {
      EXPECT_EQ(value, 0u) << key.first << key.second;
    }
    if (value) {
      EXPECT_GE(seen_ns_, born_.at(key)) << key.first << key.second;
    }
  }

  std::mt19937 random_;
  const uint64_t hold_ns_;
  Sums sums_{3};
  uint64_t now_ns_ = 1000 * kSecond;
  uint64_t last_ns_ = 0;  // of the last good tick
  uint64_t seen_ns_ = 0;  // for how long sums were served
  bool interrupted_ = false;
  HeldBack total_, shown_;
  std::map<Shown::key_type, uint64_t> born_;  // when its hold ends, as seen_ns_
};

TEST(BirthsRandom, ShownAndHeldAreTheTotalAndTheSumNeverFalls) {
  for (unsigned seed = 1; seed <= 50 && !testing::Test::HasFailure(); ++seed) {
    RandomBirths machine(seed);
    for (int tick = 0; tick < 400; ++tick) machine.Tick();
  }
}

}  // namespace
}  // namespace pfe
