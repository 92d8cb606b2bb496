// Schedules: made by name out of the registry's rows, called with a step or an array of steps.
//
// _core.Schedule is held by std::shared_ptr<optcore::Schedule>, which converts to
// optcore::SchedulePtr, the pointer to const that the engine uses.
#include "bindings.h"
#include "gil.h"

#include <string>

#include <pybind11/numpy.h>

#include "schedules/registry.h"

namespace py = pybind11;

namespace {

using optcore::Count;
using optcore::Schedule;
using optcore::SchedulePtr;
using optcore::schedules::Family;
using optcore::schedules::Kind;
using optcore::schedules::Parameter;
using optcore::schedules::Value;

/// The type and the value, cut short where it is long.
std::string shown(py::handle value) {
    std::string text = py::repr(value).cast<std::string>();
    if (text.size() > 60)
        text = text.substr(0, 57) + "...";
    return std::string(Py_TYPE(value.ptr())->tp_name) + " " + text;
}

bool is_bool(py::handle value) {
    const std::string type = Py_TYPE(value.ptr())->tp_name;
    return PyBool_Check(value.ptr()) || type == "numpy.bool" || type == "numpy.bool_";
}

/// A whole number ≥ 0 that fits 64 bits. `what` names it in the message.
Count to_count(py::handle value, const std::string &what, const char *mend) {
    py::object number;
    if (PyLong_CheckExact(value.ptr())) {
        number = py::reinterpret_borrow<py::object>(value);
    } else if (!is_bool(value) && PyIndex_Check(value.ptr())) {
        number = py::reinterpret_steal<py::object>(PyNumber_Index(value.ptr()));
        PyErr_Clear(); // an array has an index only where it is a single integer
    }
    if (!number)
        throw py::type_error(what + ": expected a whole number (int), got " + shown(value) + "; " +
                             mend);
    const unsigned long long count = PyLong_AsUnsignedLongLong(number.ptr());
    if (PyErr_Occurred()) {
        PyErr_Clear();
        throw py::value_error(what + ": expected 0 to 2**64 - 1, got " +
                              py::repr(number).cast<std::string>() + "; count the steps from 0 on");
    }
    return count;
}

double to_number(py::handle value, const std::string &what) {
    if (!is_bool(value) && !py::isinstance<py::str>(value)) {
        const double number = PyFloat_AsDouble(value.ptr());
        if (!PyErr_Occurred())
            return number;
        const bool too_large = PyErr_ExceptionMatches(PyExc_OverflowError);
        PyErr_Clear();
        if (too_large)
            throw py::value_error(what +
                                  ": expected a finite number, got an int beyond the range of "
                                  "a float; pass an ordinary number such as 0.001");
    }
    throw py::type_error(what + ": expected a real number, got " + shown(value) +
                         "; pass a float such as 0.001");
}

constexpr const char *kWholeSteps = "round it to whole steps, with // or int(...)";

bool to_flag(py::handle value, const std::string &what) {
    if (!is_bool(value))
        throw py::type_error(what + ": expected True or False, got " + shown(value) +
                             "; pass a bool");
    return value.cast<bool>();
}

std::string to_word(py::handle value, const std::string &what) {
    if (!py::isinstance<py::str>(value))
        throw py::type_error(what + ": expected a word (str), got " + shown(value) +
                             "; pass one of those that the documentation lists");
    return value.cast<std::string>();
}

/// The items of a sequence, each read by `read(item, its name)`.
template <class Read>
auto to_list(py::handle value, const std::string &what, const char *items, const char *example,
             Read read) {
    if (py::isinstance<py::str>(value) || !py::isinstance<py::sequence>(value))
        throw py::type_error(what + ": expected a sequence of " + items + ", got " + shown(value) +
                             "; pass a list such as " + example);
    std::vector<decltype(read(value, what))> list;
    for (const py::handle item : value)
        list.push_back(read(item, what + "[" + std::to_string(list.size()) + "]"));
    return list;
}

SchedulePtr to_schedule(py::handle value, const std::string &what) {
    if (!py::isinstance<Schedule>(value))
        throw py::type_error(what + ": expected a schedule, got " + shown(value) +
                             "; for a fixed value pass Constant(value)");
    return value.cast<std::shared_ptr<Schedule>>();
}

Value to_value(py::handle value, const Family &family, const Parameter &parameter) {
    const std::string what = std::string(family.title) + "." + parameter.name;
    const auto whole = [](py::handle item, const std::string &name) {
        return to_count(item, name, kWholeSteps);
    };
    switch (parameter.kind) {
    case Kind::number: return to_number(value, what);
    case Kind::count: return whole(value, what);
    case Kind::flag: return to_flag(value, what);
    case Kind::word: return to_word(value, what);
    case Kind::schedule: return to_schedule(value, what);
    case Kind::numbers: return to_list(value, what, "numbers", "[0.1, 0.01]", to_number);
    case Kind::counts: return to_list(value, what, "whole numbers", "[30, 80]", whole);
    case Kind::schedules: break;
    }
    return to_list(value, what, "schedules", "[Constant(0.1), Cosine(0.1, 100)]", to_schedule);
}

std::shared_ptr<Schedule> make_schedule(const std::string &name, const py::dict &parameters) {
    const Family *family = optcore::schedules::find_family(name.c_str());
    if (!family)
        throw py::value_error("name: expected a schedule, got '" + name +
                              "'; see schedule_families()");
    std::vector<Value> values;
    for (const Parameter &parameter : family->parameters) {
        if (!parameters.contains(parameter.name))
            throw py::type_error(std::string(family->title) + " needs " + parameter.name);
        values.push_back(to_value(parameters[parameter.name], *family, parameter));
    }
    if (parameters.size() != values.size())
        throw py::type_error(std::string(family->title) + " got parameters it does not have");
    return std::const_pointer_cast<Schedule>(family->make(values));
}

py::dict schedule_families() {
    py::dict names;
    for (const Family &family : optcore::schedules::families()) {
        py::list parameters;
        for (const Parameter &parameter : family.parameters)
            parameters.append(parameter.name);
        names[family.name] = py::tuple(parameters);
    }
    return names;
}

/// One loop over steps that lie one behind the other, for other Python threads to run meanwhile.
py::object fill(const Schedule &schedule, const py::array &steps, const Count *first) {
    const std::vector<py::ssize_t> shape(steps.shape(), steps.shape() + steps.ndim());
    py::array_t<double> values(shape);
    double *out = values.mutable_data();
    const auto n = static_cast<std::size_t>(steps.size());
    {
        const optcore::GilReleased unlocked(steps.size());
        schedule.fill(first, out, n);
    }
    return std::move(values);
}

/// Every integer type has one of two 64-bit types that holds all its values.
py::object evaluate_array(const Schedule &schedule, const py::array &steps) {
    constexpr int dense = py::array::c_style | py::array::forcecast;
    if (steps.dtype().kind() == 'u') {
        const py::array_t<Count, dense> counts(steps);
        return fill(schedule, counts, counts.data());
    }
    if (steps.dtype().kind() != 'i')
        throw py::type_error("step: expected an array of integers, got dtype " +
                             py::str(steps.dtype()).cast<std::string>() +
                             "; use step.astype(np.int64)");
    const py::array_t<std::int64_t, dense> numbers(steps);
    const std::int64_t *first = numbers.data();
    for (py::ssize_t i = 0; i < numbers.size(); ++i)
        if (first[i] < 0)
            throw py::value_error("step: expected 0 to 2**63 - 1, got " + std::to_string(first[i]) +
                                  "; count the steps from 0 on");
    return fill(schedule, numbers, reinterpret_cast<const Count *>(first));
}

py::object evaluate(const Schedule &schedule, const py::object &step) {
    if (!PyLong_CheckExact(step.ptr()) && py::isinstance<py::array>(step))
        return evaluate_array(schedule, step);
    return py::float_(schedule.at(to_count(step, "step", "pass an int or an array of integers")));
}

/// What the interpreter calls for `schedule(step)` where `call_with_int` leaves off.
ternaryfunc call_with_anything = nullptr;

/// An int, the one argument that a training loop passes in every step, goes past pybind11's own way
/// of calling, which would take most of the time.
PyObject *call_with_int(PyObject *self, PyObject *args, PyObject *names) {
    if (!names && PyTuple_GET_SIZE(args) == 1 && PyLong_CheckExact(PyTuple_GET_ITEM(args, 0))) {
        const auto step = PyLong_AsUnsignedLongLong(PyTuple_GET_ITEM(args, 0));
        const bool known = step != static_cast<unsigned long long>(-1) || !PyErr_Occurred();
        auto *object = reinterpret_cast<py::detail::instance *>(self);
        const auto *schedule = object->get_value_and_holder().value_ptr<Schedule>();
        if (known && schedule)
            return PyFloat_FromDouble(schedule->at(step));
        PyErr_Clear();
    }
    return call_with_anything(self, args, names);
}

} // namespace

void optcore::bind_schedules(py::module_ &m) {
    // A plain `type` for metaclass: pybind11's own serves static properties, and no stub can name
    // it.
    const py::handle type(reinterpret_cast<PyObject *>(&PyType_Type));
    auto schedule = py::class_<Schedule, std::shared_ptr<Schedule>>(
        m, "Schedule", py::is_final(), py::metaclass(type),
        "A value for every step. optcore.schedules makes them.");
    schedule.def("__call__", &evaluate, py::arg("step"), py::pos_only(),
                 "The value at a step (a float) or at an array of steps (an array of its shape).");
    auto *slots = reinterpret_cast<PyTypeObject *>(schedule.ptr());
    call_with_anything = slots->tp_call;
    slots->tp_call = &call_with_int;
    m.def("schedule", &make_schedule, py::arg("name"), py::arg("parameters"),
          "Makes the schedule of that name from a dict of all its parameters.");
    m.def("schedule_families", &schedule_families,
          "The names of all schedules, each with the names of its parameters in order.");
}
