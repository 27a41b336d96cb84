// Threads over independent items: exceptions are carried back to the caller, Ctrl-C stops within a second.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

namespace nlptk {

// Thrown out of parallel_for when the interrupt hook says that the user asked to stop.
struct Interrupted : std::runtime_error {
  Interrupted() : std::runtime_error("interrupted") {}
};

// Set once by the bindings: returns true when a signal is pending. Called on the calling thread only.
using InterruptHook = bool (*)();
inline std::atomic<InterruptHook>& interrupt_hook() {
  static std::atomic<InterruptHook> hook{nullptr};
  return hook;
}

// Asks the hook at most every 100 ms.
class InterruptPoll {
 public:
  void operator()() {
    const auto now = std::chrono::steady_clock::now();
    if (now - last_ < std::chrono::milliseconds(100)) return;
    last_ = now;
    const InterruptHook hook = interrupt_hook().load(std::memory_order_relaxed);
    if (hook != nullptr && hook()) throw Interrupted();
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

// While it lives, poll_interrupt() on this thread asks the hook: for kernels that work long on one item.
class InterruptScope {
 public:
  InterruptScope() : outer_(current()) { current() = &poll_; }
  ~InterruptScope() { current() = outer_; }
  InterruptScope(const InterruptScope&) = delete;
  InterruptScope& operator=(const InterruptScope&) = delete;

 private:
  friend void poll_interrupt();
  static InterruptPoll*& current() {
    static thread_local InterruptPoll* poll = nullptr;
    return poll;
  }

  InterruptPoll poll_;
  InterruptPoll* outer_;
};

// Of the parallel_for that this thread works for, set when it is to stop; null on the thread that called it.
inline thread_local const std::atomic<bool>* stop_of_thread = nullptr;

// Throws Interrupted if the user asked to stop, or on a thread of a pool if the pool is to stop. Does nothing on other
// threads outside an InterruptScope.
inline void poll_interrupt() {
  if (InterruptPoll* const poll = InterruptScope::current())
    (*poll)();
  else if (stop_of_thread != nullptr && stop_of_thread->load(std::memory_order_relaxed))
    throw Interrupted();
}

inline constexpr std::size_t kCharsPerPoll = 1 << 16;  // a loop over a text polls so often

// Callers keep a workspace for each thread, so that a slip of the pen must not ask for millions.
inline constexpr long kMostThreads = 1024;

// threads <= 0 means as many as NLPTK_NUM_THREADS says (set in worker processes), else one for each core.
// Resolve once where workspaces are sized by it: the environment may change between two calls.
inline int resolve_threads(int threads) {
  long count = threads;
  if (count <= 0) {
    const char* limit = std::getenv("NLPTK_NUM_THREADS");
    if (limit != nullptr) count = std::strtol(limit, nullptr, 10);
  }
  static const long cores = static_cast<long>(std::thread::hardware_concurrency());  // reads a file, so once
  if (count <= 0) count = cores;
  return static_cast<int>(std::clamp(count, 1L, kMostThreads));
}

// Calls body(begin, end, thread) for blocks of at most `grain` items until all of [0, n) are done.
// `thread` is in [0, threads) and names a workspace that no other running call uses. Blocks are handed out in
// order, but which thread gets which block is not fixed: write results by item, not by thread.
template <class Body>
void parallel_for(std::size_t n, int threads, std::size_t grain, Body&& body) {
  if (n == 0) return;
  if (grain == 0) grain = 1;
  const std::size_t blocks = (n + grain - 1) / grain;
  const int workers = static_cast<int>(std::min<std::size_t>(resolve_threads(threads), blocks));
  std::atomic<std::size_t> next{0};
  std::atomic<bool> stop{false};
  std::exception_ptr error;  // the first one
  std::mutex mutex;
  std::condition_variable finished;
  std::size_t running = 0;  // threads beside this one

  const auto fail = [&] {
    const std::lock_guard<std::mutex> lock(mutex);
    if (!error) error = std::current_exception();
    stop.store(true, std::memory_order_relaxed);
  };

  auto work = [&](int thread, InterruptPoll* poll) {
    try {
      while (!stop.load(std::memory_order_relaxed)) {
        const std::size_t block = next.fetch_add(1, std::memory_order_relaxed);
        if (block >= blocks) return;
        const std::size_t begin = block * grain;
        body(begin, std::min(n, begin + grain), thread);
        if (poll != nullptr) (*poll)();
      }
    } catch (...) {
      fail();
    }
  };
  auto work_beside = [&](int thread) {
    stop_of_thread = &stop;
    work(thread, nullptr);
    const std::lock_guard<std::mutex> lock(mutex);
    --running;
    finished.notify_one();
  };

  std::vector<std::thread> pool;
  pool.reserve(static_cast<std::size_t>(workers) - 1);
  try {
    for (int t = 1; t < workers; ++t) {
      const std::lock_guard<std::mutex> lock(mutex);
      pool.emplace_back(work_beside, t);
      ++running;
    }
  } catch (const std::exception&) {
    // No more threads (or memory for them) to be had: the ones that started, and this one, do the work.
  }
  InterruptPoll poll;
  const InterruptScope scope;
  work(0, &poll);
  // Signals reach this thread alone: it goes on asking while others are at their last blocks.
  std::unique_lock<std::mutex> lock(mutex);
  while (!finished.wait_for(lock, std::chrono::milliseconds(100), [&] { return running == 0; })) {
    lock.unlock();
    try {
      if (!stop.load(std::memory_order_relaxed)) poll();
    } catch (...) {
      fail();
    }
    lock.lock();
  }
  lock.unlock();
  for (std::thread& thread : pool) thread.join();
  if (error) std::rethrow_exception(error);
}

}  // namespace nlptk
