// SPDX-License-Identifier: Apache-2.0
#include "profile/functions.h"

#include <cxxabi.h>
#include <elfutils/libdwelf.h>
#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <gelf.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <string_view>
#include <utility>

#include "base/utf8.h"
#include "source/file.h"

namespace pfe {
namespace {

std::string Demangled(const char* name) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text(
      abi::__cxa_demangle(name, nullptr, nullptr, &status), free);
  return ToValidUtf8(status == 0 && text ? text.get() : name);
}

// Opens a path as it is in another root directory, which may be that of a
// container: a link in it cannot lead out of it. Returns a negative number if
// there is no such file.
int OpenInRoot(const std::string& root, const std::string& path) {
  const pfe::File directory(AT_FDCWD, root.c_str(), O_PATH | O_DIRECTORY);
  if (directory.fd() < 0) return -1;
  open_how how{};
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
  how.resolve = RESOLVE_IN_ROOT;
  return static_cast<int>(
      syscall(SYS_openat2, directory.fd(), path.c_str(), &how, sizeof(how)));
}

bool IsReadable(const struct stat& status) {
  return S_ISREG(status.st_mode) &&
         static_cast<uint64_t>(status.st_size) <= Functions::kMostFileBytes;
}

bool IsSame(const struct stat& status, const FileIdentity& file) {
  return file.inode != 0 && status.st_ino == file.inode &&
         status.st_dev == file.device;
}

std::string BuildIdOf(Elf* elf) {
  const void* bytes = nullptr;
  const ssize_t size = dwelf_elf_gnu_build_id(elf, &bytes);
  return size > 0 ? std::string(static_cast<const char*>(bytes),
                                static_cast<size_t>(size))
                  : "";
}

}  // namespace

// The symbols of one file, at the addresses that the file itself has.
class Functions::File {
 public:
  // Takes the descriptor over.
  static std::unique_ptr<File> Open(int fd, const std::string& path) {
    auto file = std::unique_ptr<File>(new File());
    if (file->Report(fd, path)) return file;
    return nullptr;
  }
  ~File() {
    if (dwfl_) dwfl_end(dwfl_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  std::string build_id() const { return BuildIdOf(elf_); }
  const std::string& Name(uint64_t offset) {
    const auto [at, is_new] = names_.try_emplace(offset);
    if (is_new) at->second = Find(offset);
    return at->second;
  }

 private:
  File() = default;

  bool Report(int fd, const std::string& path) {
    static const Dwfl_Callbacks kCallbacks = [] {
      Dwfl_Callbacks callbacks{};
      callbacks.find_elf = dwfl_build_id_find_elf;
      callbacks.find_debuginfo = dwfl_standard_find_debuginfo;
      callbacks.section_address = dwfl_offline_section_address;
      return callbacks;
    }();
    dwfl_ = dwfl_begin(&kCallbacks);
    if (dwfl_) {
      dwfl_report_begin(dwfl_);
      module_ = dwfl_report_elf(dwfl_, path.c_str(), path.c_str(), fd, 0, true);
      dwfl_report_end(dwfl_, nullptr, nullptr);
    }
    if (!module_) {
      close(fd);
      return false;
    }
    GElf_Addr bias = 0;
    elf_ = dwfl_module_getelf(module_, &bias);
    return elf_ != nullptr;
  }

  // The address of an offset: that of the segment that has it.
  std::optional<uint64_t> AddressOf(uint64_t offset) const {
    size_t count = 0;
    if (elf_getphdrnum(elf_, &count) != 0) return std::nullopt;
    for (size_t i = 0; i < count; ++i) {
      GElf_Phdr segment;
      if (gelf_getphdr(elf_, static_cast<int>(i), &segment) &&
          segment.p_type == PT_LOAD && offset >= segment.p_offset &&
          offset - segment.p_offset < segment.p_filesz)
        return segment.p_vaddr + (offset - segment.p_offset);
    }
    return std::nullopt;
  }

  std::string Find(uint64_t offset) const {
    const auto address = AddressOf(offset);
    if (!address) return "";
    GElf_Off into = 0;
    GElf_Sym symbol;
    const char* const name = dwfl_module_addrinfo(
        module_, *address, &into, &symbol, nullptr, nullptr, nullptr);
    return name ? Demangled(name) : "";
  }

  Dwfl* dwfl_ = nullptr;
  Dwfl_Module* module_ = nullptr;
  Elf* elf_ = nullptr;
  std::unordered_map<uint64_t, std::string> names_;  // by offset
};

Functions::Functions(std::string procfs) : procfs_(std::move(procfs)) {
  // libdwfl would ask these servers for debug files, and wait for them.
  unsetenv("DEBUGINFOD_URLS");
}

Functions::~Functions() = default;

Functions::File* Functions::Open(uint32_t pid, const Mapping& mapping) {
  const std::string key = mapping.name + '\0' + mapping.file.build_id + '\0' +
                          std::to_string(mapping.file.device) + ':' +
                          std::to_string(mapping.file.inode);
  if (const auto found = files_.find(key); found != files_.end())
    return found->second.get();
  if (files_.size() == kMostFiles) files_.clear();
  std::unique_ptr<File>& place = files_[key];
  const std::string root = procfs_ + "/" + std::to_string(pid) + "/root";
  for (const std::string& from : {root, std::string("/")}) {
    const int fd = OpenInRoot(from, mapping.name);
    if (fd < 0) continue;
    struct stat status {};
    if (fstat(fd, &status) != 0 || !IsReadable(status)) {
      close(fd);
      continue;
    }
    auto file = File::Open(fd, from + mapping.name);
    // A file system such as btrfs or overlayfs shows another inode number in
    // stat(2). So in the process's own root directory the path is enough.
    if (file && (mapping.file.build_id.empty()
                     ? from == root || IsSame(status, mapping.file)
                     : file->build_id() == mapping.file.build_id)) {
      place = std::move(file);
      break;
    }
  }
  return place.get();
}

std::string Functions::Name(uint32_t pid, const Mapping& mapping,
                            uint64_t offset) {
  if (!mapping.name.starts_with('/')) return "";
  File* const file = Open(pid, mapping);
  return file ? file->Name(offset) : "";
}

}  // namespace pfe
