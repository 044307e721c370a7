// SPDX-License-Identifier: Apache-2.0
// What a request for a list wants: filters, an order and a limit.
#ifndef EXPORTER_HTTP_LISTING_H_
#define EXPORTER_HTTP_LISTING_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "follow/counters.h"
#include "follow/history.h"
#include "source/cgroup.h"

namespace re2 {
class RE2;
}  // namespace re2

namespace pfe {

// One process, comm, group or control group to list, with what it may be sorted
// by.
struct Item {
  std::string_view name;  // the comm, the group, or the control group's path
  // What people see of the name: of a control group its pod or unit.
  std::string_view shown;
  const Cgroup* cgroup = nullptr;  // the filter matches its names too
  uint64_t pid = 0;
  uint64_t processes = 0;
  Counters counters;
  SlowFaults slow{};
  uint64_t vma_kb = 0;
  uint64_t rss_kb = 0;
  HistoryPoint now;
  uint32_t index = 0;  // of the process, or of the sums
};

class Listing {
 public:
  // `name` is what the API calls the name of an item. A list of processes also
  // takes the control group and the group that they are in.
  Listing(std::string_view name, bool of_processes);
  ~Listing();

  // Takes the parameters of a request. Returns what is wrong with them, or an
  // empty text.
  std::string Set(const std::map<std::string, std::string>& parameters);

  bool Matches(const Item& item) const;
  void SortAndCut(std::vector<Item>* items) const;
  bool history() const { return history_; }
  const std::optional<std::string>& cgroup() const { return cgroup_; }
  const std::optional<std::string>& group() const { return group_; }

 private:
  using SortKey = double (*)(const Item&);
  struct NamedKey;
  static const NamedKey kSortKeys[];

  std::string SetSort(const std::string& value);
  std::string SetFilter(const std::string& value);
  std::string SetOne(const std::string& name, const std::string& value);

  bool PassesFilter(std::string_view text) const;

  const std::string name_key_;
  const bool of_processes_;
  SortKey sort_;  // null: by name
  bool ascending_ = false;
  size_t limit_ = 50;
  std::unique_ptr<re2::RE2> filter_;
  std::optional<std::string> name_;
  std::optional<std::string> cgroup_, group_;  // of processes
  std::optional<uint64_t> pid_;
  bool history_ = false;
};

}  // namespace pfe

#endif  // EXPORTER_HTTP_LISTING_H_
