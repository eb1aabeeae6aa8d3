/* $name: a sound, the network's frames and outputs, and the gate's decisions, to test a port with. Generated; do not edit. */
#ifndef DETECTOR_GOLDEN_H_
#define DETECTOR_GOLDEN_H_

#include <stdbool.h>
#include <stdint.h>

#include "detector_dsp.h"
#include "detector_network.h"

#ifdef __cplusplus
extern "C" {
#endif

#define DETECTOR_GOLDEN_HOPS ${golden_hops}U
#define DETECTOR_GOLDEN_FRAMES ${golden_frames}U
#define DETECTOR_GOLDEN_OUTPUTS ${golden_outputs}U
#define DETECTOR_GOLDEN_GATE ${golden_gate}U

/* Computes one sample of the sound: two seconds too soft to hear, ten of music, eight of noise. */
int16_t DetectorGoldenSample(uint32_t number);

/* From a reset: frame after frame as the network gets it, quantized, and -128 in silence. */
extern const int8_t kDetectorGoldenFrames[DETECTOR_GOLDEN_FRAMES * DETECTOR_CHANNELS];
/* The network's outputs for these frames from step DETECTOR_FIRST_STEP on, and the gate's decision after each. */
extern const int8_t kDetectorGoldenOutputs[DETECTOR_GOLDEN_OUTPUTS];
extern const bool kDetectorGoldenIsMusic[DETECTOR_GOLDEN_OUTPUTS];
/* Outputs that lead a new gate in and out several times, and its decision after each. */
extern const int8_t kDetectorGoldenGateOutputs[DETECTOR_GOLDEN_GATE];
extern const bool kDetectorGoldenGateIsMusic[DETECTOR_GOLDEN_GATE];

/* What differed, as bits. */
#define DETECTOR_CHECK_SILENCE 1U
#define DETECTOR_CHECK_RING 2U
#define DETECTOR_CHECK_NETWORK 4U
#define DETECTOR_CHECK_GATE 8U

/* Compares this build with the golden vectors, all but the front end. Returns 0 where everything is equal. Both objects are
 * only working memory, and are left reset. */
uint32_t DetectorCheck(DetectorNetwork* network, DetectorRing* ring);

#ifdef __cplusplus
}
#endif

#endif /* DETECTOR_GOLDEN_H_ */
