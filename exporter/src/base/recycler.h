// SPDX-License-Identifier: Apache-2.0
// Objects that readers share while the next one is made, and whose memory is
// used again.
#ifndef EXPORTER_BASE_RECYCLER_H_
#define EXPORTER_BASE_RECYCLER_H_

#include <atomic>
#include <memory>

namespace pfe {

// Take() gives an object out as a shared_ptr. When the last reference to it
// goes, in whatever thread that is, the object goes to a slot, and the next
// Take() gives it out again with the content it had. The slot holds one
// object: a second one is deleted.
//
// Thread safety: Take() is for one thread; references may go in any thread.
template <typename Object>
class Recycler {
 public:
  std::shared_ptr<Object> Take() {
    std::unique_ptr<Object> object(slot_->free.exchange(nullptr));
    if (!object) object = std::make_unique<Object>();
    return std::shared_ptr<Object>(
        object.release(),
        [slot = slot_](Object* used) { delete slot->free.exchange(used); });
  }

  // Gives the memory of the object in the slot back. Objects that are still
  // shared are deleted when their last reference goes.
  void Forget() { slot_ = std::make_shared<Slot>(); }

 private:
  struct Slot {
    ~Slot() { delete free.load(); }
    std::atomic<Object*> free = nullptr;
  };

  std::shared_ptr<Slot> slot_ = std::make_shared<Slot>();
};

}  // namespace pfe

#endif  // EXPORTER_BASE_RECYCLER_H_
