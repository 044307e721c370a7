// SPDX-License-Identifier: Apache-2.0
#include "profile/pprof.h"

#include <array>
#include <map>
#include <protozero/pbf_builder.hpp>
#include <string_view>

#include "base/hexadecimal.h"
#include "base/process_table.h"
#include "base/utf8.h"

namespace pfe {
namespace {

enum class ProfileField : protozero::pbf_tag_type {
  kSampleType = 1,
  kSample = 2,
  kMapping = 3,
  kLocation = 4,
  kFunction = 5,
  kStringTable = 6,
  kTimeNanos = 9,
  kDurationNanos = 10,
  kPeriodType = 11,
  kPeriod = 12,
  kComment = 13,
  kDefaultSampleType = 14,
};
enum class ValueTypeField : protozero::pbf_tag_type { kType = 1, kUnit = 2 };
enum class SampleField : protozero::pbf_tag_type {
  kLocationId = 1,
  kValue = 2,
  kLabel = 3,
};
enum class LabelField : protozero::pbf_tag_type { kKey = 1, kText = 2 };
enum class MappingField : protozero::pbf_tag_type {
  kId = 1,
  kMemoryLimit = 3,
  kFilename = 5,
  kBuildId = 6,
  kHasFunctions = 7,
};
enum class LocationField : protozero::pbf_tag_type {
  kId = 1,
  kMappingId = 2,
  kAddress = 3,
  kLine = 4,
};
enum class LineField : protozero::pbf_tag_type { kFunctionId = 1 };
enum class FunctionField : protozero::pbf_tag_type { kId = 1, kName = 2 };

// Numbers texts in the order of their first use; the empty one is 0.
class Texts {
 public:
  Texts() { Of(""); }
  int64_t Of(std::string_view text) {
    const auto [at, is_new] = numbers_.try_emplace(
        ToValidUtf8(text), static_cast<int64_t>(texts_.size()));
    if (is_new) texts_.push_back(&at->first);
    return at->second;
  }
  const std::vector<const std::string*>& all() const { return texts_; }

 private:
  std::map<std::string, int64_t> numbers_;
  std::vector<const std::string*> texts_;
};

class Encoder {
 public:
  explicit Encoder(const LabelledProfile& profile) : profile_(profile) {}

  std::string Encode(const PprofTime& time,
                     const std::vector<std::string>& comments) {
    AddValueType(ProfileField::kSampleType, "faults", "count");
    AddValueType(ProfileField::kSampleType, "stall", "nanoseconds");
    for (const LabelledProfile::Stack& stack : profile_.stacks)
      AddSample(stack);
    AddFiles();
    AddFrames();
    builder_.add_int64(ProfileField::kTimeNanos,
                       static_cast<int64_t>(time.unix_ns));
    builder_.add_int64(ProfileField::kDurationNanos,
                       static_cast<int64_t>(time.duration_ns));
    AddValueType(ProfileField::kPeriodType, "faults", "count");
    builder_.add_int64(ProfileField::kPeriod, 1);
    for (const std::string& comment : comments)
      builder_.add_int64(ProfileField::kComment, texts_.Of(comment));
    builder_.add_int64(ProfileField::kDefaultSampleType, texts_.Of("faults"));
    for (const std::string* text : texts_.all())
      builder_.add_string(ProfileField::kStringTable, *text);
    return std::move(bytes_);
  }

 private:
  void AddValueType(ProfileField field, const char* type, const char* unit) {
    protozero::pbf_builder<ValueTypeField> value(builder_, field);
    value.add_int64(ValueTypeField::kType, texts_.Of(type));
    value.add_int64(ValueTypeField::kUnit, texts_.Of(unit));
  }

  void AddLabel(const char* key, std::string_view text,
                protozero::pbf_builder<SampleField>* sample) {
    protozero::pbf_builder<LabelField> label(*sample, SampleField::kLabel);
    label.add_int64(LabelField::kKey, texts_.Of(key));
    label.add_int64(LabelField::kText, texts_.Of(text));
  }

  // Ids begin with 1.
  void AddSample(const LabelledProfile::Stack& stack) {
    protozero::pbf_builder<SampleField> sample(builder_, ProfileField::kSample);
    std::vector<uint64_t> locations;
    for (const size_t frame : stack.frames) locations.push_back(frame + 1);
    sample.add_packed_uint64(SampleField::kLocationId, locations.begin(),
                             locations.end());
    const std::array<int64_t, 2> values = {stack.faults, stack.stall_ns};
    sample.add_packed_int64(SampleField::kValue, values.begin(), values.end());
    AddLabel("comm", stack.comm, &sample);
    AddLabel("mapping", stack.mapping, &sample);
    AddLabel("severity", kSeverityNames[stack.severity], &sample);
    if (stack.access < kAccesses)
      AddLabel("access", kAccessNames[stack.access], &sample);
    if (stack.kind < kKinds) AddLabel("kind", kKindNames[stack.kind], &sample);
    if (stack.cgroup != 0)
      AddLabel("cgroup", NameOfCgroup(stack.cgroup), &sample);
  }

  std::string NameOfCgroup(uint64_t id) const {
    const auto at = profile_.cgroups.find(id);
    return at == profile_.cgroups.end() ? "id:" + std::to_string(id)
                                        : at->second;
  }

  // Each file is one mapping, in which an address is the offset in the file.
  void AddFiles() {
    for (size_t i = 0; i < profile_.files.size(); ++i) {
      protozero::pbf_builder<MappingField> mapping(builder_,
                                                   ProfileField::kMapping);
      mapping.add_uint64(MappingField::kId, i + 1);
      mapping.add_uint64(MappingField::kMemoryLimit, uint64_t{1} << 62);
      mapping.add_int64(MappingField::kFilename,
                        texts_.Of(profile_.files[i].name));
      mapping.add_int64(MappingField::kBuildId,
                        texts_.Of(Hexadecimal(profile_.files[i].build_id)));
      mapping.add_bool(MappingField::kHasFunctions, true);
    }
  }

  // A function is known by its name.
  void AddFrames() {
    std::map<std::string, uint64_t> functions;
    for (size_t i = 0; i < profile_.frames.size(); ++i) {
      const LabelledProfile::Frame& frame = profile_.frames[i];
      const uint64_t function =
          functions.try_emplace(frame.function, functions.size() + 1)
              .first->second;
      protozero::pbf_builder<LocationField> location(builder_,
                                                     ProfileField::kLocation);
      location.add_uint64(LocationField::kId, i + 1);
      if (frame.file != LabelledProfile::kNoFile)
        location.add_uint64(LocationField::kMappingId, frame.file + 1);
      location.add_uint64(LocationField::kAddress, frame.offset);
      protozero::pbf_builder<LineField> line(location, LocationField::kLine);
      line.add_uint64(LineField::kFunctionId, function);
    }
    for (const auto& [name, id] : functions) {
      protozero::pbf_builder<FunctionField> function(builder_,
                                                     ProfileField::kFunction);
      function.add_uint64(FunctionField::kId, id);
      function.add_int64(FunctionField::kName, texts_.Of(name));
    }
  }

  const LabelledProfile& profile_;
  std::string bytes_;
  protozero::pbf_builder<ProfileField> builder_{bytes_};
  Texts texts_;
};

}  // namespace

std::string EncodePprof(const LabelledProfile& profile, const PprofTime& time,
                        const std::vector<std::string>& comments) {
  return Encoder(profile).Encode(time, comments);
}

}  // namespace pfe
