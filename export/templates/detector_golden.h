/* $name: a sound, its features and its outputs, for a firmware's unit test. Generated; do not edit. */
#ifndef DETECTOR_GOLDEN_H_
#define DETECTOR_GOLDEN_H_

#include <stdint.h>

#define DETECTOR_GOLDEN_SAMPLES $golden_samples
#define DETECTOR_GOLDEN_FRAMES $golden_frames
#define DETECTOR_GOLDEN_OUTPUTS $golden_outputs
#define DETECTOR_GOLDEN_MULAW $golden_mulaw_size

extern const int16_t kDetectorGoldenPcm[DETECTOR_GOLDEN_SAMPLES];
/* From a reset: frame after frame, what DetectorQuantize makes of the front end. */
extern const int8_t kDetectorGoldenFeatures[DETECTOR_GOLDEN_FRAMES * $channels];
/* Output + 128 of the steps from DETECTOR_FIRST_STEP on. */
extern const uint8_t kDetectorGoldenProbabilities[DETECTOR_GOLDEN_OUTPUTS];
/* Of the first samples. */
extern const uint8_t kDetectorGoldenMulaw[DETECTOR_GOLDEN_MULAW];

#endif /* DETECTOR_GOLDEN_H_ */
