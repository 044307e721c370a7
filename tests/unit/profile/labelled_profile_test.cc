// SPDX-License-Identifier: Apache-2.0
#include "profile/labelled_profile.h"

#include <gtest/gtest.h>

#include <map>
#include <protozero/pbf_reader.hpp>
#include <string>
#include <tuple>
#include <vector>

#include "profile/pprof.h"
#include "samples.h"

namespace pfe {
namespace {

using Stack = LabelledProfile::Stack;

class LabelledProfileTest : public testing::Test {
 protected:
  void Add(const std::string& comm, size_t severity, uint64_t weight,
           uint64_t ns, const std::string& function) {
    FaultSample sample;
    sample.severity = severity;
    sample.kind = 0;
    sample.access = 1;
    sample.weight = weight;
    sample.ns = ns;
    stacks_.Add(sample, {stacks_.Keep(comm), 7, severity, 1, 0}, "[heap]",
                {{nullptr, stacks_.Keep("/bin/" + function), 16}});
  }
  LabelledProfile Labelled() {
    Functions functions("/proc");
    bool is_cut = false;
    const auto names = stacks_.NameFrames(
        &functions, [] { return false; }, &is_cut);
    return Label(stacks_, names, functions);
  }
  // The growth of some comms from 0 to the rows.
  static CounterGrowth GrowthTo(const std::vector<Sample>& rows) {
    CounterGrowth growth;
    Snapshot reading = Of({}, "module", 1);
    reading.module.emplace();
    growth.Take(reading, Selector::OfAll());
    reading = Of(rows, "module", 1);
    reading.module.emplace();
    growth.Take(reading, Selector::OfAll());
    return growth;
  }
  static std::map<std::pair<std::string, size_t>, int64_t> Faults(
      const LabelledProfile& profile) {
    std::map<std::pair<std::string, size_t>, int64_t> faults;
    for (const Stack& stack : profile.stacks)
      faults[{stack.comm, stack.severity}] += stack.faults;
    return faults;
  }

