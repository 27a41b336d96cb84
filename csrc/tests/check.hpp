// What the tests of this folder share.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

// One line on stderr and exit status 1 where a condition does not hold; unlike assert, in release builds too.
#define CHECK(condition)                                                                  \
  do {                                                                                    \
    if (!(condition)) {                                                                   \
      std::fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition);  \
      std::exit(1);                                                                       \
    }                                                                                     \
  } while (false)

// Whether f() throws std::invalid_argument whose message holds `part`.
template <class F>
bool rejects(F&& f, const std::string& part) {
  try {
    f();
  } catch (const std::invalid_argument& error) {
    if (std::string(error.what()).find(part) != std::string::npos) return true;
    std::fprintf(stderr, "rejected with: %s\n", error.what());
  }
  return false;
}
