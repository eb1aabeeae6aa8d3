/* $name: the second stage's int8 graph, for TensorFlow Lite Micro and for detector_second_stage.c. Generated; do not edit. */
#ifndef DETECTOR_SECOND_STAGE_MODEL_H_
#define DETECTOR_SECOND_STAGE_MODEL_H_

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* SHA-256 of the graph: $second_sha256 */
#define DETECTOR_SECOND_STAGE_MODEL_BYTES ${second_model_bytes}U
#define DETECTOR_SECOND_STAGE_ARENA_BYTES ${second_arena_bytes}U /* as measured on a 64-bit host, whose pointers are larger */

/* Operations to register: $second_operators. As the names of MicroMutableOpResolver's functions: */
#define DETECTOR_SECOND_STAGE_OPERATOR_COUNT ${second_operator_count}U
#define DETECTOR_SECOND_STAGE_OPERATORS(ADD) $second_operator_macro

/* The array begins on a multiple of 16. */
extern const uint8_t kDetectorSecondStageModel[DETECTOR_SECOND_STAGE_MODEL_BYTES];

#ifdef __cplusplus
}
#endif

#endif /* DETECTOR_SECOND_STAGE_MODEL_H_ */
