// Runs a fuzz target where there is no libFuzzer: random changes to inputs, those that reach new code are kept.
//
// Flags as libFuzzer has them: -max_total_time=SECONDS, -runs=N, -seed=N, -max_len=BYTES; files are run once each and
// nothing else is done. What failed is left in crash-NAME. Source of the idea: AFL (Zalewski), technical_details.txt.
#include <sanitizer/common_interface_defs.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "random.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr std::size_t kEdges = std::size_t{1} << 16;
constexpr unsigned kSlow = 20;         // seconds of processor time for 256 inputs
constexpr std::size_t kSettings = 4;
constexpr std::uint64_t kInARow = 32;  // inputs made from one, so that a target can keep what it built for the last

std::array<std::uint8_t, kEdges> edges;  // how often each was taken by the input that runs
std::uintptr_t place = 0;

std::string running, crash_name = "crash";
bool is_running = false;

// Called from signal handlers too, so nothing but system calls.
void save_input() {
  if (!is_running) return;
  is_running = false;
  std::FILE* file = std::fopen(crash_name.c_str(), "wb");
  if (file == nullptr) return;
  std::fwrite(running.data(), 1, running.size(), file);
  std::fclose(file);
  std::fprintf(stderr, "the input that failed is in %s\n", crash_name.c_str());
}

// Processor time, so that a busy machine fails no input; 0 lifts the limit.
void limit_time(unsigned seconds) {
  const itimerval limit{{0, 0}, {static_cast<time_t>(seconds), 0}};
  setitimer(ITIMER_VIRTUAL, &limit, nullptr);
}

void on_signal(int number) {
  std::fprintf(stderr, number == SIGVTALRM ? "the last inputs took more than %u seconds\n" : "aborted\n", kSlow);
  save_input();
  _exit(1);
}

void run(const std::string& input) {
  edges.fill(0);
  place = 0;
  running = input;
  is_running = true;
  // On the heap and no byte longer, so that ASan sees every read beyond the end.
  const std::vector<std::uint8_t> exact(input.begin(), input.end());
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
  is_running = false;
}

// Whether the last run took an edge that none before took, or took it an order of magnitude more often.
bool reached_something_new() {
  static std::array<std::uint8_t, kEdges> seen;
  bool fresh = false;
  for (std::size_t i = 0; i < kEdges; i += 8) {
    std::uint64_t word;
    std::memcpy(&word, edges.data() + i, sizeof word);
    if (word == 0) continue;
    for (std::size_t j = i; j < i + 8; ++j) {
      const int count = edges[j];
      const int bucket = count == 0 ? 0 : count == 1 ? 1 : count == 2 ? 2 : count < 8 ? 4 : count < 32 ? 8 : 16;
      if ((bucket & ~seen[j]) == 0) continue;
      seen[j] = static_cast<std::uint8_t>(seen[j] | bucket);
      fresh = true;
    }
  }
  return fresh;
}

// What text is made of, so that it need not be found bit by bit.
const std::vector<std::string> kFragments = {
    "a", "b", "ab", "abc", "aB", "the", " the", "Word", "WORD", "'", "'s", "'S", "'ll", "'RE", "\xC5\xBF",
    "\xE2\x84\xAA", " ", "  ", "\n", "\r\n", "\t", "\xC2\x85", "\xC2\xA0", "\xE3\x80\x80", "0", "7", "123",
    "1.5%", "\xC2\xB2", "\xD9\xA3", "\xE2\x85\xA7", "!", ".", ",", "/", "-", "_", "(", "[MASK]", "<|a|>",
    "\xC3\xA9", "\xC3\x89", "\xC4\xB0", "\xC3\x9F", "\xC7\x85", "\xCA\xB0", "\xCC\x81", "e\xCC\x81",
    "\xE0\xA4\xBF", "\xE4\xB8\xAD", "\xE4\xB8\x80", "\xE5\x8C\x97\xE4\xBA\xAC", "\xE9\xBF\xBF", "\xE4\xB7\xBF",
    "\xE4\xB6\xB5", "\xEA\xB0\x81", "\xE3\x80\x82", "\xEF\xBC\x8C", "\xF0\x9F\x98\x80", "\xF0\xA0\x80\x80",
    "\xF0\x9D\x90\x80", "\xF4\x8F\xBF\xBF", "\xED\xA0\xBD", "\xFF", std::string(1, '\0')};

class Mutator {
 public:
  Mutator(std::uint64_t seed, std::size_t longest) : random_(seed), longest_(longest) {}

