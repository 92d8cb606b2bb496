// Saved state: what Python's state_dict() holds.
#ifndef OPTCORE_CAPI_SAVED_H
#define OPTCORE_CAPI_SAVED_H

#include <deque>
#include <string>
#include <vector>

#include "../schedules/schedule.h"
#include "handles.h"

namespace optcore::capi {

/// An array, C-contiguous, with the memory it lies in.
struct SavedArray {
    std::string name;
    optcore_dtype dtype = OPTCORE_F32;
    std::vector<int64_t> shape = {}, strides = {};
    int64_t count = 0;
    std::vector<unsigned char> data = {};

    /// As it crosses the border.
    optcore_array view() const;
};

struct SavedValue {
    std::string name;
    double value;
    bool scheduled;
};

struct SavedTensor {
    std::string name;
    int64_t group = 0;
    uint64_t steps = 0;
    std::deque<SavedArray> arrays = {};
};

struct SavedState {
    std::string rule;
    int64_t format = OPTCORE_STATE_FORMAT;
    uint64_t step = 0;
    std::deque<std::deque<SavedValue>> groups = {};
    std::deque<SavedTensor> tensors = {};
};

/// Calls f(element in index order, its offset) for all elements of an array with these strides.
template <class F>
void each_element(const std::vector<int64_t> &shape, const std::vector<int64_t> &strides, F f) {
    int64_t count = 1, offset = 0;
    for (const int64_t extent : shape)
        count *= extent;
    std::vector<int64_t> index(shape.size(), 0);
    for (int64_t i = 0; i < count; ++i) {
        f(i, offset);
        for (size_t k = shape.size(); k-- > 0;) {
            offset += strides[k];
            if (++index[k] < shape[k])
                break;
            offset -= strides[k] * shape[k];
            index[k] = 0;
        }
    }
}

/// A copy of an array of the caller's, checked.
SavedArray copied(const optcore_array *array);

} // namespace optcore::capi

struct optcore_state {
    static constexpr auto kind = optcore::capi::HandleKind::state;
    optcore::capi::SavedState state;
};

struct optcore_schedule {
    static constexpr auto kind = optcore::capi::HandleKind::schedule;
    optcore::SchedulePtr schedule;
};

#endif
