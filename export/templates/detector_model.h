/* $name: the int8 graph with explicit states, for TensorFlow Lite Micro. Generated; do not edit. */
#ifndef DETECTOR_MODEL_H_
#define DETECTOR_MODEL_H_

#include <stdint.h>

/* SHA-256 of the graph: $sha256 */
#define DETECTOR_MODEL_BYTES $model_bytes
#define DETECTOR_ARENA_BYTES $arena_bytes /* as measured on a 64-bit host, whose pointers are larger */

/* Operations to register: CONV_2D, DEPTHWISE_CONV_2D, CONCATENATION, LOGISTIC. */
extern const uint8_t kDetectorModel[DETECTOR_MODEL_BYTES];

#endif /* DETECTOR_MODEL_H_ */
