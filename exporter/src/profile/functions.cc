// SPDX-License-Identifier: Apache-2.0
#include "profile/functions.h"

#include <cxxabi.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <utility>

#include "base/hexadecimal.h"
#include "base/utf8.h"
#include "profile/elf_image.h"

namespace pfe {
namespace {

constexpr size_t kMostShownBytes = 256;
// Of files that were opened, or cannot be.
constexpr size_t kMostEntries = 4096;

// A mangled name refers back to parts of itself, S_ or T0_, and these parts may
// do the same: so 240 bytes can stand for 285 MB. The longest name of n
// references has a third of them at each of n / 3 levels: 3^(n / 3) times its
// bytes. A pack expansion, Dp or sp, repeats what is behind it for each
// argument, and there are not more arguments than bytes.
constexpr double kGrowthByReference = 1.4423;
constexpr double kMostDemangledBytes = 4e6;

int CountOf(std::string_view text, std::string_view part) {
  int count = 0;
  for (size_t at = 0; (at = text.find(part, at)) != text.npos; ++at) ++count;
  return count;
}

bool IsBounded(std::string_view mangled) {
  int references = 0;
  for (size_t at = 0; (at = mangled.find_first_of("ST", at)) != mangled.npos;) {
    at = mangled.find_first_not_of("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", at);
    if (at == mangled.npos) break;
    if (mangled[at] == '_') ++references;
  }
  const int expansions = CountOf(mangled, "Dp") + CountOf(mangled, "sp");
  return std::pow(kGrowthByReference, references) *
             std::pow(mangled.size(), 1 + expansions) <=
         kMostDemangledBytes;
}

bool HasIdentity(int fd, const FileIdentity& file) {
  struct stat status {};
  return file.inode != 0 && fstat(fd, &status) == 0 &&
         status.st_ino == file.inode && status.st_dev == file.device;
}

// Reads the notes of the file if the mapping has a build id.
bool IsSame(int fd, const FileIdentity& file) {
  return file.build_id.empty() ? HasIdentity(fd, file)
                               : ElfImage(fd).BuildId() == file.build_id;
}

// Whether the name of a mapping is the path of a file that is there.
bool IsPath(const std::string& name) {
  return name.starts_with('/') && !name.starts_with("//") &&
         !name.ends_with(" (deleted)");
}

// A file has at most two descriptors: its own, and that of its debug file. Root
// directories have others, and two explanations can be made at once.
size_t MostFiles() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return 0;
  return std::min<size_t>(Functions::kMostFiles, files.rlim_cur / 16);
}

constexpr const char* kOwnMounts = "/proc/self/mountinfo";

}  // namespace

class CodeFile {
 public:
  // Takes the descriptor over. `root` is the directory that `path` begins in.
  // If `build_id` is not empty, a file with another one has no functions.
  CodeFile(int fd, std::shared_ptr<const RootDirectory> root, std::string path,
           std::string build_id)
      : symbols_(fd),
        root_(std::move(root)),
        path_(std::move(path)),
        build_id_(std::move(build_id)) {}

  // Before a name was asked for it can be unknown.
  const std::string& build_id() const {
    return build_id_.empty() ? symbols_.build_id() : build_id_;
  }

  int fd() const { return symbols_.fd(); }
  const std::string& Name(uint64_t offset, const RootDirectory& host,
                          SymbolLimits* limits) {
    if (!std::exchange(is_loaded_, true))
      symbols_.Load(
          build_id_,
          {[this](const std::string& name) { return ByName(name); },
           [&](const std::string& id) { return ByBuildId(id, host); }},
          limits);
    const auto [at, is_new] = names_.try_emplace(offset);
    if (is_new) at->second = Demangled(symbols_.Name(offset));
    return at->second;
  }

