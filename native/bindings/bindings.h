// The parts of the extension module, one file each. No other part of native/ includes a Python
// header.
#pragma once

#include <nanobind/nanobind.h>

namespace brasa {

void bind_text(nanobind::module_& module);
void bind_train(nanobind::module_& module);
void bind_model(nanobind::module_& module);
void bind_fasttext(nanobind::module_& module);
void bind_predict(nanobind::module_& module);
void bind_vectors(nanobind::module_& module);
void bind_examples(nanobind::module_& module);
void bind_train_classifier(nanobind::module_& module);
void bind_quantize(nanobind::module_& module);
void bind_neighbors(nanobind::module_& module);

}  // namespace brasa
