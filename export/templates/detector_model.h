/* $name: the int8 graph with explicit states, for TensorFlow Lite Micro. Generated; do not edit. */
#ifndef DETECTOR_MODEL_H_
#define DETECTOR_MODEL_H_

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* SHA-256 of the graph: $sha256 */
#define DETECTOR_MODEL_BYTES ${model_bytes}U
#define DETECTOR_ARENA_BYTES ${arena_bytes}U /* as measured on a 64-bit host, whose pointers are larger */

/* Operations to register: $operators. As the names of MicroMutableOpResolver's functions: */
#define DETECTOR_OPERATOR_COUNT ${operator_count}U
#define DETECTOR_OPERATORS(ADD) $operator_macro

/* The array begins on a multiple of 16. */
extern const uint8_t kDetectorModel[DETECTOR_MODEL_BYTES];

#ifdef __cplusplus
}
#endif

#endif /* DETECTOR_MODEL_H_ */
