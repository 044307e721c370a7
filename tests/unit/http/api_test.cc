// SPDX-License-Identifier: Apache-2.0
#include "http/api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "samples.h"
#include "tick/pipeline.h"

namespace pfe {
namespace {

using Json = nlohmann::json;

PipelineSettings CountFirst() {
  PipelineSettings settings;
  settings.count_first = true;
  return settings;
}

class ApiTest : public testing::Test {
 protected:
  ApiTest() : pipeline_(&source_, CountFirst()) {
    source_.Then(Of({Live(1, 1, "init", 10), Live(2, 1, "sh", 5),
                     Exited(3, 1, "gone", 100), Live(4, 1, "<b>\"", 1)}));
    Sample shell = Live(2, 1, "sh", 50);
    shell.slow = {9, 4, 2, 1};
    source_.Then(Of({Live(1, 1, "init", 11), shell, Exited(3, 1, "gone", 100),
                     Live(4, 1, "<b>\"", 1)}));
    pipeline_.Tick();
    view_ = pipeline_.Tick();
  }

  Json Get(const std::string& path, const std::string& query,
           int status = 200) {
    const HttpResponse response =
        AnswerApi(path, query, *view_, {std::chrono::seconds(5)});
    EXPECT_EQ(response.status, status) << query;
    return Json::parse(*response.body.at(0));
  }

