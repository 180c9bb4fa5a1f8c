#include "bindings.h"

namespace brasa {

void bind_text(nanobind::module_& module) { (void)module; }

}  // namespace brasa
