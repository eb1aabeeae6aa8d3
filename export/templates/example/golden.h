// The golden outputs of what Listener runs: of one stage, or of both.
#ifndef GOLDEN_H_
#define GOLDEN_H_

#include "../detector_golden.h"
#include "listener.h"
#if LISTENER_SECOND_STAGE
#include "../detector_second_stage_golden.h"
constexpr const int8_t* kGoldenOutputs = kDetectorGoldenCascade;
constexpr const bool* kGoldenIsMusic = kDetectorGoldenCascadeIsMusic;
#else
constexpr const int8_t* kGoldenOutputs = kDetectorGoldenOutputs;
constexpr const bool* kGoldenIsMusic = kDetectorGoldenIsMusic;
#endif

#endif  // GOLDEN_H_
