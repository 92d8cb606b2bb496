// Lets other Python threads run while C++ works.
#ifndef OPTCORE_BINDINGS_GIL_H
#define OPTCORE_BINDINGS_GIL_H

#include <pybind11/pybind11.h>

#if !defined(_WIN32)
#include <unistd.h>
#endif

namespace optcore {

/// Releases the GIL for its lifetime, where there is enough work to be worth it.
///
/// A daemon thread that asks for the GIL after the interpreter has ended is unwound by it (Python
/// before 3.14). That would leave a destructor and end the process, so such a thread waits for the
/// exit here instead.
class GilReleased {
public:
    explicit GilReleased(int64_t elements)
        : state_(elements > kWorthwhile ? PyEval_SaveThread() : nullptr) {}
    ~GilReleased() {
        if (!state_)
            return;
        try {
            PyEval_RestoreThread(state_);
        } catch (...) {
            for (;;) {
#if !defined(_WIN32)
                pause();
#endif
            }
        }
    }
    GilReleased(const GilReleased &) = delete;
    GilReleased &operator=(const GilReleased &) = delete;

private:
    static constexpr int64_t kWorthwhile = 4096;
    PyThreadState *state_;
};

} // namespace optcore

#endif
