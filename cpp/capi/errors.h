// Errors inside the C interface are exceptions; at its border they become a code and a message.
#ifndef OPTCORE_CAPI_ERRORS_H
#define OPTCORE_CAPI_ERRORS_H

#include <new>
#include <stdexcept>
#include <string>

#include "optcore/optcore.h"

namespace optcore::capi {

/// What a function of the interface ends with, if it fails.
class Failure : public std::runtime_error {
public:
    Failure(optcore_status code, const std::string &message)
        : std::runtime_error(message), code_(code) {}
    optcore_status code() const { return code_; }

private:
    optcore_status code_;
};

/// Throws "where: expected ..., got ...; mend".
[[noreturn]] void fail(optcore_status code, const std::string &where, const std::string &expected,
                       const std::string &got, const std::string &mend);

/// A number as messages show it.
std::string shown(double value);

/// Keeps the message for optcore_last_error, without allocating; returns the code.
optcore_status keep_error(optcore_status code, const char *message) noexcept;

/// Runs the body of a function of the interface. Nothing that it throws gets further than here.
template <class F>
optcore_status guarded(F body) noexcept {
    try {
        body();
        return OPTCORE_OK;
    } catch (const Failure &failure) {
        return keep_error(failure.code(), failure.what());
    } catch (const std::bad_alloc &) {
        return keep_error(OPTCORE_OUT_OF_MEMORY, "out of memory; nothing has changed");
    } catch (const std::length_error &) {
        return keep_error(OPTCORE_OUT_OF_MEMORY,
                          "more memory than there can be; nothing has changed");
    } catch (const std::invalid_argument &error) {
        return keep_error(OPTCORE_BAD_VALUE, error.what());
    } catch (const std::exception &error) {
        return keep_error(OPTCORE_INTERNAL, error.what());
    } catch (...) {
        return keep_error(OPTCORE_INTERNAL, "an error of an unknown kind; please report it");
    }
}

/// An error unless the pointer points somewhere.
template <class T>
void not_null(const T *pointer, const char *name) {
    if (!pointer)
        fail(OPTCORE_NULL_POINTER, name, "a pointer", "NULL", "pass the address of one");
}

} // namespace optcore::capi

#endif
