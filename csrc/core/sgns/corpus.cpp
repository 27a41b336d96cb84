#include "sgns/corpus.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "utf8.hpp"
#include "vectors/spaces.hpp"

namespace nlptk {
namespace {

constexpr char kTokenEnd = '\x1F', kLineEnd = '\x1E';

constexpr std::size_t kLongestSpace = 3;  // bytes of a white space character

constexpr char kTooLong[] = "a word of more than 1 MiB without white space; is this text? (--tokenizer cuts text into words)";

bool may_be_space(char c) { return utf8::kSpaceKind[static_cast<unsigned char>(c)] != 0; }

int open_file(const std::string& path, const std::string& name) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) throw std::invalid_argument("cannot read '" + name + "': " + std::strerror(errno));
  return descriptor;
}

// Bytes that one U+FFFD stands for where `text` begins with no valid sequence: as much as could begin one (Unicode 3.9,
// as Python has it).
std::size_t broken_length(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0xC2 || lead > 0xF4) return 1;
  unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  std::size_t n = 1;
  for (; n < std::min(utf8::length_of(lead), text.size()); ++n, low = 0x80, high = 0xBF) {
    const auto c = static_cast<unsigned char>(text[n]);
    if (c < low || c > high) break;
  }
  return n;
}

}  // namespace

Corpus::Corpus(std::vector<std::string> paths, std::vector<std::string> names, Layout layout, OnInvalid on_invalid,
               std::size_t chunk_bytes)
    : paths_(std::move(paths)), names_(std::move(names)), layout_(layout), on_invalid_(on_invalid) {
  if (paths_.size() != names_.size() || chunk_bytes == 0) throw std::invalid_argument("each file needs a name");
  for (std::size_t file = 0; file < paths_.size(); ++file) {
    const int descriptor = open_file(paths_[file], names_[file]);
    struct stat info {};
    const bool regular = ::fstat(descriptor, &info) == 0 && S_ISREG(info.st_mode);
    ::close(descriptor);
    if (!regular) throw std::invalid_argument("'" + names_[file] + "' is no regular file");
    const auto size = static_cast<std::uint64_t>(info.st_size);
    for (std::uint64_t at = 0; at < size; at += chunk_bytes) chunks_.push_back({file, at, std::min(size, at + chunk_bytes)});
    bytes_ += size;
  }
}

std::uint64_t Corpus::line_of(std::size_t file, std::uint64_t byte) const {
  const int descriptor = open_file(paths_[file], names_[file]);
  const char end = layout_ == Layout::text ? '\n' : kLineEnd;
  std::vector<char> buffer(std::size_t{1} << 20);
  std::uint64_t line = 1;
  for (std::uint64_t at = 0; at < byte;) {
    const ssize_t n = ::pread(descriptor, buffer.data(), std::min<std::uint64_t>(buffer.size(), byte - at), static_cast<off_t>(at));
    if (n <= 0) break;
    line += static_cast<std::uint64_t>(std::count(buffer.data(), buffer.data() + n, end));
    at += static_cast<std::uint64_t>(n);
  }
  ::close(descriptor);
  return line;
}

TokenReader::~TokenReader() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void TokenReader::open(const Corpus::Chunk& chunk) {
  if (buffer_.empty()) buffer_.resize(kBuffer);
  if (file_ != chunk.file) {
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
    descriptor_ = open_file(corpus_->path(chunk.file), corpus_->name(chunk.file));
    file_ = chunk.file;
  }
  // From the byte before: if that ends a line, one begins here.
  base_ = chunk.begin == 0 ? 0 : chunk.begin - 1;
  last_ = chunk.end;
  at_ = size_ = 0;
  in_line_ = false;
  if (chunk.begin > 0) {
    if (!skip_line()) last_ = 0;
  } else if (corpus_->layout() == Layout::text && fill() && size_ >= 3 && std::memcmp(buffer_.data(), "\xEF\xBB\xBF", 3) == 0) {
    at_ = 3;  // a byte-order mark
    in_line_ = true;  // that the mark begins, however short the chunk
  }
}

// To where a line begins; no further than the next chunk, which may lie inside this line too.
bool TokenReader::skip_line() {
  const char end = corpus_->layout() == Layout::text ? '\n' : kLineEnd;
  for (in_line_ = false; base_ + at_ < last_;) {
    if (at_ == size_ && !fill()) return false;
    const void* found = std::memchr(buffer_.data() + at_, end, size_ - at_);
    if (found != nullptr) {
      at_ = static_cast<std::size_t>(static_cast<const char*>(found) - buffer_.data()) + 1;
      return true;
    }
    at_ = size_;
  }
  return false;
}

