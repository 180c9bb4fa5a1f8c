#include "bindings.h"

namespace brasa {

void bind_train(nanobind::module_& module) { (void)module; }

}  // namespace brasa
