// The detector's whole path: samples in; ring, silence, front end, network and gate inside. Where the export has a second stage, it
// is run as well.
#ifndef LISTENER_H_
#define LISTENER_H_

#include <cstdint>

#include "../detector_dsp.h"
#include "../detector_network.h"
#include "frames.h"
#if __has_include("../detector_second_stage.h")
#include "../detector_second_stage.h"
#define LISTENER_SECOND_STAGE 1
#else
#define LISTENER_SECOND_STAGE 0
#endif

// The network in plain C.
class PlainNetwork {
 public:
  // Begins a new stream.
  bool Begin() {
    DetectorNetworkReset(&network_);
    return true;
  }
  bool Push(const int8_t frame[DETECTOR_CHANNELS], int8_t* output) { return DetectorNetworkPush(&network_, frame, output); }
  DetectorNetwork* get() { return &network_; }

 private:
  DetectorNetwork network_;
};

#if LISTENER_SECOND_STAGE
// Both stages in plain C.
class PlainCascade {
 public:
  // Begins a new stream.
  bool Begin() {
    DetectorNetworkReset(&network_);
    DetectorSecondStageReset(&second_stage_);
    return true;
  }
  bool Push(const int8_t frame[DETECTOR_CHANNELS], int8_t* output) {
    return DetectorCascadePush(&network_, &second_stage_, frame, output);
  }
  DetectorNetwork* get() { return &network_; }
  DetectorSecondStage* second_stage() { return &second_stage_; }

 private:
  DetectorNetwork network_;
  DetectorSecondStage second_stage_;
};
#endif

// `Network` is a class with Begin and Push as above.
template <class Network>
class ListenerOf {
 public:
  struct Step {
    bool has_frame;
    bool has_output;
    int8_t frame[DETECTOR_CHANNELS];
    int8_t output;
    bool is_music;
  };

  // Begins a new stream. False without memory for the front end's tables, or where the network cannot run.
  bool Begin() {
    gate_ = DetectorGate();
    return network_.Begin() && frames_.Begin();
  }

  // Takes 10 ms in.
  Step Process(const int16_t hop[DETECTOR_HOP_SAMPLES]) {
    Step step = {};
    step.has_frame = frames_.Process(hop, step.frame);
    if (step.has_frame) {
      step.has_output = network_.Push(step.frame, &step.output);
    }
    if (step.has_output) {
      DetectorGateStep(&gate_, step.output);
    }
    step.is_music = gate_.is_music;
    return step;
  }

  Network* network() { return &network_; }
  Frames* frames() { return &frames_; }
  DetectorRing* ring() { return frames_.ring(); }

 private:
  Frames frames_;
  Network network_;
  DetectorGate gate_;
};

#if LISTENER_SECOND_STAGE
using Listener = ListenerOf<PlainCascade>;
#else
using Listener = ListenerOf<PlainNetwork>;
#endif

#endif  // LISTENER_H_
