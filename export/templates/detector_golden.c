/* $name. Generated; do not edit. */
#include "detector_golden.h"

const int16_t kDetectorGoldenPcm[DETECTOR_GOLDEN_SAMPLES] = {
$golden_pcm
};

const int8_t kDetectorGoldenFeatures[DETECTOR_GOLDEN_FRAMES * $channels] = {
$golden_features
};

const uint8_t kDetectorGoldenProbabilities[DETECTOR_GOLDEN_OUTPUTS] = {
$golden_probabilities
};

const uint8_t kDetectorGoldenMulaw[DETECTOR_GOLDEN_MULAW] = {
$golden_mulaw
};
