#include "unicode.hpp"

namespace nlptk::unicode {

#include "unicode_tables.inc"

}  // namespace nlptk::unicode
