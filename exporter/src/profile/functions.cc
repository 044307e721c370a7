// SPDX-License-Identifier: Apache-2.0
#include "profile/functions.h"

#include <cxxabi.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <utility>

#include "base/utf8.h"
#include "profile/symbols.h"
#include "source/file.h"

namespace pfe {
namespace {

constexpr size_t kMostShownBytes = 256;

// A mangled name refers back to parts of itself, S_ or T0_, and these parts may
// do the same: so 240 bytes can stand for 285 MB. A pack expansion, Dp or sp,
// repeats what is behind it for each argument. With so few of them the
// demangled name has some megabytes at most.
constexpr int kMostReferences = 24;
constexpr int kMostExpansions = 1;

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
  return references <= kMostReferences &&
         CountOf(mangled, "Dp") + CountOf(mangled, "sp") <= kMostExpansions;
}

// Opens a regular file below a root directory: no link leads out of it. What is
// at the path is looked at before it is opened, because opening a device can do
// something, and opening a FIFO waits. Returns a negative number if there is no
// such file.
int OpenRegular(int root, const std::string& path) {
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  const int place = static_cast<int>(
      syscall(SYS_openat2, root, path.c_str(), &how, sizeof(how)));
  if (place < 0) return -1;
  struct stat status {};
  int fd = -1;
  if (fstat(place, &status) == 0 && S_ISREG(status.st_mode) &&
      status.st_size > 0 && status.st_size <= Functions::kMostFileBytes)
    fd = open(("/proc/self/fd/" + std::to_string(place)).c_str(),
              O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  close(place);
  return fd;
}

bool HasIdentity(int fd, const FileIdentity& file) {
  struct stat status {};
  return file.inode != 0 && fstat(fd, &status) == 0 &&
         status.st_ino == file.inode && status.st_dev == file.device;
}

std::string Hexadecimal(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

// Whether the name of a mapping is the path of a file that is there.
bool IsPath(const std::string& name) {
  return name.starts_with('/') && !name.starts_with("//") &&
         !name.ends_with(" (deleted)");
}

}  // namespace

class CodeFile {
 public:
  // Takes the descriptors over.
  CodeFile(int fd, int root, std::string path)
      : symbols_(fd), root_(root), path_(std::move(path)) {}
  ~CodeFile() {
    if (root_ >= 0) close(root_);
  }
  CodeFile(const CodeFile&) = delete;
  CodeFile& operator=(const CodeFile&) = delete;

  const std::string& build_id() const { return symbols_.build_id(); }

  const std::string& Name(uint64_t offset) {
    if (!std::exchange(is_loaded_, true))
      symbols_.Load({[this](const std::string& name) { return ByName(name); },
                     [this](const std::string& id) { return ByBuildId(id); }});
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
      const int fd = OpenRegular(root_, place + name);
      if (fd >= 0) return fd;
    }
    return -1;
  }
  int ByBuildId(const std::string& id) const {
    const std::string digits = Hexadecimal(id);
    const std::string path = "/usr/lib/debug/.build-id/" + digits.substr(0, 2) +
                             "/" + digits.substr(2) + ".debug";
    const int fd = OpenRegular(root_, path);
    if (fd >= 0) return fd;
    const File host(AT_FDCWD, "/", O_PATH | O_DIRECTORY);
    return OpenRegular(host.fd(), path);
  }

  Symbols symbols_;
  const int root_;
  const std::string path_;
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

Functions::Functions(std::string procfs) : procfs_(std::move(procfs)) {}

Functions::~Functions() = default;

// A file system such as btrfs or overlayfs shows another inode number in
// stat(2) than in the mapping. So a file of the process's own root directory
// that has no build id is taken by its path.
std::unique_ptr<CodeFile> Functions::OpenAnew(int root,
                                              const Mapping& mapping) const {
  const bool is_host = root < 0;
  const File host(AT_FDCWD, "/", O_PATH | O_DIRECTORY);
  const int from = is_host ? host.fd() : root;
  const int fd = OpenRegular(from, mapping.name);
  if (fd < 0) return nullptr;
  const bool is_same = !is_host || HasIdentity(fd, mapping.file);
  auto file = std::make_unique<CodeFile>(fd, fcntl(from, F_DUPFD_CLOEXEC, 0),
                                         mapping.name);
  if (mapping.file.build_id.empty() ? is_same
                                    : file->build_id() == mapping.file.build_id)
    return file;
  return nullptr;
}

CodeFile* Functions::Open(uint32_t thread, const Mapping& mapping) {
  if (!IsPath(mapping.name)) return nullptr;
  const std::string key = mapping.name + '\0' + mapping.file.build_id + '\0' +
                          std::to_string(mapping.file.device) + ':' +
                          std::to_string(mapping.file.inode);
  if (const auto found = files_.find(key); found != files_.end())
    return found->second.get();
  if (files_.size() == kMostFiles) return nullptr;
  const File root(AT_FDCWD,
                  (procfs_ + "/" + std::to_string(thread) + "/root").c_str(),
                  O_PATH | O_DIRECTORY);
  std::unique_ptr<CodeFile> file;
  if (root.fd() >= 0) file = OpenAnew(root.fd(), mapping);
  if (!file) file = OpenAnew(-1, mapping);
  // The next process of a program may live longer.
  if (!file && root.fd() < 0) return nullptr;
  return (files_[key] = std::move(file)).get();
}

std::string Functions::Name(CodeFile* file, uint64_t offset) const {
  return file->Name(offset);
}

}  // namespace pfe