 private:
  // The places that GDB's manual has ("Separate Debug Files").
  int ByName(const std::string& name) const {
    if (name.find('/') != std::string::npos) return -1;
    const std::string directory =
        std::filesystem::path(path_).parent_path().string() + "/";
    for (const std::string& place :
         {directory, directory + ".debug/", "/usr/lib/debug" + directory}) {
      const int fd = root_->Open(place + name);
      if (fd >= 0) return fd;
    }
    return -1;
  }
  int ByBuildId(const std::string& id, const RootDirectory& host) const {
    const std::string digits = Hexadecimal(id);
    const std::string path = "/usr/lib/debug/.build-id/" + digits.substr(0, 2) +
                             "/" + digits.substr(2) + ".debug";
    const int fd = root_->Open(path);
    return fd >= 0 ? fd : host.Open(path);
  }

  Symbols symbols_;
  const std::shared_ptr<const RootDirectory> root_;
  const std::string path_;
  const std::string build_id_;
  bool is_loaded_ = false;
  std::map<uint64_t, std::string> names_;  // by offset
};

std::string Demangled(const std::string& name) {
  int status = -1;
  const std::unique_ptr<char, void (*)(void*)> text(
      IsBounded(name)
          ? abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status)
          : nullptr,
      free);
  std::string shown = ToValidUtf8(status == 0 && text ? text.get() : name);
  if (shown.size() <= kMostShownBytes) return shown;
  return std::string(WithoutCutEnd(
             std::string_view(shown).substr(0, kMostShownBytes))) +
         "…";
}

Functions::Functions(std::string procfs)
    : procfs_(std::move(procfs)),
      host_(std::make_shared<const RootDirectory>("/", kOwnMounts, kOwnMounts)),
      most_files_(MostFiles()) {}

Functions::~Functions() = default;

// Null if the process is gone. With --path.procfs process 1 is that of the
// host.
std::shared_ptr<const RootDirectory> Functions::RootOf(uint32_t thread) {
  const std::string process = procfs_ + "/" + std::to_string(thread);
  auto root = std::make_shared<const RootDirectory>(
      process + "/root", process + "/mountinfo", procfs_ + "/1/mountinfo");
  if (!root->good()) return nullptr;
  const std::string key = root->Key();
  if (key.empty()) return root;
  return roots_.try_emplace(key, std::move(root)).first->second;
}

// A file system such as btrfs or overlayfs shows another inode number in
// stat(2) than in the mapping. So a file of the process's own root directory
// that has no build id is taken by its path.
std::unique_ptr<CodeFile> Functions::OpenAnew(
    const std::shared_ptr<const RootDirectory>& root,
    const Mapping& mapping) const {
  const int fd = root->Open(mapping.name);
  if (fd < 0) return nullptr;
  auto file =
      std::make_unique<CodeFile>(fd, root, mapping.name, mapping.file.build_id);
  return root != host_ || IsSame(fd, mapping.file) ? std::move(file) : nullptr;
}

CodeFile* Functions::Open(uint32_t thread, const Mapping& mapping) {
  if (!IsPath(mapping.name)) return nullptr;
  const std::string key = mapping.name + '\0' + mapping.file.build_id + '\0' +
                          std::to_string(mapping.file.device) + ':' +
                          std::to_string(mapping.file.inode);
  if (const auto found = files_.find(key); found != files_.end())
    return found->second.get();
  if (open_files_ == most_files_ || files_.size() >= kMostEntries ||
      roots_.size() >= most_files_) {
    ++unopened_;
    return nullptr;
  }
  const auto root = RootOf(thread);
  std::unique_ptr<CodeFile> file;
  if (root) file = OpenAnew(root, mapping);
  if (!file) file = OpenAnew(host_, mapping);
  // The next process of a program may live longer.
  if (!file && !root) return nullptr;
  if (file) ++open_files_;
  return (files_[key] = std::move(file)).get();
}

int Functions::Descriptor(const CodeFile& file) { return file.fd(); }

std::string Functions::Name(CodeFile* file, uint64_t offset,
                            const std::function<bool()>& is_over) {
  limits_.is_over = is_over;
  return file->Name(offset, *host_, &limits_);
}

const std::string& Functions::BuildId(const CodeFile* file) const {
  return file->build_id();
}

}  // namespace pfe
