// Tokens of text files that are larger than memory: cut into chunks that threads read for themselves, each from the
// first line that begins in its chunk to the end of the last, so that no line is skipped and none is cut.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace nlptk {

// What to do with bytes that are not UTF-8.
enum class OnInvalid { strict, replace, ignore };

// How tokens and lines are told apart.
enum class Layout {
  text,    // tokens between white space as str.split has it, lines end at LF
  spooled  // tokens end at U+001F, lines at U+001E: tokens may hold anything else
};

class Corpus {
 public:
  struct Chunk {
    std::size_t file;
    std::uint64_t begin, end;
  };

  // `names` are what messages call the files. Throws std::invalid_argument naming a file that cannot be read.
  Corpus(std::vector<std::string> paths, std::vector<std::string> names, Layout layout, OnInvalid on_invalid,
         std::size_t chunk_bytes = std::size_t{1} << 20);

  const std::vector<Chunk>& chunks() const { return chunks_; }
  std::uint64_t bytes() const { return bytes_; }
  Layout layout() const { return layout_; }
  OnInvalid on_invalid() const { return on_invalid_; }
  const std::string& path(std::size_t file) const { return paths_[file]; }
  const std::string& name(std::size_t file) const { return names_[file]; }

  // The number of the line, from 1, that holds this byte.
  std::uint64_t line_of(std::size_t file, std::uint64_t byte) const;

 private:
  std::vector<std::string> paths_, names_;
  std::vector<Chunk> chunks_;
  std::uint64_t bytes_ = 0;
  Layout layout_;
  OnInvalid on_invalid_;
};

// Reads the tokens of one chunk after another in memory that is kept. One for each thread.
class TokenReader {
 public:
  explicit TokenReader(const Corpus& corpus) : corpus_(&corpus) {}
  ~TokenReader();
  TokenReader(const TokenReader&) = delete;
  TokenReader& operator=(const TokenReader&) = delete;

  void open(const Corpus::Chunk& chunk);

  enum class Event { token, line_end, end };
  // The next token, valid until the next call, or the end of a line that held tokens or not, or of the chunk.
  // Throws std::invalid_argument for bytes that are not UTF-8 (file and line) unless they are replaced or ignored, for a
  // token of more than kLongestToken bytes, and for a file that cannot be read or has shrunk.
  Event next(std::string_view& token);

  static constexpr std::size_t kLongestToken = std::size_t{1} << 20;

 private:
  static constexpr std::size_t kBuffer = std::size_t{1} << 18;

  bool fill();  // more of the file behind what is left; false at its end
  bool skip_line();
  std::size_t ascii_end(std::size_t at) const;
  std::size_t token_end(std::size_t at) const;
  std::string_view checked(std::string_view token, std::uint64_t offset);
  [[noreturn]] void fail(std::uint64_t offset, const std::string& what) const;

  const Corpus* corpus_;
  int descriptor_ = -1;
  std::size_t file_ = static_cast<std::size_t>(-1);
  std::uint64_t last_ = 0;   // lines that begin at or after it belong to the next chunk
  std::uint64_t base_ = 0;   // offset in the file of buffer_[0]
  std::vector<char> buffer_;
  std::size_t at_ = 0, size_ = 0;
  bool in_line_ = false;
  std::string cleaned_;
};

}  // namespace nlptk
