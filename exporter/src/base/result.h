// SPDX-License-Identifier: Apache-2.0
// A value or the reason why there is none.
#ifndef EXPORTER_BASE_RESULT_H_
#define EXPORTER_BASE_RESULT_H_

#include <array>
#include <string>
#include <utility>
#include <variant>

namespace pfe {

// Why a source could not be read: the label `cause` of metrics. A new cause is
// appended, and its name is appended to kCauseNames.
enum class Cause {
  kNoDebugfs,
  kNoModule,
  kNoPermission,
  kTruncated,
  kUnknownVersion,
  kMalformed,
  kIo,
  kOutOfMemory,
  kInternal,
  kHidden,  // processes are hidden from the exporter
};
inline constexpr std::array<const char*, 10> kCauseNames = {
    "no_debugfs", "no_module", "no_permission", "truncated", "unknown_version",
    "malformed",  "io",        "out_of_memory", "internal",  "hidden"};

inline const char* CauseName(Cause cause) {
  return kCauseNames[static_cast<size_t>(cause)];
}

struct Error {
  Cause cause;
  std::string message;  // names the file, and the line where there is one
};

template <typename T>
class Result {
 public:
  Result(T value) : content_(std::move(value)) {}      // NOLINT: implicit
  Result(Error error) : content_(std::move(error)) {}  // NOLINT: implicit

  bool ok() const { return content_.index() == 0; }
  const T& value() const { return std::get<0>(content_); }
  T& value() { return std::get<0>(content_); }
  const Error& error() const { return std::get<1>(content_); }

 private:
  std::variant<T, Error> content_;
};

}  // namespace pfe

#endif  // EXPORTER_BASE_RESULT_H_
