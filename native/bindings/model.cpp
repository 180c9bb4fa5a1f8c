#include "bindings.h"

namespace brasa {

void bind_model(nanobind::module_& module) { (void)module; }

}  // namespace brasa
