// Names as people write them, and the near ones when there is none of that name.
#ifndef OPTCORE_CAPI_NAMES_H
#define OPTCORE_CAPI_NAMES_H

#include <string>
#include <vector>

#include "errors.h"

namespace optcore::capi {

/// In lower case, without underscores, hyphens and spaces: "ScheduleFreeSGD" → "schedulefreesgd".
std::string plain(const std::string &name);

/// Throws OPTCORE_UNKNOWN_NAME: the known names, the one that came, and those near it.
[[noreturn]] void unknown_name(const std::string &where, const std::string &what,
                               const std::string &name, const std::vector<std::string> &known);

} // namespace optcore::capi

#endif
