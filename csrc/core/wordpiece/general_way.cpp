// WordPiece::encode_generally: each step of the definition over the whole text in turn.
#include "unicode.hpp"
#include "wordpiece/wordpiece.hpp"

namespace nlptk::wordpiece {
namespace {

void add(Pieces& pieces, std::int32_t id, std::size_t start, std::size_t end, std::int32_t word) {
  pieces.ids.push_back(id);
  pieces.starts.push_back(static_cast<std::int32_t>(start));
  pieces.ends.push_back(static_cast<std::int32_t>(end));
  pieces.words.push_back(word);
}

}  // namespace

// The words of the normalized text [begin, end), numbered from `word`.
void WordPiece::general_words(std::size_t begin, std::size_t end, std::int32_t& word, Workspace& workspace,
                              Pieces& pieces) const {
  const std::vector<Symbol>& symbols = workspace.symbols;
  std::vector<char>& bytes = workspace.word;
  std::vector<std::int32_t>& origins = workspace.origins;
  while (begin < end) {
    const std::uint8_t flags = char_flags(symbols[begin].code);
    if (flags & kSpace) {
      ++begin;
      continue;
    }
    std::size_t stop = begin + 1;
    if (!(flags & kPunctuation))
      while (stop < end && !(char_flags(symbols[stop].code) & (kSpace | kPunctuation))) ++stop;
    workspace.reserve_word(4 * (stop - begin));
    std::size_t n = 0;
    for (std::size_t i = begin; i < stop; ++i) {
      const std::size_t k = utf8::put(symbols[i].code, bytes.data() + n);
      for (std::size_t b = 0; b < k; ++b) origins[n++] = symbols[i].origin;
    }
    vocabulary_.split({bytes.data(), n}, stop - begin, workspace.pieces);
    for (const Piece& piece : workspace.pieces)
      add(pieces, piece.id, static_cast<std::size_t>(origins[piece.begin]),
          static_cast<std::size_t>(origins[piece.end - 1]) + 1, word);
    ++word;
    begin = stop;
  }
}

void WordPiece::encode_generally(const TextSpan& text, Workspace& workspace, Pieces& pieces) const {
  check_length(text);
  pieces.clear();
  std::int32_t word = 0;
  const std::vector<Symbol>& symbols = workspace.symbols;
  const auto at_symbol = [&](std::size_t i) { return symbols[i].code; };
  const auto origin = [&](std::size_t i) { return static_cast<std::size_t>(symbols[i].origin); };
  visit_text(text, [&](const auto* data) {
    added_.split([data](std::size_t i) { return scalar(data[i]); }, text.length,
                 [&](std::size_t begin, std::size_t end, std::int32_t id) { add(pieces, id, begin, end, word++); },
                 [&](std::size_t begin, std::size_t end) {
      normalize(options_, text, begin, end, workspace.normalizer, workspace.symbols);
      normalized_added_.split(at_symbol, symbols.size(),
                              [&](std::size_t from, std::size_t to, std::int32_t id) {
                                add(pieces, id, origin(from), origin(to - 1) + 1, word++);
                              },
                              [&](std::size_t from, std::size_t to) {
                                general_words(from, to, word, workspace, pieces);
                              });
    });
  });
}

WordSpans word_spans(const TextSpan& text, const Pieces& pieces) {
  WordSpans spans;
  visit_text(text, [&](const auto* data) {
    const auto is_space = [&](std::size_t i) { return unicode::is_space(data[i]); };
    const auto token = [&](std::size_t start, std::size_t end, std::size_t piece) {
      spans.starts.push_back(static_cast<std::int32_t>(start));
      spans.ends.push_back(static_cast<std::int32_t>(end));
      spans.first_piece.push_back(static_cast<std::int32_t>(piece));
    };
    std::size_t done = 0, piece = 0;
    // Tokens for text[done, start), behind the last token and before a word.
    const auto cover = [&](std::size_t start) {
      if (done == 0) {
        while (done < start && is_space(done)) ++done;
        if (done > 0) token(0, done, piece);
      } else if (done < start && !is_space(done)) {
        while (done < start && !is_space(done)) ++done;
        spans.ends.back() = static_cast<std::int32_t>(done);
      }
      while (done < start) {
        while (done < start && is_space(done)) ++done;
        const std::size_t from = done;
        while (done < start && !is_space(done)) ++done;
        if (from < done) token(from, done, piece);
      }
    };
    while (piece < pieces.ids.size()) {
      std::size_t last = piece;
      while (last + 1 < pieces.ids.size() && pieces.words[last + 1] == pieces.words[piece]) ++last;
      const auto start = static_cast<std::size_t>(pieces.starts[piece]);
      cover(start);
      token(start, static_cast<std::size_t>(pieces.ends[last]), piece);
      done = static_cast<std::size_t>(pieces.ends[last]);
      piece = last + 1;
    }
    cover(text.length);
    spans.first_piece.push_back(static_cast<std::int32_t>(piece));
  });
  return spans;
}

}  // namespace nlptk::wordpiece