bool TokenReader::fill() {
  if (at_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + at_, size_ - at_);
    base_ += at_;
    size_ -= at_;
    at_ = 0;
  }
  if (size_ == buffer_.size()) {
    if (size_ > kLongestToken) fail(base_, kTooLong);
    buffer_.resize(2 * buffer_.size());
  }
  ssize_t n;
  do n = ::pread(descriptor_, buffer_.data() + size_, buffer_.size() - size_, static_cast<off_t>(base_ + size_));
  while (n < 0 && errno == EINTR);
  if (n < 0) throw std::invalid_argument("cannot read '" + corpus_->name(file_) + "': " + std::strerror(errno));
  size_ += static_cast<std::size_t>(n);
  return n > 0;
}

// The end of the token at `at`, or size_ where it may go on behind the buffer.
std::size_t TokenReader::token_end(std::size_t at) const {
  const char* data = buffer_.data();
  if (corpus_->layout() == Layout::spooled) {
    while (at < size_ && data[at] != kTokenEnd && data[at] != kLineEnd) ++at;
    return at;
  }
  for (; at < size_; ++at)
    if (may_be_space(data[at]) && utf8::space_at(data + at, data + size_) > 0) return at;
  return at;
}

// The end of the token at `at` if that is ASCII, followed by a space or the end of the line and no longer than what is
// looked at: most tokens, of which nothing else need be known. Otherwise `at`.
std::size_t TokenReader::ascii_end(std::size_t at) const {
  constexpr std::uint64_t kOnes = 0x0101010101010101, kHigh = 0x80 * kOnes;
  const char* const data = buffer_.data();
  for (std::size_t end = at; std::endian::native == std::endian::little && end + 8 <= size_; end += 8) {
    std::uint64_t bytes;
    std::memcpy(&bytes, data + end, sizeof bytes);
    // Of bytes below '!' and above ASCII the first has its high bit set; those after it may have it by a carry.
    const std::uint64_t other = ((bytes - '!' * kOnes) | bytes) & kHigh;
    if (other == 0) continue;
    end += static_cast<std::size_t>(std::countr_zero(other)) / 8;
    return (data[end] == ' ' || data[end] == '\n') && end - at <= kLongestToken ? end : at;
  }
  return at;
}

TokenReader::Event TokenReader::next(std::string_view& token) {
  const bool text = corpus_->layout() == Layout::text;
  for (;;) {
    if (!in_line_ && base_ + at_ >= last_) return Event::end;
    if (at_ == size_ && !fill()) {
      last_ = 0;
      return std::exchange(in_line_, false) ? Event::line_end : Event::end;
    }
    in_line_ = true;
    const char c = buffer_[at_];
    if (c == (text ? '\n' : kLineEnd)) {
      ++at_;
      in_line_ = false;
      return Event::line_end;
    }
    if (text) {
      if (const std::size_t end = ascii_end(at_); end > at_) {
        token = {buffer_.data() + at_, end - at_};
        at_ = end;
        return Event::token;
      }
      while (size_ - at_ < kLongestSpace && fill()) {
      }
      if (const std::size_t space = utf8::space_at(buffer_.data() + at_, buffer_.data() + size_); space > 0) {
        at_ += space;
        continue;
      }
    } else if (c == kTokenEnd) {
      ++at_;
      continue;
    }
    std::size_t end = token_end(at_);
    // White space of several bytes may begin in the last ones that are there.
    for (bool more = true; more && end + kLongestSpace > size_;) {
      more = fill();  // moves what is left, also where nothing follows
      end = token_end(at_);
    }
    const std::uint64_t offset = base_ + at_;
    if (end - at_ > kLongestToken) fail(offset, kTooLong);
    token = checked({buffer_.data() + at_, end - at_}, offset);
    at_ = end;
    if (!token.empty()) return Event::token;
  }
}

// The token in UTF-8.
std::string_view TokenReader::checked(std::string_view token, std::uint64_t offset) {
  std::size_t bad = utf8::find_invalid(token.data(), token.size());
  if (bad == token.size()) return token;
  if (corpus_->on_invalid() == OnInvalid::strict) {
    constexpr char kHex[] = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(token[bad]);
    fail(offset + bad, std::string("byte 0x") + kHex[byte >> 4] + kHex[byte & 15] +
                           " is not UTF-8; convert the file to UTF-8, or give --errors replace or ignore");
  }
  cleaned_.clear();
  while (bad < token.size()) {
    cleaned_.append(token.substr(0, bad));
    if (corpus_->on_invalid() == OnInvalid::replace) utf8::append(cleaned_, utf8::kReplacement);
    token.remove_prefix(bad);
    token.remove_prefix(broken_length(token));
    bad = utf8::find_invalid(token.data(), token.size());
  }
  cleaned_.append(token);
  return cleaned_;
}

void TokenReader::fail(std::uint64_t offset, const std::string& what) const {
  throw std::invalid_argument(corpus_->name(file_) + ", line " + std::to_string(corpus_->line_of(file_, offset)) + ": " + what);
}

}  // namespace nlptk
