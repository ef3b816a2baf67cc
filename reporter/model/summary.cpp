#include "reporter/model/model.h"

namespace leftover {

// Contract: `leaks` is errors plus warnings, those cleaned, failed and in use included, suppressed
// and baseline not; `by_kind` counts these and the notes.
Summary summarize(const Report& report) {
    Summary summary;
    for (const Leak& leak : report.leaks) {
        switch (leak.status) {
            case Status::suppressed: ++summary.suppressed; continue;
            case Status::baseline: ++summary.baseline; continue;
            case Status::cleaned: ++summary.cleaned; break;
            case Status::in_use: ++summary.in_use; break;
            case Status::failed: ++summary.failed; break;
            case Status::leaked: break;
        }
        switch (leak.severity) {
            case Severity::error: ++summary.errors; break;
            case Severity::warning: ++summary.warnings; break;
            case Severity::note: ++summary.notes; break;
        }
        ++summary.by_kind[leak.kind];
    }
    summary.leaks = summary.errors + summary.warnings;
    if (report.cleanup) summary.reclaimed_bytes = report.cleanup->reclaimed_bytes;
    return summary;
}

}  // namespace leftover
