// SPDX-License-Identifier: Apache-2.0
#include "http/api_keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

#include "http/api.h"
#include "source/stats_parser.h"

namespace pfe {
namespace {

using Json = nlohmann::json;

// The API spells its keys as the module does, so the file has each of them.
TEST(ApiKeys, AreThoseOfTheModule) {
  std::ifstream file(FIXTURES "/debugfs/page_faults/stats");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto stats = ParseStats(text, "stats");
  ASSERT_TRUE(stats.ok()) << stats.error().message;
  View view;
  view.module = stats.value().module;
  view.host = stats.value().host;
  const HttpResponse response =
      AnswerApi("/api/v1/status", "", view, {std::chrono::seconds(5)});
  const Json module = Json::parse(*response.body.at(0))["module"];
  EXPECT_EQ(module.size(), 21u);
  for (const auto& [key, value] : module.items()) {
    std::string line = "\n" + key;
    line += ' ';
    line += value.is_string() ? value.get<std::string>() : value.dump();
    line += '\n';
    EXPECT_THAT(text, testing::HasSubstr(line));
  }
}

}  // namespace
}  // namespace pfe
