/* $name. Generated; do not edit. */
#include "detector_model.h"

#if defined(__GNUC__)
__attribute__((aligned(16)))
#endif
const uint8_t kDetectorModel[DETECTOR_MODEL_BYTES] = {
$model_array
};
