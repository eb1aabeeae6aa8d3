/* $name. Generated; do not edit. */
#include "detector_second_stage_golden.h"

#include <string.h>

const int8_t kDetectorGoldenSecondStage[DETECTOR_GOLDEN_OUTPUTS] = {
$golden_second_stage
};

const int8_t kDetectorGoldenCascade[DETECTOR_GOLDEN_OUTPUTS] = {
$golden_cascade
};

const bool kDetectorGoldenCascadeIsMusic[DETECTOR_GOLDEN_OUTPUTS] = {
$golden_cascade_is_music
};

uint32_t DetectorSecondStageCheck(DetectorNetwork* network, DetectorSecondStage* stage) {
  DetectorGate gate;
  uint32_t result = 0U;
  uint32_t n = 0U;
  (void)memset(&gate, 0, sizeof(gate));
  DetectorNetworkReset(network);
  DetectorSecondStageReset(stage);
  for (uint32_t frame = 0U; frame < DETECTOR_GOLDEN_FRAMES; ++frame) {
    int8_t output = 0;
    if (DetectorCascadePush(network, stage, &kDetectorGoldenFrames[frame * DETECTOR_CHANNELS], &output)) {
      const bool is_music = DetectorGateStep(&gate, output);
      if ((n >= DETECTOR_GOLDEN_OUTPUTS) || (output != kDetectorGoldenCascade[n]) ||
          (is_music != kDetectorGoldenCascadeIsMusic[n])) {
        result |= DETECTOR_CHECK_CASCADE;
      }
      if ((n >= DETECTOR_GOLDEN_OUTPUTS) || (DetectorSecondStageRun(stage) != kDetectorGoldenSecondStage[n])) {
        result |= DETECTOR_CHECK_SECOND_STAGE;
      }
      ++n;
    }
  }
  if (n != DETECTOR_GOLDEN_OUTPUTS) {
    result |= DETECTOR_CHECK_CASCADE;
  }
  DetectorNetworkReset(network);
  DetectorSecondStageReset(stage);
  return result;
}
