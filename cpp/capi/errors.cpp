#include "errors.h"

#include <cstring>

#include "../schedules/check.h"

namespace optcore::capi {
namespace {

thread_local char last_error[2048] = "";

} // namespace

void fail(optcore_status code, const std::string &where, const std::string &expected,
          const std::string &got, const std::string &mend) {
    throw Failure(code, where + ": expected " + expected + ", got " + got + "; " + mend);
}

std::string shown(double value) { return schedules::check::written(value); }

optcore_status keep_error(optcore_status code, const char *message) noexcept {
    std::strncpy(last_error, message, sizeof last_error - 1);
    return code;
}

} // namespace optcore::capi

const char *optcore_last_error(void) noexcept { return optcore::capi::last_error; }

const char *optcore_status_name(optcore_status status) noexcept {
    static const char *const names[] = {"OPTCORE_OK",           "OPTCORE_NULL_POINTER",
                                        "OPTCORE_BAD_HANDLE",   "OPTCORE_BAD_STRUCT",
                                        "OPTCORE_BAD_VALUE",    "OPTCORE_BAD_DTYPE",
                                        "OPTCORE_BAD_LAYOUT",   "OPTCORE_UNKNOWN_NAME",
                                        "OPTCORE_UNSUPPORTED",  "OPTCORE_OUT_OF_MEMORY",
                                        "OPTCORE_OUT_OF_RANGE", "OPTCORE_WRONG_TIME",
                                        "OPTCORE_BUSY",         "OPTCORE_NONFINITE",
                                        "OPTCORE_BAD_STATE",    "OPTCORE_INTERNAL"};
    constexpr int count = int(sizeof names / sizeof *names);
    return status >= 0 && status < count ? names[status] : "unknown";
}