  // Mostly without the first bytes, in which the settings are.
  std::string change(std::string input, const std::vector<std::string>& pool) {
    const std::string kept = random_.below(8) > 0 ? input.substr(0, kSettings) : "";
    input.erase(0, kept.size());
    for (std::size_t n = 1 + random_.below(8); n > 0; --n) change_once(input, pool);
    input.insert(0, kept);
    if (input.size() > longest_) input.resize(longest_);
    return input;
  }
  std::size_t below(std::size_t n) { return random_.below(n); }

 private:
  nlptk::Random random_;
  std::size_t longest_;

  void change_once(std::string& input, const std::vector<std::string>& pool) {
    const std::size_t at = random_.below(input.size() + 1);
    const std::size_t length = std::min(input.size() - at, random_.below(random_.below(8) == 0 ? 64 : 6));
    switch (random_.below(9)) {
      case 0: input.insert(at, 1, static_cast<char>(random_.next())); break;
      case 1: input.erase(at, length); break;
      case 2: input.insert(random_.below(input.size() + 1), input.substr(at, length)); break;
      case 3:
        if (at < input.size()) input[at] = static_cast<char>(input[at] ^ 1 << random_.below(8));
        break;
      case 4: {
        std::string repeated;
        const std::string unit = random_.below(2) == 0 ? input.substr(at, length) : fragment();
        for (std::size_t n = random_.below(40); n > 0 && repeated.size() < longest_; --n) repeated += unit;
        input.insert(at, repeated);
        break;
      }
      case 5: {
        const std::string& other = pool[random_.below(pool.size())];
        input = input.substr(0, at) + other.substr(random_.below(other.size() + 1));
        break;
      }
      case 6: input.replace(at, length, fragment()); break;
      default: input.insert(at, fragment());
    }
  }
  const std::string& fragment() { return kFragments[random_.below(kFragments.size())]; }
};

bool number_flag(std::string_view argument, std::string_view name, std::uint64_t& value) {
  if (argument.substr(0, name.size()) != name) return false;
  value = std::strtoull(argument.data() + name.size(), nullptr, 10);
  return true;
}

}  // namespace

// GCC puts a call of this on every edge (-fsanitize-coverage=trace-pc).
extern "C" void __sanitizer_cov_trace_pc() {
  const auto here = reinterpret_cast<std::uintptr_t>(__builtin_return_address(0)) -
                    reinterpret_cast<std::uintptr_t>(&LLVMFuzzerTestOneInput);
  std::uint8_t& count = edges[(here ^ place << 1) % kEdges];
  if (count < 255) ++count;
  place = here;
}

int main(int argc, char** argv) {
  std::uint64_t seconds = 0, runs = 0, seed = 1, longest = 400;
  std::vector<std::string> files;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (number_flag(argument, "-max_total_time=", seconds) || number_flag(argument, "-runs=", runs) ||
        number_flag(argument, "-seed=", seed) || number_flag(argument, "-max_len=", longest))
      continue;
    files.emplace_back(argument);
  }
  const std::string name = std::string(argv[0]).substr(std::string(argv[0]).rfind('/') + 1);
  crash_name = "crash-" + name;
  std::signal(SIGABRT, on_signal);
  std::signal(SIGVTALRM, on_signal);
  std::atexit(save_input);
  __sanitizer_set_death_callback(save_input);

  for (const std::string& path : files) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
      std::fprintf(stderr, "%s: cannot be read\n", path.c_str());
      return 1;
    }
    crash_name = path + ".again";
    run({std::istreambuf_iterator<char>(file), {}});
  }
  if (!files.empty()) return 0;

  Mutator mutator(seed, longest);
  std::vector<std::string> pool{"", std::string(64, '\0'), "    The otter's 1st swim.", "    \xE4\xB8\xAD\xE6\x96\x87"};
  const auto started = std::chrono::steady_clock::now();
  const auto elapsed = [&] {
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - started).count();
  };
  if (seconds == 0 && runs == 0) seconds = 60;
  std::uint64_t done = 0;
  std::size_t base = 0;
  for (; (runs == 0 || done < runs) && (seconds == 0 || elapsed() < static_cast<std::int64_t>(seconds)); ++done) {
    if (done % 256 == 0) limit_time(kSlow);
    if (done % kInARow == 0) base = mutator.below(pool.size());
    const std::string input = done < pool.size() ? pool[done] : mutator.change(pool[base], pool);
    run(input);
    if (reached_something_new()) pool.push_back(input);
  }
  limit_time(0);
  std::printf("%s: %llu inputs, %zu kept for the code they reach, %lld seconds, no failure (seed %llu)\n", name.c_str(),
              static_cast<unsigned long long>(done), pool.size(), static_cast<long long>(elapsed()),
              static_cast<unsigned long long>(seed));
  return 0;
}