  FakeSource source_;
  Pipeline pipeline_;
  std::shared_ptr<const View> view_;
};

TEST_F(ApiTest, ProcessesByRate) {
  const Json json = Get("/api/v1/processes", "");
  EXPECT_EQ(json["live"], 3);
  EXPECT_EQ(json["processes"][0]["pid"], 2);
  EXPECT_EQ(json["processes"][0]["faults"], 50);
  EXPECT_DOUBLE_EQ(json["processes"][0]["faults_rate"], 45);
  EXPECT_EQ(json["processes"].size(), 3u);
}

TEST_F(ApiTest, SlowFaultsByTheirBound) {
  const Json expected = {{"0.001", 9}, {"0.01", 4}, {"0.1", 2}, {"1", 1}};
  EXPECT_EQ(Get("/api/v1/processes", "pid=2")["processes"][0]["slow_faults"],
            expected);
  EXPECT_EQ(Get("/api/v1/comms", "comm=sh")["comms"][0]["slow_faults"],
            expected);
}

TEST_F(ApiTest, SortLimitFilter) {
  Json json = Get("/api/v1/processes", "sort=pid&order=asc&limit=2");
  EXPECT_EQ(json["processes"][1]["pid"], 2);
  EXPECT_EQ(json["matching"], 3);
  json = Get("/api/v1/processes", "filter=%5Ei");
  EXPECT_EQ(json["processes"].size(), 1u);
  EXPECT_EQ(Get("/api/v1/processes", "pid=4")["processes"][0]["comm"], "<b>\"");
  EXPECT_EQ(Get("/api/v1/processes", "comm=sh")["matching"], 1);
  EXPECT_EQ(Get("/api/v1/comms", "sort=comm")["comms"][0]["comm"], "<b>\"");
  EXPECT_EQ(Get("/api/v1/comms", "comm=gone")["comms"][0]["faults"], 100);
}

TEST_F(ApiTest, HistoryOnRequest) {
  const Json json = Get("/api/v1/processes", "history=1&pid=2");
  EXPECT_EQ(json["processes"][0]["history"]["faults_rate"], Json({0.0, 45.0}));
  EXPECT_FALSE(
      Get("/api/v1/processes", "pid=2")["processes"][0].contains("history"));
}

// Names and ids of a process in a pod and of one in a unit; of one whose group
// is not known there is nothing.
std::shared_ptr<const View> ViewOfAPod() {
  PipelineSettings settings = CountFirst();
  settings.containers = true;
  settings.procfs = FIXTURES "/procfs";
  settings.pod_logs = FIXTURES "/log";
  FakeSource source;
  source.Then(Of({Live(121, 1, "unit", 1), Live(123, 1, "pod", 1),
                  Live(999, 1, "unknown", 1)}));
  Pipeline pipeline(&source, settings);
  return pipeline.Tick();
}

TEST(Api, ControlGroups) {
  const auto view = ViewOfAPod();
  const Json json =
      Json::parse(*AnswerApi("/api/v1/processes", "sort=pid&order=asc", *view,
                             {std::chrono::seconds(5)})
                       .body.at(0));
  const std::string id =
      "9b1dc4b3a7e94f5d8c6b2a1f0e3d4c5b6a7988776655443322110ffeeddccbba";
  Json pod = json["processes"][1]["cgroup"];
  EXPECT_EQ(pod["path"].get<std::string>().substr(0, 15), "/kubepods.slice");
  pod.erase("path");
  EXPECT_EQ(pod, (Json{{"name", "shop/leaky-cache-0/cache"},
                       {"unit", "cri-containerd-" + id + ".scope"},
                       {"namespace", "shop"},
                       {"pod", "leaky-cache-0"},
                       {"pod_uid", "2f1c7a60-5b0e-4d0b-9a3e-0c5d9f6c1b11"},
                       {"container", "cache"},
                       {"container_id", id}}));
  EXPECT_EQ(json["processes"][0]["cgroup"],
            (Json{{"name", "build-farm.service"},
                  {"path", "/system.slice/build-farm.service"},
                  {"unit", "build-farm.service"},
                  {"namespace", ""},
                  {"pod", ""},
                  {"pod_uid", ""},
                  {"container", ""},
                  {"container_id", ""}}));
  EXPECT_FALSE(json["processes"][2].contains("cgroup"));
}

// A person knows the pod, and the path has only its uid.
TEST(Api, AFilterFindsAControlGroupByItsNames) {
  const auto view = ViewOfAPod();
  const auto found = [&view](const std::string& filter) {
    std::vector<std::string> names;
    const Json json = Json::parse(*AnswerApi("/api/v1/cgroups",
                                             "sort=cgroup&filter=" + filter,
                                             *view, {std::chrono::seconds(5)})
                                       .body.at(0));
    for (const Json& item : json["cgroups"])
      names.push_back(item.contains("info") ? item["info"]["name"]
                                            : item["cgroup"]);
    return names;
  };
  const std::string pod = "shop/leaky-cache-0/cache",
                    unit = "build-farm.service";
  EXPECT_THAT(found(""), testing::ElementsAre(unit, pod, "unknown"))
      << "ordered by what is shown, not by the path";
  for (const char* filter :
       {"^shop$", "^leaky-cache-0$", "^cache$", "^cri-containerd-.*scope$",
        "^shop/leaky", "^/kubepods"})
    EXPECT_THAT(found(filter), testing::ElementsAre(pod)) << filter;
  EXPECT_THAT(found("^build-farm"), testing::ElementsAre(unit));
  EXPECT_THAT(found("^unknown$"), testing::ElementsAre("unknown"));
  EXPECT_THAT(found("^$"), testing::IsEmpty()) << "the unit has no pod";
}

TEST_F(ApiTest, Status) {
  const Json json = Get("/api/v1/status", "");
  EXPECT_EQ(json["has_cgroups"], true);
  EXPECT_EQ(json["has_groups"], false);
  EXPECT_EQ(json["has_explain"], false);
  EXPECT_EQ(json["source"], "module");
  EXPECT_EQ(json["ticks"], 2);
  EXPECT_EQ(json["history"]["faults_rate"].size(), 1u);
}

// While reads fail, the API lists the last good rows unchanged.
TEST_F(ApiTest, StartTimesStayWhileReadsFail) {
  const auto start = [this] {
    return Get("/api/v1/processes", "pid=2")["processes"]
        .at(0)["start_time_seconds"]
        .get<double>();
  };
  const double good = start();
  EXPECT_GT(good, 1e9) << "before 2001";
  source_.Then(Error{Cause::kNoModule, "gone"});
  pipeline_.Tick();
  view_ = pipeline_.Tick();
  ASSERT_TRUE(view_->error);
  EXPECT_DOUBLE_EQ(start(), good);
}

// The status is that of the same rows.
TEST_F(ApiTest, NumberOfProcessesStaysWhileReadsFail) {
  const auto status = [this] {
    return Get("/api/v1/status", "")["processes"].get<size_t>();
  };
  const auto live = [this] {
    return Get("/api/v1/processes", "")["live"].get<size_t>();
  };
  ASSERT_GT(live(), 0u);
  EXPECT_EQ(status(), live());
  source_.Then(Error{Cause::kNoModule, "gone"});
  pipeline_.Tick();
  view_ = pipeline_.Tick();
  ASSERT_TRUE(view_->error);
  EXPECT_EQ(status(), live());
}

TEST_F(ApiTest, BadParametersAreNamed) {
  const struct {
    const char* query;
    const char* error;
  } kCases[] = {
      {"filter=(%3F:a%3F){900}(%3F:.%3F){900}Z", "filter"},
      {"filter=(", "filter"},
      {"sort=x", "sort"},
      {"order=up", "order"},
      {"limit=0", "limit"},
      {"limit=1001", "limit"},
      {"limit=x", "limit"},
      {"history=2", "history"},
      {"pid=x", "pid"},
      {"what=1", "what"},
      {"a=%", "a=%"},
      {"sort=pid&sort=rss", "sort"},
  };
  for (const auto& [query, error] : kCases)
    EXPECT_THAT(
        Get("/api/v1/processes", query, 400)["error"].get<std::string>(),
        testing::HasSubstr(error))
        << query;
}

// A hierarchy with one group, which two processes are in; another one is in a
// group that is gone.
class CgroupsApiTest : public testing::Test {
 protected:
  CgroupsApiTest() : root_(testing::TempDir() + "pfe_api_XXXXXX") {
    if (!mkdtemp(root_.data())) abort();
    std::ofstream controllers(root_ + "/cgroup.controllers");
    struct stat status {};
    std::filesystem::create_directory(root_ + "/a.service");
    EXPECT_EQ(stat((root_ + "/a.service").c_str(), &status), 0);
    id_ = status.st_ino;
  }
  ~CgroupsApiTest() override { std::filesystem::remove_all(root_); }

