// The listening loop on a desktop:
//   listener check              compare this build, front end included, with the golden vectors
//   listener < sound.s16le      16 kHz mono int16 in; prints when music begins and ends, and writes the ring when it begins
#include <cstdio>
#include <cstring>

#include "golden.h"
#include "listen.h"
#include "listener.h"

namespace {

Listener listener;

// Returns how many frames, outputs and decisions differ.
int Check() {
  uint32_t n_frames = 0, n_outputs = 0;
  int n_wrong = 0;
  uint32_t result = DetectorCheck(listener.network()->get(), listener.ring());
#if LISTENER_SECOND_STAGE
  result |= DetectorSecondStageCheck(listener.network()->get(), listener.network()->second_stage());
#endif
  for (uint32_t hop = 0; hop < DETECTOR_GOLDEN_HOPS; ++hop) {
    int16_t samples[DETECTOR_HOP_SAMPLES];
    for (uint32_t i = 0; i < DETECTOR_HOP_SAMPLES; ++i) {
      samples[i] = DetectorGoldenSample(hop * DETECTOR_HOP_SAMPLES + i);
    }
    const Listener::Step step = listener.Process(samples);
    if (step.has_frame) {
      const int8_t* golden = &kDetectorGoldenFrames[n_frames * DETECTOR_CHANNELS];
      n_wrong += n_frames >= DETECTOR_GOLDEN_FRAMES || std::memcmp(step.frame, golden, DETECTOR_CHANNELS) != 0;
      ++n_frames;
    }
    if (step.has_output) {
      n_wrong += n_outputs >= DETECTOR_GOLDEN_OUTPUTS || step.output != kGoldenOutputs[n_outputs] ||
                 step.is_music != kGoldenIsMusic[n_outputs];
      ++n_outputs;
    }
  }
  n_wrong += n_frames != DETECTOR_GOLDEN_FRAMES || n_outputs != DETECTOR_GOLDEN_OUTPUTS;
  std::printf("without the front end: %s (%u); with it: %u frames and %u outputs, %d differ\n",
              result == 0 ? "equal" : "different", static_cast<unsigned>(result), static_cast<unsigned>(n_frames),
              static_cast<unsigned>(n_outputs), n_wrong);
  return n_wrong + (result != 0);
}

}  // namespace

int main(int argc, char** argv) {
  if (!listener.Begin()) {
    std::fprintf(stderr, "no memory for the front end\n");
    return 3;
  }
  if (argc > 1 && std::strcmp(argv[1], "check") == 0) {
    return Check() != 0;
  }
  Listen(&listener);
  return 0;
}
