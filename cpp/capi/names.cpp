#include "names.h"

#include <algorithm>
#include <cctype>

namespace optcore::capi {
namespace {

/// How many letters have to be put in, left out or changed.
size_t distance(const std::string &a, const std::string &b) {
    std::vector<size_t> row(b.size() + 1);
    for (size_t k = 0; k <= b.size(); ++k)
        row[k] = k;
    for (size_t i = 0; i < a.size(); ++i) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t k = 0; k < b.size(); ++k) {
            const size_t changed = diagonal + (a[i] != b[k]);
            diagonal = row[k + 1];
            row[k + 1] = std::min({changed, row[k] + 1, row[k + 1] + 1});
        }
    }
    return row[b.size()];
}

std::string listed(const std::vector<std::string> &names, const char *between) {
    std::string text;
    for (const std::string &name : names)
        text += (text.empty() ? "" : between) + name;
    return text.empty() ? "none" : text;
}

/// At most three that are alike, the nearest first.
std::vector<std::string> near_ones(const std::string &name, const std::vector<std::string> &known) {
    std::vector<std::pair<size_t, std::string>> near;
    const std::string wanted = plain(name).substr(0, 64);
    for (const std::string &each : known) {
        const std::string other = plain(each);
        const bool part = wanted.size() > 1 && other.find(wanted) != std::string::npos;
        const size_t apart = distance(wanted, other);
        if (part || apart * 2 <= std::max(wanted.size(), other.size()))
            near.emplace_back(part ? std::min<size_t>(apart, 1) : apart, each);
    }
    std::stable_sort(near.begin(), near.end(),
                     [](const auto &a, const auto &b) { return a.first < b.first; });
    std::vector<std::string> names;
    for (size_t i = 0; i < near.size() && i < 3; ++i)
        names.push_back(near[i].second);
    return names;
}

} // namespace

std::string plain(const std::string &name) {
    std::string text;
    for (const char c : name)
        if (c != '_' && c != '-' && c != ' ')
            text += char(std::tolower(static_cast<unsigned char>(c)));
    return text;
}

void unknown_name(const std::string &where, const std::string &what, const std::string &name,
                  const std::vector<std::string> &known) {
    const auto near = near_ones(name, known);
    const std::string given = name.size() > 60 ? name.substr(0, 57) + "..." : name;
    fail(OPTCORE_UNKNOWN_NAME, where, what + " (" + listed(known, ", ") + ")", "\"" + given + "\"",
         near.empty() ? "pick one of these" : "did you mean " + listed(near, " or ") + "?");
}

} // namespace optcore::capi