  Sample In(uint64_t id, Sample sample) const {
    sample.cgroup = id;
    sample.swap_kb = 3;
    return sample;
  }
  std::shared_ptr<const View> TickWith(PipelineSettings settings) const {
    settings.cgroups = root_;
    FakeSource source;
    Snapshot snapshot =
        Of({In(id_, Live(1, 1, "a", 10)), In(id_, Exited(2, 1, "b", 5)),
            In(4711, Live(3, 1, "c", 1))});
    snapshot.offered.cgroup = snapshot.offered.swap = true;
    source.Then(snapshot);
    Pipeline pipeline(&source, settings);
    return pipeline.Tick();
  }
  static Json Get(const View& view, const std::string& path,
                  const std::string& query = "") {
    return Json::parse(
        *AnswerApi(path, query, view, {std::chrono::seconds(5)}).body.at(0));
  }

  std::string root_;
  uint64_t id_ = 0;
};

TEST_F(CgroupsApiTest, ListsGroups) {
  const auto view = TickWith(CountFirst());
  Json json = Get(*view, "/api/v1/cgroups", "sort=cgroup");
  EXPECT_EQ(json["matching"], 2);
  EXPECT_EQ(json["cgroups"][0]["cgroup"], "/a.service");
  EXPECT_EQ(json["cgroups"][0]["faults"], 15) << "with the exited one";
  EXPECT_EQ(json["cgroups"][0]["processes"], 1);
  EXPECT_EQ(json["cgroups"][0]["swap_bytes"], 3072);
  EXPECT_EQ(json["cgroups"][0]["info"]["unit"], "a.service");
  EXPECT_EQ(json["cgroups"][1]["cgroup"], "id:4711");
  EXPECT_FALSE(json["cgroups"][1].contains("info"));
  EXPECT_EQ(Get(*view, "/api/v1/cgroups", "filter=service")["matching"], 1);
  EXPECT_EQ(Get(*view, "/api/v1/cgroups", "cgroup=id:4711")["matching"], 1);
  EXPECT_EQ(Get(*view, "/api/v1/cgroups", "sort=comm")["error"],
            "sort is one of faults_rate, major_rate, stall_rate, faults, "
            "major, rss, vma, pid, processes and cgroup");
}

// No value of a row has changed, but its control group has left the bucket.
TEST_F(CgroupsApiTest, AGroupThatLeavesTheBucketIsRenderedAgain) {
  PipelineSettings settings = CountFirst();
  settings.cgroups = root_;
  settings.max_cgroups = 1;
  Snapshot snapshot =
      Of({In(id_, Live(1, 1, "a", 10)), In(4711, Live(3, 1, "c", 1))});
  snapshot.offered.cgroup = true;
  FakeSource source;
  for (int i = 0; i < 4; ++i) source.Then(snapshot);
  Pipeline pipeline(&source, settings);
  const auto processes = [&pipeline] {
    const auto view = pipeline.Tick();
    for (const RenderedFamily& family : view->families)
      if (family.metric == Metric::kCgroupProcesses)
        return *family.samples->plain();
    return std::string();
  };
  processes();
  EXPECT_EQ(processes().find("id:4711"), std::string::npos);
  settings.max_cgroups = 2;
  pipeline.Configure(settings);
  EXPECT_NE(processes().find("id:4711"), std::string::npos);
}

TEST_F(CgroupsApiTest, AProcessSaysItsGroup) {
  const auto view = TickWith(CountFirst());
  Json process = Get(*view, "/api/v1/processes", "pid=1")["processes"][0];
  EXPECT_EQ(process["cgroup_id"], id_);
  EXPECT_EQ(process["cgroup"]["path"], "/a.service");
  process = Get(*view, "/api/v1/processes", "pid=3")["processes"][0];
  EXPECT_EQ(process["cgroup_id"], 4711);
  EXPECT_FALSE(process.contains("cgroup"));
}

// Nothing is read for a rule on the comm, so that the exited process counts
// too.
TEST_F(CgroupsApiTest, ListsGroupsOfProcesses) {
  PipelineSettings settings = CountFirst();
  settings.groups = {GroupBy(Field::kComm)};
  const auto view = TickWith(settings);
  const Json json = Get(*view, "/api/v1/groups", "sort=group&order=asc");
  EXPECT_EQ(json["matching"], 3);
  EXPECT_EQ(json["groups"][0]["group"], "a");
  EXPECT_EQ(json["groups"][0]["faults"], 10);
  EXPECT_EQ(json["groups"][1]["group"], "b");
  EXPECT_EQ(json["groups"][1]["processes"], 0);
  EXPECT_EQ(json["groups"][1]["faults"], 5);
  EXPECT_EQ(Get(*TickWith(CountFirst()), "/api/v1/groups"),
            Json({{"groups", Json::array()}, {"matching", 0}}));
}

TEST_F(CgroupsApiTest, ListsTheProcessesOfAGroup) {
  PipelineSettings settings = CountFirst();
  settings.groups = {GroupBy(Field::kComm)};
  const auto view = TickWith(settings);
  const auto pids = [](const View& of, const std::string& query) {
    std::vector<int> found;
    const Json json =
        Get(of, "/api/v1/processes", "sort=pid&order=asc&" + query);
    for (const Json& process : json["processes"])
      found.push_back(process["pid"]);
    return found;
  };
  EXPECT_THAT(pids(*view, "cgroup=/a.service"), testing::ElementsAre(1));
  EXPECT_THAT(pids(*view, "cgroup=id:4711"), testing::ElementsAre(3));
  EXPECT_THAT(pids(*ViewOfAPod(), "cgroup=unknown"), testing::ElementsAre(999));
  EXPECT_THAT(pids(*view, "cgroup=/a"), testing::IsEmpty());
  EXPECT_THAT(pids(*view, "cgroup="), testing::IsEmpty());
  EXPECT_THAT(pids(*view, "group=c"), testing::ElementsAre(3));
  EXPECT_THAT(pids(*view, "group=c&cgroup=/a.service"), testing::IsEmpty());
  EXPECT_THAT(pids(*view, "cgroup=/a.service&comm=a"), testing::ElementsAre(1));
  // A group in the bucket is found by its name, and with the others there.
  settings.max_cgroups = 1;
  const auto one = TickWith(settings);
  EXPECT_THAT(pids(*one, "cgroup=id:4711"), testing::ElementsAre(3));
  EXPECT_THAT(pids(*one, "cgroup=other"), testing::ElementsAre(3));
}

TEST_F(CgroupsApiTest, RefusesGroupsThatItDoesNotKnow) {
  const auto view = TickWith(CountFirst());
  const auto error = [](const View& of, const std::string& path,
                        const std::string& query) {
    return Get(of, path, query).value("error", "none");
  };
  EXPECT_EQ(error(*view, "/api/v1/processes", "group=a"),
            "group: there are no rules of groups (--group.by)");
  EXPECT_EQ(error(*view, "/api/v1/comms", "cgroup=a"),
            "there is no parameter \"cgroup\"");
  EXPECT_EQ(error(*view, "/api/v1/processes", "cgroup=a&cgroup=a"),
            "cgroup: is given twice");
  PipelineSettings settings = CountFirst();
  settings.max_cgroups = 0;
  const auto none = TickWith(settings);
  EXPECT_EQ(error(*none, "/api/v1/processes", "cgroup=a"),
            "cgroup: there are no sums by control group (--cgroups.max=0)");
  EXPECT_EQ(Get(*none, "/api/v1/status")["has_cgroups"], false);
  // Before the first read it is not known what there will be.
  EXPECT_EQ(error(View(), "/api/v1/processes", "group=a&cgroup=a"), "none");
}

TEST_F(CgroupsApiTest, WithoutSumsThereAreNone) {
  PipelineSettings settings = CountFirst();
  settings.max_cgroups = 0;
  const auto view = TickWith(settings);
  EXPECT_EQ(view->cgroup_sums, nullptr);
  EXPECT_EQ(Get(*view, "/api/v1/cgroups"),
            Json({{"cgroups", Json::array()}, {"matching", 0}}));
  for (const RenderedFamily& family : view->families)
    EXPECT_FALSE(std::string_view(InfoOf(family.metric).name)
                     .starts_with("page_fault_cgroup_"));
}

TEST_F(CgroupsApiTest, MetricsAndInfo) {
  const auto view = TickWith(CountFirst());
  std::string text;
  for (const RenderedFamily& family : view->families)
    text += *family.samples->plain();
  for (const char* line :
       {"page_fault_cgroup_faults_total{cgroup=\"/a.service\",severity="
        "\"minor\"} 15\n",
        "page_fault_cgroup_faults_total{cgroup=\"id:4711\",severity=\"minor\"} "
        "1\n",
        "page_fault_cgroup_processes{cgroup=\"/a.service\"} 1\n",
        "page_fault_cgroup_swap_bytes{cgroup=\"/a.service\"} 3072\n",
        "page_fault_cgroup_info{cgroup=\"/a.service\",unit=\"a.service\""})
    EXPECT_THAT(text, testing::HasSubstr(line));
  EXPECT_THAT(text, testing::Not(testing::HasSubstr(
                        "page_fault_cgroup_info{cgroup=\"id:4711\"")));
}

}  // namespace
}  // namespace pfe