  Stacks stacks_;
};

TEST_F(LabelledProfileTest, HasWhatWasSampled) {
  Add("java", 0, 97, 1000, "grow");
  Add("java", 0, 97, 1000, "grow");
  Add("java", 1, 1, 5000, "read");
  const LabelledProfile profile = Labelled();
  ASSERT_EQ(profile.stacks.size(), 2u);
  EXPECT_EQ(profile.stacks[0].comm, "java");
  EXPECT_EQ(profile.stacks[0].mapping, "[heap]");
  EXPECT_EQ(profile.stacks[0].cgroup, 7u);
  EXPECT_EQ(profile.stacks[0].access, 1u);
  EXPECT_EQ(profile.stacks[0].faults, 194);
  EXPECT_EQ(profile.stacks[0].stall_ns, 194000);
  const LabelledProfile::Frame& frame =
      profile.frames[profile.stacks[0].frames.at(0)];
  EXPECT_EQ(frame.function, "grow+0x10");
  EXPECT_EQ(frame.offset, 16u);
  EXPECT_EQ(profile.files.at(frame.file).name, "/bin/grow");
}

// The numbers of samples do not divide those of the counters.
TEST_F(LabelledProfileTest, SumsAreThoseOfTheCounters) {
  for (int i = 0; i < 7; ++i) Add("java", 0, 97, 1000, "f" + std::to_string(i));
  Add("perl", 0, 97, 1000, "x");
  LabelledProfile profile = Labelled();
  const CounterGrowth growth = GrowthTo(
      {Live(1, 1, "java", 1000), Live(2, 1, "java", 3), Live(3, 1, "perl", 5)});
  ScaleTo(growth, &profile);
  const auto faults = Faults(profile);
  EXPECT_EQ(faults.at({"java", 0}), 1003);
  EXPECT_EQ(faults.at({"perl", 0}), 5);
  for (const Stack& stack : profile.stacks)
    if (stack.comm == "java") {
      EXPECT_NEAR(static_cast<double>(stack.faults), 1003 / 7.0, 1);
    }
}

TEST_F(LabelledProfileTest, WhatHasNoSampleIsNotSpread) {
  Add("java", 0, 97, 1000, "grow");
  LabelledProfile profile = Labelled();
  ScaleTo(GrowthTo({Live(1, 1, "java", 50), Live(2, 1, "bash", 9)}), &profile);
  ASSERT_EQ(profile.stacks.size(), 2u);
  const Stack& stack = profile.stacks[1];
  EXPECT_EQ(stack.comm, "bash");
  EXPECT_EQ(stack.faults, 9);
  EXPECT_EQ(stack.mapping, LabelledProfile::kNotSampled);
  EXPECT_EQ(profile.frames[stack.frames.at(0)].function,
            LabelledProfile::kNotSampled);
  EXPECT_EQ(Faults(profile).at({"java", 0}), 50);
}

// What pprof reads of the bytes.
struct Decoded {
  std::vector<std::string> texts;
  std::vector<std::vector<int64_t>> values;
  std::vector<std::vector<uint64_t>> locations;
  std::vector<std::map<std::string, std::string>> labels;
  std::map<uint64_t, std::string> functions;  // names by id
  std::map<uint64_t, uint64_t> location_function;
  std::map<uint64_t, std::string> build_ids;  // by mapping
};

Decoded Decode(const std::string& bytes) {
  Decoded decoded;
  // Texts come last.
  for (protozero::pbf_reader message(bytes); message.next(6);)
    decoded.texts.push_back(message.get_string());
  for (protozero::pbf_reader message(bytes); message.next(2);) {
    auto& values = decoded.values.emplace_back();
    auto& locations = decoded.locations.emplace_back();
    auto& labels = decoded.labels.emplace_back();
    for (auto sample = message.get_message(); sample.next();) {
      if (sample.tag() == 1) {
        for (const uint64_t id : sample.get_packed_uint64())
          locations.push_back(id);
      } else if (sample.tag() == 2) {
        for (const int64_t value : sample.get_packed_int64())
          values.push_back(value);
      } else {
        auto label = sample.get_message();
        EXPECT_TRUE(label.next(1));
        const std::string& key =
            decoded.texts.at(static_cast<size_t>(label.get_int64()));
        EXPECT_TRUE(label.next(2));
        labels[key] = decoded.texts.at(static_cast<size_t>(label.get_int64()));
      }
    }
  }
  for (protozero::pbf_reader message(bytes); message.next(3);) {
    auto mapping = message.get_message();
    EXPECT_TRUE(mapping.next(1));
    const uint64_t id = mapping.get_uint64();
    EXPECT_TRUE(mapping.next(6));
    decoded.build_ids[id] =
        decoded.texts.at(static_cast<size_t>(mapping.get_int64()));
  }
  for (protozero::pbf_reader message(bytes); message.next(4);) {
    auto location = message.get_message();
    EXPECT_TRUE(location.next(1));
    const uint64_t id = location.get_uint64();
    EXPECT_TRUE(location.next(4));
    auto line = location.get_message();
    EXPECT_TRUE(line.next(1));
    decoded.location_function[id] = line.get_uint64();
  }
  for (protozero::pbf_reader message(bytes); message.next(5);) {
    auto function = message.get_message();
    EXPECT_TRUE(function.next(1));
    const uint64_t id = function.get_uint64();
    EXPECT_TRUE(function.next(2));
    decoded.functions[id] =
        decoded.texts.at(static_cast<size_t>(function.get_int64()));
  }
  return decoded;
}

TEST_F(LabelledProfileTest, IsEncodedForPprof) {
  Add("ja\xffva", 1, 97, 1000, "grow");
  LabelledProfile profile = Labelled();
  profile.cgroups[7] = "/shop.slice";
  profile.files.at(0).build_id = "\x01\xab";
  const Decoded decoded = Decode(EncodePprof(profile, {5, 6}, {"a comment"}));
  EXPECT_EQ(decoded.texts.at(0), "");
  ASSERT_EQ(decoded.values.size(), 1u);
  EXPECT_EQ(decoded.values[0], (std::vector<int64_t>{97, 97000}));
  EXPECT_EQ(decoded.labels[0],
            (std::map<std::string, std::string>{{"comm", "ja\xef\xbf\xbdva"},
                                                {"mapping", "[heap]"},
                                                {"severity", "major"},
                                                {"access", "write"},
                                                {"kind", kKindNames[0]},
                                                {"cgroup", "/shop.slice"}}));
  ASSERT_EQ(decoded.locations[0].size(), 1u);
  EXPECT_EQ(decoded.functions.at(
                decoded.location_function.at(decoded.locations[0][0])),
            "grow+0x10");
  EXPECT_EQ(decoded.build_ids.at(1), "01ab");
}

// pprof refuses a profile whose ids are 0 or not there.
TEST_F(LabelledProfileTest, WhatIsNotKnownHasNoLabel) {
  FaultSample sample;
  sample.weight = 3;
  stacks_.Add(sample, {stacks_.Keep("java"), 0, 0, kAccesses, kKinds}, "[heap]",
              {});
  const Decoded decoded = Decode(EncodePprof(Labelled(), {}, {}));
  EXPECT_EQ(
      decoded.labels.at(0),
      (std::map<std::string, std::string>{
          {"comm", "java"}, {"mapping", "[heap]"}, {"severity", "minor"}}));
  EXPECT_EQ(decoded.functions.at(
                decoded.location_function.at(decoded.locations.at(0).at(0))),
            "[kernel]");
}

}  // namespace
}  // namespace pfe
