// The tokens of a batch of documents as Python hands them over: checked once, then read without the GIL.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <algorithm>
#include <string>
#include <vector>

#include "bind.hpp"
#include "py_text.hpp"

namespace nlptk {

// offsets must start at 0, not decrease and end at `total`.
inline void check_offsets(const Array<std::int64_t>& offsets, std::int64_t total, const char* name) {
  const auto n = offsets.size();
  const std::int64_t* data = offsets.data();
  if (offsets.ndim() != 1 || n < 1 || data[0] != 0 || data[n - 1] != total)
    throw pybind11::value_error(std::string(name) + " must be one-dimensional, start at 0 and end at " +
                                std::to_string(total));
  for (pybind11::ssize_t i = 1; i < n; ++i)
    if (data[i] < data[i - 1]) throw pybind11::value_error(std::string(name) + " must not decrease");
}

// Each thread widens a document's text once and keeps it while it works on that document.
struct TextCache {
  const char32_t* get(const std::vector<TextSpan>& spans, std::size_t document) {
    if (static_cast<std::ptrdiff_t>(document) != current) {
      if (text.size() < spans[document].length) text.resize(spans[document].length);
      widen(spans[document], text.data());
      current = static_cast<std::ptrdiff_t>(document);
    }
    return text.data();
  }
  std::vector<char32_t> text;
  std::ptrdiff_t current = -1;
};

// Sequence s is tokens [sequences[s], sequences[s + 1]) of document document_of[s].
struct TokenBatch {
  TokenBatch(const pybind11::sequence& text_list, const Array<std::int32_t>& start_array,
             const Array<std::int32_t>& end_array, const Array<std::int64_t>& documents,
             const Array<std::int64_t>& sequence_offsets, const std::vector<Array<std::uint64_t>>& column_arrays,
             std::size_t columns_needed)
      : texts(text_list), starts(start_array), ends(end_array), sequences(sequence_offsets), columns(column_arrays) {
    const std::int64_t tokens = starts.size();
    if (ends.size() != tokens) throw pybind11::value_error("starts and ends must have the same length");
    check_offsets(documents, tokens, "document offsets");
    check_offsets(sequences, tokens, "sequence offsets");
    if (static_cast<std::size_t>(documents.size()) != texts.spans().size() + 1)
      throw pybind11::value_error("document offsets must be one longer than the texts");
    if (columns.size() != columns_needed)
      throw pybind11::value_error("the features need " + std::to_string(columns_needed) + " other columns, not " +
                                  std::to_string(columns.size()));
    for (const auto& column : columns) {
      if (column.size() != tokens) throw pybind11::value_error("a column must have one value for each token");
      column_data.push_back(column.data());
    }
    place_sequences(documents);
    check_tokens(documents);
  }

  std::size_t sequence_count() const { return document_of.size(); }

  // Sequences for each thread's turn: small batches stay on one thread, whose start costs more than their work; in
  // large ones Ctrl-C is looked for between turns.
  std::size_t grain(int threads) const {
    return std::clamp<std::size_t>(sequence_count() / (static_cast<std::size_t>(threads) * 8), 16, 2048);
  }

  TextBatch texts;
  Array<std::int32_t> starts, ends;
  Array<std::int64_t> sequences;
  std::vector<Array<std::uint64_t>> columns;
  std::vector<const std::uint64_t*> column_data;
  std::vector<std::uint32_t> document_of;

 private:
  void place_sequences(const Array<std::int64_t>& documents) {
    const auto count = static_cast<std::size_t>(sequences.size() - 1);
    document_of.resize(count);
    std::uint32_t document = 0;
    for (std::size_t s = 0; s < count; ++s) {
      if (sequences.data()[s] == sequences.data()[s + 1]) continue;
      while (documents.data()[document + 1] <= sequences.data()[s]) ++document;
      if (sequences.data()[s + 1] > documents.data()[document + 1])
        throw pybind11::value_error("a sequence must not cross documents");
      document_of[s] = document;
    }
  }

  void check_tokens(const Array<std::int64_t>& documents) const {
    for (std::size_t d = 0; d < texts.spans().size(); ++d) {
      const auto length = static_cast<std::int64_t>(texts.spans()[d].length);
      for (std::int64_t t = documents.data()[d]; t < documents.data()[d + 1]; ++t)
        if (starts.data()[t] < 0 || starts.data()[t] > ends.data()[t] || ends.data()[t] > length)
          throw pybind11::value_error("token " + std::to_string(t - documents.data()[d]) + " of document " +
                                      std::to_string(d) + " lies outside its text");
    }
  }
};

}  // namespace nlptk
