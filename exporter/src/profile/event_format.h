// SPDX-License-Identifier: Apache-2.0
// Where the fields of the module's trace event are in its bytes.
#ifndef EXPORTER_PROFILE_EVENT_FORMAT_H_
#define EXPORTER_PROFILE_EVENT_FORMAT_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace pfe {

enum class FaultField {
  kAddress,
  kIp,
  kNs,
  kCgroup,
  kSeverity,
  kAccess,
  kKind,
  kOrigin,
  kCount,
};

// Parsed from the event's file `format` in tracefs.
class FaultFormat {
 public:
  // Returns nothing if a field is missing, or has a size that no number has.
  static std::optional<FaultFormat> Parse(std::string_view text);

  // The field in the bytes of an event; nothing if they end before it.
  std::optional<uint64_t> Read(FaultField field, std::string_view bytes) const;

 private:
  struct Place {
    size_t offset = 0;
    size_t size = 0;  // 1, 2, 4 or 8
  };
  std::array<Place, static_cast<size_t>(FaultField::kCount)> places_;
};

}  // namespace pfe

#endif  // EXPORTER_PROFILE_EVENT_FORMAT_H_
