// SPDX-License-Identifier: Apache-2.0
#include "http/listing.h"

#include <re2/re2.h>

#include <algorithm>
#include <charconv>

namespace pfe {
namespace {

constexpr size_t kMostLimit = 1000;
constexpr int kLargestFilter = 500;  // instructions of RE2

template <typename Number>
bool ToNumber(const std::string& text, Number* number) {
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, *number);
  return error == std::errc() && at == end;
}

}  // namespace

struct Listing::NamedKey {
  std::string_view name;
  SortKey key;
};

// The first one is the default.
const Listing::NamedKey Listing::kSortKeys[] = {
    {"faults_rate", [](const Item& item) { return item.now.faults; }},
    {"major_rate", [](const Item& item) { return item.now.major; }},
    {"stall_rate", [](const Item& item) { return item.now.stall; }},
    {"faults",
     [](const Item& item) {
       return static_cast<double>(item.counters.faults);
     }},
    {"major",
     [](const Item& item) { return static_cast<double>(item.counters.major); }},
    {"rss", [](const Item& item) { return static_cast<double>(item.rss_kb); }},
    {"vma", [](const Item& item) { return static_cast<double>(item.vma_kb); }},
    {"pid", [](const Item& item) { return static_cast<double>(item.pid); }},
    {"processes",
     [](const Item& item) { return static_cast<double>(item.processes); }},
};

Listing::Listing(std::string_view name, bool of_processes)
    : name_key_(name), of_processes_(of_processes), sort_(kSortKeys[0].key) {}

Listing::~Listing() = default;

std::string Listing::SetSort(const std::string& value) {
  if (value == name_key_) {
    sort_ = nullptr;
    ascending_ = true;
    return "";
  }
  for (const auto& [name, key] : kSortKeys)
    if (value == name) {
      sort_ = key;
      return "";
    }
  return "sort is one of faults_rate, major_rate, stall_rate, faults, major, "
         "rss, vma, pid, processes and " +
         name_key_;
}

std::string Listing::SetFilter(const std::string& value) {
  re2::RE2::Options options(re2::RE2::Quiet);
  options.set_max_mem(1 << 20);
  filter_ = std::make_unique<re2::RE2>(value, options);
  if (!filter_->ok()) return "filter: " + filter_->error();
  // The time of a match grows with the size of the program.
  return filter_->ProgramSize() <= kLargestFilter
             ? ""
             : "filter is too large an expression";
}

std::string Listing::SetOne(const std::string& name, const std::string& value) {
  if (name == "filter") return SetFilter(value);
  if (name == "order") {
    ascending_ = value == "asc";
    return value == "asc" || value == "desc" ? "" : "order is asc or desc";
  }
  if (name == "limit")
    return ToNumber(value, &limit_) && limit_ >= 1 && limit_ <= kMostLimit
               ? ""
               : "limit is a number from 1 to 1000";
  if (name == "history") {
    history_ = value == "1";
    return value == "0" || value == "1" ? "" : "history is 0 or 1";
  }
  if (name == name_key_) {
    name_ = value;
    return "";
  }
  if (of_processes_ && (name == "cgroup" || name == "group")) {
    (name == "cgroup" ? cgroup_ : group_) = value;
    return "";
  }
  if (name == "pid") {
    uint64_t pid = 0;
    const bool ok = ToNumber(value, &pid);
    pid_ = pid;
    return ok ? "" : "pid is a number";
  }
  return "there is no parameter \"" + name + "\"";
}

// The parameter `sort` is applied first: it sets an order, which the parameter
// `order` then overrides.
std::string Listing::Set(const std::map<std::string, std::string>& parameters) {
  const auto sort = parameters.find("sort");
  if (sort != parameters.end()) {
    std::string wrong = SetSort(sort->second);
    if (!wrong.empty()) return wrong;
  }
  for (const auto& [name, value] : parameters) {
    if (name == "sort") continue;
    std::string wrong = SetOne(name, value);
    if (!wrong.empty()) return wrong;
  }
  return "";
}

bool Listing::PassesFilter(std::string_view text) const {
  return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()),
                                *filter_);
}

bool Listing::Matches(const Item& item) const {
  if (name_ && item.name != *name_) return false;
  if (pid_ && item.pid != *pid_) return false;
  if (!filter_ || PassesFilter(item.name)) return true;
  if (!item.cgroup) return false;
  const PodName& name = item.cgroup->name;
  // What is not known is empty, and an expression may match that too.
  for (std::string_view text :
       {item.shown, std::string_view(item.cgroup->info.unit),
        std::string_view(name.pod_namespace), std::string_view(name.pod),
        std::string_view(name.container)})
    if (!text.empty() && PassesFilter(text)) return true;
  return false;
}

void Listing::SortAndCut(std::vector<Item>* items) const {
  const auto before = [this](const Item& a, const Item& b) {
    const Item& x = ascending_ ? a : b;
    const Item& y = ascending_ ? b : a;
    if (sort_) {
      const double key_x = sort_(x), key_y = sort_(y);
      if (key_x != key_y) return key_x < key_y;
    } else if (x.shown != y.shown) {
      return x.shown < y.shown;
    }
    return a.pid != b.pid ? a.pid < b.pid : a.name < b.name;
  };
  const size_t n = std::min(limit_, items->size());
  std::partial_sort(items->begin(), items->begin() + static_cast<ptrdiff_t>(n),
                    items->end(), before);
  items->resize(n);
}

}  // namespace pfe
