// SPDX-License-Identifier: Apache-2.0
#include "render/sample_writer.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <string>

namespace pfe {
namespace {

template <typename Value>
std::string Sample(std::string_view labels, std::string_view more,
                   Value value) {
  SampleWriter writer;
  writer.Clear(SampleWriter::SampleRoom(4, labels.size() + more.size()));
  writer.AppendSample("name", labels, more, value);
  return std::string(writer.text());
}

TEST(SampleWriter, LabelSets) {
  EXPECT_EQ(Sample("", "", uint64_t{1}), "name 1\n");
  EXPECT_EQ(Sample(",a=\"1\"", "", uint64_t{1}), "name{a=\"1\"} 1\n");
  EXPECT_EQ(Sample("", ",b=\"2\"", uint64_t{1}), "name{b=\"2\"} 1\n");
  EXPECT_EQ(Sample(",a=\"1\"", ",b=\"2\"", uint64_t{1}),
            "name{a=\"1\",b=\"2\"} 1\n");
}

TEST(SampleWriter, EscapesThreeCharacters) {
  SampleWriter writer;
  writer.Clear(100);
  writer.AppendLabel("comm", "a\"b\\c\nd\te\x01");
  EXPECT_EQ(writer.text(), ",comm=\"a\\\"b\\\\c\\nd\te\x01\"");
}

// A long value is copied as a whole if it has none of the three.
TEST(SampleWriter, EscapesInLongValues) {
  const std::string path = "/" + std::string(40, 'a');
  for (const auto& [character, escaped] :
       {std::pair("", ""), std::pair("\\", "\\\\"), std::pair("\"", "\\\""),
        std::pair("\n", "\\n"), std::pair("\t", "\t")}) {
    SampleWriter writer;
    writer.Clear(SampleWriter::LabelRoom("cgroup", path.size() + 2));
    writer.AppendLabel("cgroup", path + character + "z");
    EXPECT_EQ(writer.text(), ",cgroup=\"" + path + escaped + "z\"");
  }
}

TEST(SampleWriter, Values) {
  EXPECT_EQ(Sample("", "", std::numeric_limits<uint64_t>::max()),
            "name 18446744073709551615\n");
  EXPECT_EQ(Sample("", "", Seconds{1020000000}), "name 1.02\n");
  EXPECT_EQ(Sample("", "", Seconds{7}), "name 0.000000007\n");
  EXPECT_EQ(Sample("", "", -7.0), "name -7\n");
  EXPECT_EQ(Sample("", "", 12345678.0), "name 12345678\n");
  EXPECT_EQ(Sample("", "", 0.25), "name 0.25\n");
}

TEST(SampleWriter, GrowsWithItsContent) {
  SampleWriter writer;
  std::string expected;
  for (uint64_t i = 0; i < 1000; ++i) {
    writer.Reserve(SampleWriter::SampleRoom(1, 0));
    writer.AppendSample("x", "", "", i);
    expected += "x " + std::to_string(i) + "\n";
  }
  EXPECT_EQ(writer.text(), expected);
}

// What Go's strconv.FormatFloat(x, 'g', -1, 64) prints.
TEST(FormatDouble, AsGoDoes) {
  const std::pair<double, const char*> cases[] = {
      {0, "0"},
      {1, "1"},
      {0.1, "0.1"},
      {0.0001, "0.0001"},
      {0.00001, "1e-05"},
      {8192e-9, "8.192e-06"},
      {256e-9, "2.56e-07"},
      {0.000131072, "0.000131072"},
      {1.5, "1.5"},
      {100000, "100000"},
      {1e6, "1e+06"},
      {1234567, "1.234567e+06"},
      {-2.5, "-2.5"},
      {1e300, "1e+300"},
  };
  for (const auto& [number, text] : cases)
    EXPECT_EQ(FormatDouble(number), text);
  EXPECT_EQ(FormatDouble(std::numeric_limits<double>::infinity()), "+Inf");
  EXPECT_EQ(FormatDouble(-std::numeric_limits<double>::infinity()), "-Inf");
  EXPECT_EQ(FormatDouble(std::numeric_limits<double>::quiet_NaN()), "NaN");
}

TEST(FormatDouble, ReadsBackAsTheSameNumber) {
  std::mt19937_64 random(4);
  for (int i = 0; i < 10000; ++i) {
    const double number = std::ldexp(static_cast<double>(random()),
                                     static_cast<int>(random() % 200) - 150);
    EXPECT_EQ(std::stod(FormatDouble(number)), number);
  }
}

// OpenMetrics 1.0, "Considerations: Canonical Numbers".
TEST(FormatBound, IsAFloatInOpenMetrics) {
  const std::pair<double, const char*> cases[] = {
      {0, "0.0"},
      {0.001, "0.001"},
      {0.99, "0.99"},
      {1, "1.0"},
      {1.7, "1.7"},
      {10, "10.0"},
      {1e-10, "1e-10"},
      {1e-5, "1e-05"},
      {0.0001, "0.0001"},
      {1e5, "100000.0"},
      {1e6, "1e+06"},
      {1e10, "1e+10"},
      {std::numeric_limits<double>::infinity(), "+Inf"}};
  for (const auto& [bound, text] : cases)
    EXPECT_EQ(FormatBound(bound, true), text);
  EXPECT_EQ(FormatBound(1, false), "1");
}

}  // namespace
}  // namespace pfe
