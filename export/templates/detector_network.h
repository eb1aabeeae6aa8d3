/* $name: the network in plain C, where TensorFlow Lite Micro is not wanted. Generated; do not edit.
 *
 * It computes what TensorFlow Lite's reference kernels compute, to the last bit, in less memory than an arena takes, because
 * every layer writes behind its own state. Weights are read from kDetectorModel.
 */
#ifndef DETECTOR_NETWORK_H_
#define DETECTOR_NETWORK_H_

#include <stdbool.h>
#include <stdint.h>

#include "detector_dsp.h"

#ifdef __cplusplus
extern "C" {
#endif

#define DETECTOR_NETWORK_BYTES ${network_bytes}U

typedef struct {
  int8_t memory[DETECTOR_NETWORK_BYTES];
  uint32_t frames; /* waiting for the next step */
  uint32_t steps;  /* since the reset, up to DETECTOR_FIRST_STEP */
} DetectorNetwork;

/* Begins a new stream. */
void DetectorNetworkReset(DetectorNetwork* network);

/* Takes one frame in. Returns true after every DETECTOR_STEP_FRAMES frames, when there is an output for the gate. */
bool DetectorNetworkPush(DetectorNetwork* network, const int8_t frame[DETECTOR_CHANNELS], int8_t* output);

#ifdef __cplusplus
}
#endif

#endif /* DETECTOR_NETWORK_H_ */
