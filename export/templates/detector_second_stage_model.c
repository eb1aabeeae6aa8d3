/* $name. Generated; do not edit. */
#include "detector_second_stage_model.h"

#if defined(DETECTOR_ALIGN16)
/* Given by the build, for a C99 compiler of another kind. */
#elif defined(__cplusplus)
#define DETECTOR_ALIGN16 alignas(16)
#elif defined(__STDC_VERSION__) && (__STDC_VERSION__ >= 201112L)
#define DETECTOR_ALIGN16 _Alignas(16)
#elif defined(__GNUC__)
#define DETECTOR_ALIGN16 __attribute__((aligned(16)))
#else
#error "C99 has no word for alignment: compile as C11 or C++11, or define DETECTOR_ALIGN16"
#endif

DETECTOR_ALIGN16 const uint8_t kDetectorSecondStageModel[DETECTOR_SECOND_STAGE_MODEL_BYTES] = {
$second_model_array
};
