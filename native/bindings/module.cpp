#include "bindings.h"

NB_MODULE(_native, module) {
  module.doc() = "The native core of brasa: text, training kernels and vector look-up.";
  brasa::bind_text(module);
  brasa::bind_train(module);
  brasa::bind_fasttext(module);
  brasa::bind_quantize(module);  // before what takes QuantizedRows
  brasa::bind_model(module);
  brasa::bind_predict(module);
  brasa::bind_vectors(module);
  brasa::bind_examples(module);
  brasa::bind_train_classifier(module);
  brasa::bind_neighbors(module);
}
