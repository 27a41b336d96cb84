// From a vocabulary with ranks alone (a .tiktoken file) to merges.
#pragma once

#include <string>
#include <vector>

#include "bpe/model.hpp"

namespace nlptk {

// tiktoken joins whichever neighbours make the token of the best rank. Since a token is always built in the same way,
// that is one merge for each: of the two parts that its bytes come to under the better ranks. A token whose bytes come
// to more parts is never built. `tokens`: by rank, all 256 bytes among them. The merges name tokens by their place.
std::vector<BpeMerge> merges_of_ranks(const std::vector<std::string>& tokens);

}  // namespace nlptk
