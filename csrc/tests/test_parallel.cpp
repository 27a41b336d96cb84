// Threads: every item once, workspaces not shared, exceptions and interruptions carried back.
#include <atomic>
#include <chrono>
#include <climits>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "check.hpp"
#include "parallel.hpp"
#include "random.hpp"

namespace {

using nlptk::parallel_for;

void every_item_is_done_once() {
  for (const int threads : {1, 2, 7})
    for (const std::size_t n : {0, 1, 2, 15, 16, 17, 1000})
      for (const std::size_t grain : {0, 1, 16, 5000}) {
        std::vector<std::atomic<int>> done(n);
        parallel_for(n, threads, grain, [&](std::size_t begin, std::size_t end, int) {
          CHECK(begin < end && end <= n);
          for (std::size_t i = begin; i < end; ++i) ++done[i];
        });
        for (const auto& count : done) CHECK(count == 1);
      }
}

void no_two_calls_share_a_workspace() {
  std::vector<std::atomic<int>> busy(4);
  std::atomic<int> highest{0};
  parallel_for(400, 4, 1, [&](std::size_t, std::size_t, int thread) {
    CHECK(thread >= 0 && thread < 4);
    CHECK(busy[static_cast<std::size_t>(thread)].exchange(1) == 0);
    std::this_thread::yield();
    if (thread > highest) highest = thread;
    busy[static_cast<std::size_t>(thread)] = 0;
  });
  CHECK(highest < 4);
}

void an_exception_comes_back_and_stops_the_rest() {
  for (const int threads : {1, 3}) {
    std::atomic<int> started{0};
    bool caught = false;
    try {
      parallel_for(100000, threads, 1, [&](std::size_t begin, std::size_t, int) {
        ++started;
        if (begin == 5) throw std::invalid_argument("item 5");
        if (begin > 5) std::this_thread::sleep_for(std::chrono::microseconds(100));
      });
    } catch (const std::invalid_argument& error) {
      caught = std::string(error.what()) == "item 5";
    }
    CHECK(caught);
    CHECK(started < 100000);
  }
}

std::atomic<int> asked{0};

bool stop_at_second_question() { return ++asked >= 2; }

void an_interrupt_ends_the_loop() {
  nlptk::interrupt_hook().store(&stop_at_second_question);
  for (const int threads : {1, 3}) {
    asked = 0;
    bool interrupted = false;
    try {
      parallel_for(std::size_t{1} << 40, threads, 1,
                   [](std::size_t, std::size_t, int) { std::this_thread::sleep_for(std::chrono::milliseconds(5)); });
    } catch (const nlptk::Interrupted&) {
      interrupted = true;
    }
    CHECK(interrupted);
    CHECK(asked == 2);
  }
  nlptk::interrupt_hook().store(nullptr);
}

// One item that would never end, on a thread that no signal reaches.
void an_interrupt_ends_a_long_item() {
  nlptk::interrupt_hook().store(&stop_at_second_question);
  for (const int threads : {1, 3}) {
    asked = 0;
    bool interrupted = false;
    try {
      parallel_for(3, threads, 1, [&](std::size_t begin, std::size_t, int) {
        while (begin == 1) {
          nlptk::poll_interrupt();
          std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
      });
    } catch (const nlptk::Interrupted&) {
      interrupted = true;
    }
    CHECK(interrupted);
    CHECK(asked == 2);
  }
  nlptk::interrupt_hook().store(nullptr);
}

void the_number_of_threads_is_sane() {
  CHECK(nlptk::resolve_threads(3) == 3);
  CHECK(nlptk::resolve_threads(INT_MAX) == nlptk::kMostThreads);
  setenv("NLPTK_NUM_THREADS", "2", 1);
  CHECK(nlptk::resolve_threads(0) == 2);
  CHECK(nlptk::resolve_threads(5) == 5);
  for (const char* odd : {"", "many", "0", "-4", "99999999999999999999999"}) {
    setenv("NLPTK_NUM_THREADS", odd, 1);
    const int threads = nlptk::resolve_threads(-1);
    CHECK(threads >= 1 && threads <= nlptk::kMostThreads);
  }
  unsetenv("NLPTK_NUM_THREADS");
}

void random_numbers_are_the_published_ones() {
  nlptk::Random random(1234567);  // the reference values of splitmix64
  for (const std::uint64_t expected : {6457827717110365317ULL, 3203168211198807973ULL, 9817491932198370423ULL})
    CHECK(random.next() == expected);
  std::vector<int> counts(5);
  for (int i = 0; i < 5000; ++i) ++counts[random.below(5)];
  for (const int count : counts) CHECK(count > 800 && count < 1200);
  std::vector<int> items{1, 2, 3, 4, 5, 6, 7, 8};
  const std::vector<int> sorted = items;
  random.shuffle(items);
  CHECK(items != sorted);
  std::sort(items.begin(), items.end());
  CHECK(items == sorted);
}

}  // namespace

int main() {
  every_item_is_done_once();
  no_two_calls_share_a_workspace();
  an_exception_comes_back_and_stops_the_rest();
  an_interrupt_ends_the_loop();
  an_interrupt_ends_a_long_item();
  the_number_of_threads_is_sane();
  random_numbers_are_the_published_ones();
  std::printf("ok\n");
  return 0;
}
