// The listening loop with TensorFlow Lite Micro, on a desktop:
//   listener_tflm check              compare this build, front end included, with the golden vectors
//   listener_tflm < sound.s16le      16 kHz mono int16 in; prints when music begins and ends, and writes the ring when it begins
#include <cstdio>
#include <cstring>

#include "../../detector_golden.h"
#include "../listen.h"
#include "../listener.h"
#include "micro_networks.h"
#if MICRO_SECOND_STAGE
#include "../../detector_second_stage_golden.h"
#endif

namespace {

using MicroListener = ListenerOf<MicroStages>;

MicroListener listener;

int CheckFrames() {
  uint32_t n_frames = 0;
  int n_wrong = 0;
  for (uint32_t hop = 0; hop < DETECTOR_GOLDEN_HOPS; ++hop) {
    int16_t samples[DETECTOR_HOP_SAMPLES];
    for (uint32_t i = 0; i < DETECTOR_HOP_SAMPLES; ++i) {
      samples[i] = DetectorGoldenSample(hop * DETECTOR_HOP_SAMPLES + i);
    }
    int8_t frame[DETECTOR_CHANNELS];
    if (listener.frames()->Process(samples, frame)) {
      const int8_t* golden = &kDetectorGoldenFrames[n_frames * DETECTOR_CHANNELS];
      n_wrong += n_frames >= DETECTOR_GOLDEN_FRAMES || std::memcmp(frame, golden, DETECTOR_CHANNELS) != 0;
      ++n_frames;
    }
  }
  n_wrong += n_frames != DETECTOR_GOLDEN_FRAMES;
  std::printf("%u frames, %d differ\n", static_cast<unsigned>(n_frames), n_wrong);
  return n_wrong;
}

// Runs every stage on the golden frames, the second one also where the first does not ask for it.
int CheckStages() {
  MicroStages* stages = listener.network();
  uint32_t n = 0;
  int n_wrong = 0;
#if MICRO_SECOND_STAGE
  int n_wrong_second = 0;
#endif
  for (uint32_t number = 0; number < DETECTOR_GOLDEN_FRAMES; ++number) {
    const int8_t* frame = &kDetectorGoldenFrames[number * DETECTOR_CHANNELS];
    int8_t output = 0;
    const bool has_output = stages->first()->Push(frame, &output);
#if MICRO_SECOND_STAGE
    stages->second()->Push(frame);
    n_wrong_second += has_output && stages->second()->Run() != kDetectorGoldenSecondStage[n];
#endif
    n_wrong += has_output && output != kDetectorGoldenOutputs[n];
    n += has_output ? 1 : 0;
  }
  n_wrong += n != DETECTOR_GOLDEN_OUTPUTS;
  std::printf("first stage: %u outputs, %d differ; arena: %u of %u bytes\n", static_cast<unsigned>(n), n_wrong,
              static_cast<unsigned>(stages->first()->arena_used_bytes()),
              static_cast<unsigned>(DETECTOR_ARENA_BYTES + MICRO_EXTRA_BYTES));
#if MICRO_SECOND_STAGE
  std::printf("second stage: %u outputs, %d differ; arena: %u of %u bytes\n", static_cast<unsigned>(n), n_wrong_second,
              static_cast<unsigned>(stages->second()->arena_used_bytes()),
              static_cast<unsigned>(DETECTOR_SECOND_STAGE_ARENA_BYTES + MICRO_EXTRA_BYTES));
  n_wrong += n_wrong_second;
#endif
  return n_wrong;
}

}  // namespace

int main(int argc, char** argv) {
  if (!listener.Begin()) {
    std::fprintf(stderr, "no memory for the front end, an arena that is too small, or an operation that is missing\n");
    return 3;
  }
  if (argc > 1 && std::strcmp(argv[1], "check") == 0) {
    return CheckFrames() + CheckStages() != 0;
  }
  Listen(&listener);
  return 0;
}
