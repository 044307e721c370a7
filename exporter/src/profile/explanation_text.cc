// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cinttypes>
#include <cstdarg>
#include <cstdio>
#include <string_view>

#include "base/utf8.h"
#include "profile/explainer.h"

namespace pfe {
namespace {

constexpr size_t kRows = 10;

[[gnu::format(printf, 1, 2)]] std::string Text(const char* format, ...) {
  char text[256];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof(text), format, arguments);
  va_end(arguments);
  return text;
}

// A call path reads from the function to those that called it.
std::string Shown(std::string_view name) {
  std::string shown;
  for (const char c : name) {
    if (c == kPathSeparator)
      shown += " < ";
    else
      shown += c;
  }
  return WithoutControls(ToValidUtf8(shown));
}

// What a process chose can be in each line.
std::string Lines(std::string_view text) {
  std::string lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines += WithoutControls(ToValidUtf8(text.substr(0, end))) + "\n";
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

void AppendRow(const Explanation& of, const std::string& name,
               const FaultSum& sum, std::string* text) {
  const double all = of.all.total();
  *text += Text("%10.0f %5.1f %% %9.0f", sum.total(),
                all > 0 ? 100 * sum.total() / all : 0, sum.major());
  if (of.has_stall) *text += Text(" %9.3f s", sum.stall_seconds);
  *text += "  " + Shown(name) + "\n";
}

void AppendTable(const Explanation& of, const char* title,
                 const std::vector<NamedSum>& sums, std::string* text) {
  *text += Text("\n%10s %7s %9s", "FAULTS", "SHARE", "MAJOR");
  if (of.has_stall) *text += Text(" %11s", "STALL");
  *text += "  " + std::string(title) + "\n";
  for (size_t i = 0; i < std::min(sums.size(), kRows); ++i)
    AppendRow(of, sums[i].name, sums[i].sum, text);
  FaultSum rest;
  for (size_t i = kRows; i < sums.size(); ++i) rest += sums[i].sum;
  if (sums.size() > kRows)
    AppendRow(of, "[" + std::to_string(sums.size() - kRows) + " more]", rest,
              text);
  if (of.unsampled.total() > 0)
    AppendRow(of, "[not sampled]", of.unsampled, text);
}

}  // namespace

std::string ExplanationText(const std::string& what, const Explanation& of) {
  std::string text =
      what + Text(": %s%.0f faults, %.0f of them major, in %.1f s",
                  of.is_exact ? "" : "about ", of.all.total(), of.all.major(),
                  of.seconds);
  if (of.has_stall) text += Text(", %.3f s stalled", of.all.stall_seconds);
  text += "\n" + Text("%" PRIu64 " samples by ", of.samples) +
          (of.by_module ? "the module's trace event"
                        : "the kernel's events page-faults, which know neither "
                          "kind nor stall") +
          (of.is_exact ? "; the sums are those of the module's counters"
                       : "; the sums are estimates");
  if (of.samples > 0)
    text += Text("\na share of 50 %% is certain to %.1f %%",
                 100 * ErrorOfShare(0.5, of.effective_samples));
  for (const std::string& note : of.notes) text += "\n" + note;
  if (of.samples == 0) text += "\nNo fault was sampled.";
  text = Lines(text);
  if (of.samples == 0) return text;
  AppendTable(of, "MAPPING", of.mappings, &text);
  AppendTable(of, "FUNCTION", of.functions, &text);
  AppendTable(of, "CALL PATH", of.paths, &text);
  return text;
}

}  // namespace pfe
