// SPDX-License-Identifier: Apache-2.0
#include "app/man_page.h"

#include "app/options.h"

namespace pfe {
namespace {

// Escapes the characters that troff takes for its own.
std::string ManText(const std::string& text) {
  std::string out;
  for (char c : text) {
    if (c == '\\' || c == '-') out += '\\';
    out += c;
  }
  return out;
}

std::string OptionText(const OptionHelp& help) {
  std::string text = ".TP\n.B " + ManText(help.name);
  if (!help.type.empty()) text += " \\fI" + ManText(help.type) + "\\fR";
  text += "\n" + ManText(help.description);
  if (!help.by_default.empty())
    text += " (default: " + ManText(help.by_default) + ")";
  return text + "\n";
}

}  // namespace

std::string ManPage() {
  std::string page =
      ".TH PAGE_FAULT_EXPORTER 8\n.SH NAME\n"
      "page_fault_exporter \\- page faults of every process, for "
      "Prometheus\n.SH SYNOPSIS\n.B page_fault_exporter\n"
      "[\\fIOPTION\\fR]...\n.SH DESCRIPTION\n" +
      ManText(kProgramDescription) +
      ". It reads the table of the kernel module page_faults, or /proc if the "
      "module cannot be read. On SIGHUP it reads its configuration again.\n"
      ".SH OPTIONS\n";
  for (const OptionHelp& help : OptionHelps()) page += OptionText(help);
  return page +
         ".SH ENVIRONMENT\nEach option is also read from an environment "
         "variable. Its name is PAGE_FAULT_EXPORTER_ followed by the option's "
         "name in capitals, with _ in place of . and \\-. A list has commas "
         "between its items.\n"
         ".SH FILES\nThe file that \\-\\-config.file names is a JSON object. "
         "Its keys are options without \\-\\-, and groups, a list of rules "
         "that "
         "group processes into programs. A flag overrides the environment, and "
         "the environment overrides the file.\n"
         ".SH EXIT STATUS\n0 after SIGTERM or SIGINT; 1 if the program cannot "
         "listen, cannot write its output or, with \\-\\-once, "
         "\\-\\-top or \\-\\-explain, cannot read; 2 for a bad option.\n";
}

}  // namespace pfe
