/* $name: the second stage in plain C, and the cascade of both. Generated; do not edit.
 *
 * A larger network over the last DETECTOR_SECOND_STAGE_FRAMES frames, run only when the first stage's output is high enough. It
 * computes what LiteRT's reference kernels compute, to the last bit. Weights are read from kDetectorSecondStageModel.
 * So does TensorFlow Lite Micro, unless the last layer is a fully connected one, which only models published before it became a
 * 1 x 1 convolution have: that it rounds otherwise, and the logit differs by one step now and then.
 * In TensorFlow Lite Micro:
 *   input 0        int8 [1, DETECTOR_SECOND_STAGE_FRAMES, DETECTOR_CHANNELS, 1]: the last frames, oldest first
 *   output 0       int8, (value + 128) / $steps is the probability of music
 */
#ifndef DETECTOR_SECOND_STAGE_H_
#define DETECTOR_SECOND_STAGE_H_

#include <stdbool.h>
#include <stdint.h>

#include "detector_dsp.h"
#include "detector_network.h"

#ifdef __cplusplus
extern "C" {
#endif

#define DETECTOR_SECOND_STAGE_FRAMES ${second_frames}U
#define DETECTOR_SECOND_STAGE_BYTES ${second_network_bytes}U /* of working memory; free for other uses between two runs */
#define DETECTOR_WANTED_ABOVE ${wanted_above} /* least output of the first stage, in 256ths, for which the second is run */

typedef struct {
  int8_t frames[DETECTOR_SECOND_STAGE_FRAMES * DETECTOR_CHANNELS]; /* a ring */
  uint32_t next;                                                   /* frame to be written, which is the oldest */
  int8_t memory[DETECTOR_SECOND_STAGE_BYTES];
} DetectorSecondStage;

/* Begins a new stream: silence. */
void DetectorSecondStageReset(DetectorSecondStage* stage);

/* Takes one frame into the ring. Costs next to nothing, and is done for every frame. */
void DetectorSecondStagePush(DetectorSecondStage* stage, const int8_t frame[DETECTOR_CHANNELS]);

/* Runs the network over the ring's frames. */
int8_t DetectorSecondStageRun(DetectorSecondStage* stage);

/* Takes one frame into both stages. Returns true after every DETECTOR_STEP_FRAMES frames, when there is an output for the gate:
 * the second stage's, or -128 where the first stage's was too low to ask. */
bool DetectorCascadePush(DetectorNetwork* network, DetectorSecondStage* stage, const int8_t frame[DETECTOR_CHANNELS],
                         int8_t* output);

#ifdef __cplusplus
}
#endif

#endif /* DETECTOR_SECOND_STAGE_H_ */
