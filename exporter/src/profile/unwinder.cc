// SPDX-License-Identifier: Apache-2.0
#include "profile/unwinder.h"

#include <elfutils/libdwfl.h>
#include <sys/types.h>

#include <cstring>
#include <utility>

namespace pfe {
namespace {

// libdwfl's view of one sample: a process with one thread, whose modules it is
// told when the walk gets to them. It reads no process and no file.
class Walk {
 public:
  Walk(Unwinder* unwinder, const FaultSample& sample,
       const Unwinder::IsOver& is_over)
      : unwinder_(unwinder),
        sample_(sample),
        is_over_(is_over),
        dwfl_(dwfl_begin(&kFiles)) {}
  ~Walk() { dwfl_end(dwfl_); }
  Walk(const Walk&) = delete;
  Walk& operator=(const Walk&) = delete;

  // Returns whether the stack was followed to its end.
  bool Run() {
    uint64_t bias = 0;
    const CallFrames* const first =
        unwinder_->Find(sample_, sample_.stack->registers.back(), &bias);
    if (!dwfl_ || !first) return false;
    const auto pid = static_cast<pid_t>(sample_.pid);
    return dwfl_attach_state(dwfl_, first->elf(), pid, &kThread, this) &&
           dwfl_getthread_frames(dwfl_, pid, TakeFrame, this) == 0 &&
           !is_behind_;
  }
  bool is_cut() const { return is_cut_; }
  const std::vector<uint64_t>& frames() const { return frames_; }

 private:
  static const Dwfl_Callbacks kFiles;
  static const Dwfl_Thread_Callbacks kThread;

  static int GiveElf(Dwfl_Module*, void** frames, const char*, Dwarf_Addr,
                     char**, Elf** elf) {
    *elf = static_cast<const CallFrames*>(*frames)->NewElf();
    return -1;  // no descriptor
  }
  static int GiveNoDebugFile(Dwfl_Module*, void**, const char*, Dwarf_Addr,
                             const char*, const char*, GElf_Word, char**) {
    return -1;
  }
  static pid_t GiveThread(Dwfl*, void* walk, void** last) {
    if (std::exchange(*last, walk)) return 0;
    return static_cast<pid_t>(static_cast<Walk*>(walk)->sample_.pid);
  }
  static bool GiveRegisters(Dwfl_Thread* thread, void* walk) {
    const auto& values = static_cast<Walk*>(walk)->sample_.stack->registers;
    dwfl_thread_state_register_pc(thread, values.back());
    return dwfl_thread_state_registers(
        thread, 0, static_cast<unsigned>(values.size() - 1), values.data());
  }
  static bool GiveMemory(Dwfl*, Dwarf_Addr address, Dwarf_Word* value,
                         void* walk) {
    return static_cast<Walk*>(walk)->ReadStack(address, value);
  }
  // Asked whether it is behind a call, libdwfl would look for the caller at
  // once.
  static int TakeFrame(Dwfl_Frame* frame, void* walk) {
    Dwarf_Addr at = 0;
    return dwfl_frame_pc(frame, &at, nullptr) &&
                   static_cast<Walk*>(walk)->Take(at)
               ? DWARF_CB_OK
               : DWARF_CB_ABORT;
  }

  bool ReadStack(uint64_t address, Dwarf_Word* value) {
    const UserStack& stack = *sample_.stack;
    const uint64_t at = address - stack.registers[kStackPointer];
    is_behind_ |=
        at >= stack.bytes.size() || stack.bytes.size() - at < sizeof(*value);
    if (is_behind_) return false;
    std::memcpy(value, stack.bytes.data() + at, sizeof(*value));
    return true;
  }
  bool Take(uint64_t at) {
    frames_.push_back(at);
    is_cut_ = is_over_();
    return !is_cut_ && frames_.size() < Unwinder::kMostFrames && Prepare(at);
  }
  // Tells libdwfl the file of an instruction. Returns whether it may look for
  // the caller. It does so by the byte before the instruction, which is that of
  // a call, except in the innermost frame and in one that a signal interrupted.
  bool Prepare(uint64_t at) {
    const uint64_t before = at - (frames_.size() > 1 ? 1 : 0);
    uint64_t bias = 0;
    const CallFrames* const frames = unwinder_->Find(sample_, before, &bias);
    if (!frames || !frames->HasSafe(before - bias) ||
        !frames->HasSafe(at - bias))
      return false;
    Dwfl_Module* const module = Report(*frames, before, bias);
    return module && dwfl_addrmodule(dwfl_, before) == module &&
           dwfl_addrmodule(dwfl_, at) == module;
  }
  // Null if the instruction is in what libdwfl takes for another file.
  Dwfl_Module* Report(const CallFrames& frames, uint64_t at, uint64_t bias) {
    const Dwarf_Addr begin = frames.begin() + bias;
    Dwfl_Module* module = dwfl_addrmodule(dwfl_, at);
    if (!module) {
      dwfl_report_begin_add(dwfl_);
      module = dwfl_report_module(dwfl_, "", begin, frames.end() + bias);
      dwfl_report_end(dwfl_, nullptr, nullptr);
      if (!module) return nullptr;
      *UserDataOf(module, nullptr) = const_cast<CallFrames*>(&frames);
    }
    Dwarf_Addr known_begin = 0;
    const void* const known = *UserDataOf(module, &known_begin);
    return known == &frames && known_begin == begin ? module : nullptr;
  }
  static void** UserDataOf(Dwfl_Module* module, Dwarf_Addr* begin) {
    void** data = nullptr;
    dwfl_module_info(module, &data, begin, nullptr, nullptr, nullptr, nullptr,
                     nullptr);
    return data;
  }

  Unwinder* const unwinder_;
  const FaultSample& sample_;
  const Unwinder::IsOver& is_over_;
  Dwfl* const dwfl_;
  std::vector<uint64_t> frames_;
  bool is_cut_ = false;
  // It needed more of the stack than there is. libdwfl takes a return address
  // that it cannot read for the end of the stack.
  bool is_behind_ = false;
};

const Dwfl_Callbacks Walk::kFiles = {GiveElf, GiveNoDebugFile, nullptr,
                                     nullptr};
const Dwfl_Thread_Callbacks Walk::kThread = {GiveThread,    nullptr, GiveMemory,
                                             GiveRegisters, nullptr, nullptr};

}  // namespace

const CallFrames* Unwinder::Find(const FaultSample& sample, uint64_t address,
                                 uint64_t* bias) {
  uint64_t start = 0;
  const Mapping* const mapping =
      spaces_->Find(sample.pid, sample.thread, address, &start);
  const CodeFile* const file =
      mapping ? functions_->Open(sample.thread, *mapping) : nullptr;
  if (!file) return nullptr;
  const auto [at, is_new] = files_.try_emplace(file);
  if (is_new)
    at->second = CallFrames::Read(Functions::Descriptor(*file),
                                  mapping->file.build_id, &bytes_left_);
  if (!at->second) return nullptr;
  const auto in_file = at->second->AddressOf(address - start + mapping->offset);
  if (!in_file) return nullptr;
  *bias = address - *in_file;
  return at->second.get();
}

std::vector<uint64_t> Unwinder::CallPath(const FaultSample& sample,
                                         const IsOver& is_over) {
  if (!sample.stack) return sample.frames;
  Walk walk(this, sample, is_over);
  const bool is_whole = walk.Run();
  cut_ += walk.is_cut();
  const bool is_better =
      is_whole || walk.frames().size() >= sample.frames.size();
  return is_better ? walk.frames() : sample.frames;
}

}  // namespace pfe
