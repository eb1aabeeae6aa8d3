/* $name: outputs of the second stage and of the cascade for the golden frames. Generated; do not edit. */
#ifndef DETECTOR_SECOND_STAGE_GOLDEN_H_
#define DETECTOR_SECOND_STAGE_GOLDEN_H_

#include <stdbool.h>
#include <stdint.h>

#include "detector_golden.h"
#include "detector_second_stage.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The second stage's outputs for kDetectorGoldenFrames, at each of the first stage's, wanted or not. */
extern const int8_t kDetectorGoldenSecondStage[DETECTOR_GOLDEN_OUTPUTS];
/* The cascade's outputs, and the decision of a gate that is given them. */
extern const int8_t kDetectorGoldenCascade[DETECTOR_GOLDEN_OUTPUTS];
extern const bool kDetectorGoldenCascadeIsMusic[DETECTOR_GOLDEN_OUTPUTS];

/* What differed, as bits beside those of DetectorCheck. */
#define DETECTOR_CHECK_SECOND_STAGE 16U
#define DETECTOR_CHECK_CASCADE 32U

/* Compares this build with the golden vectors of the second stage. Returns 0 where everything is equal. Both objects are only
 * working memory, and are left reset. */
uint32_t DetectorSecondStageCheck(DetectorNetwork* network, DetectorSecondStage* stage);

#ifdef __cplusplus
}
#endif

#endif /* DETECTOR_SECOND_STAGE_GOLDEN_H_ */
