// SPDX-License-Identifier: Apache-2.0
// Reuses the memory of objects that readers share: while readers hold one
// object, the next one is made.
#ifndef EXPORTER_BASE_RECYCLER_H_
#define EXPORTER_BASE_RECYCLER_H_

#include <atomic>
#include <memory>

namespace pfe {

// Take() returns an object as a shared_ptr. When the last reference is dropped,
// in any thread, the object is put into a slot. The next Take() returns the
// object in the slot, with its old content. The slot holds one object: an
// object that is already there is deleted.
//
// Thread safety: only one thread may call Take(). References may be dropped in
// any thread.
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

  // Frees the object in the slot. Objects that are still shared are deleted
  // when their last reference is dropped.
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
