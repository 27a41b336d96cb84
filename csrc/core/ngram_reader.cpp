#include "ngram_reader.hpp"

namespace nlptk {
namespace {

char* put(char32_t c, char* out) {
  if (c < 0x80) {
    *out = static_cast<char>(c);
    return out + 1;
  }
  return utf8::encode(c, out);
}

}  // namespace

void NgramReader::begin(std::size_t most_bytes) {
  if (buffer_.size() < most_bytes) buffer_.resize(most_bytes);
  starts_.clear();
  words_.clear();
}

// The word from `word` to `out` gets its space, or goes again if it is a stop word.
void NgramReader::end_word(char* word, char*& out) {
  const std::string_view text(word, static_cast<std::size_t>(out - word));
  if (stop_words_->size() > 0 && stop_words_->find(text) != TermTable::kNone) {
    out = word;
    return;
  }
  mark(word);
  *out++ = ' ';
}

template <class T>
void NgramReader::split_words(const T* text, std::size_t size, const std::uint32_t* chars) {
  // A character belongs to a word if it has the flag of one, to a chunk if it has not that of white space.
  const std::uint32_t flag = rules_.unit == NgramUnit::chunk ? CharTable::kSpace : CharTable::kWord;
  const std::uint32_t inside = rules_.unit == NgramUnit::chunk ? 0 : flag;
  char* out = buffer_.data();
  for (std::size_t i = 0;;) {
    while (i < size && (chars[text[i]] & flag) != inside) ++i;
    if (i == size) break;
    char* const word = out;
    const std::size_t first = i;
    for (; i < size; ++i) {
      const std::uint32_t entry = chars[text[i]];
      if ((entry & flag) != inside) break;
      out = put(entry & CharTable::kChar, out);
    }
    if (i - first >= rules_.min_chars)
      end_word(word, out);
    else
      out = word;
  }
  mark(out);
}

template <class T>
void NgramReader::split_characters(const T* text, std::size_t size, const std::uint32_t* chars) {
  char* out = buffer_.data();
  for (std::size_t i = 0; i < size; ++i) {
    mark(out);
    if ((chars[text[i]] & CharTable::kSpace) && i + 1 < size && (chars[text[i + 1]] & CharTable::kSpace)) {
      while (i + 1 < size && (chars[text[i + 1]] & CharTable::kSpace)) ++i;
      *out++ = ' ';
    } else {
      out = put(chars[text[i]] & CharTable::kChar, out);
    }
  }
  mark(out);
}

template <class T>
void NgramReader::split_padded_words(const T* text, std::size_t size, const std::uint32_t* chars) {
  char* out = buffer_.data();
  const auto space = [&] {
    words_.push_back(starts_.size());
    mark(out);
    *out++ = ' ';
  };
  space();
  for (std::size_t i = 0;;) {
    while (i < size && (chars[text[i]] & CharTable::kSpace)) ++i;
    if (i == size) break;
    for (; i < size && !(chars[text[i]] & CharTable::kSpace); ++i) {
      mark(out);
      out = put(chars[text[i]] & CharTable::kChar, out);
    }
    space();
  }
  mark(out);
}

template <class T>
void NgramReader::split(const T* text, std::size_t size, const std::uint32_t* chars) {
  begin(size * (sizeof(T) == 1 ? 3 : sizeof(T) == 2 ? 4 : 5) + 8);  // a space for each character, at most
  switch (rules_.unit) {
    case NgramUnit::word:
    case NgramUnit::chunk: return split_words(text, size, chars);
    case NgramUnit::character: return split_characters(text, size, chars);
    case NgramUnit::character_in_word: return split_padded_words(text, size, chars);
  }
}

template void NgramReader::split(const std::uint8_t*, std::size_t, const std::uint32_t*);
template void NgramReader::split(const std::uint16_t*, std::size_t, const std::uint32_t*);
template void NgramReader::split(const std::uint32_t*, std::size_t, const std::uint32_t*);

void NgramReader::join(std::span<const TextSpan> words) {
  std::size_t most = 8;
  for (const TextSpan& word : words) most += word.length * 4 + 1;
  begin(most);
  char* out = buffer_.data();
  for (const TextSpan& word : words) {
    char* const first = out;
    visit_text(word, [&](const auto* data) {
      for (std::size_t i = 0; i < word.length; ++i) out = put(data[i], out);
    });
    end_word(first, out);
  }
  mark(out);
}

}  // namespace nlptk
