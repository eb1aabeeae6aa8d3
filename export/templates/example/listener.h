// The detector's whole path: samples in; ring, silence, front end, network and gate inside.
#ifndef LISTENER_H_
#define LISTENER_H_

#include <cstddef>
#include <cstdint>

#include "../detector_dsp.h"
#include "../detector_network.h"
#include "tensorflow/lite/experimental/microfrontend/lib/frontend.h"
#include "tensorflow/lite/experimental/microfrontend/lib/frontend_util.h"

class Listener {
 public:
  struct Step {
    bool has_frame;
    bool has_output;
    int8_t frame[DETECTOR_CHANNELS];
    int8_t output;
    bool is_music;
  };

  Listener() = default;
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener() { End(); }

  // Begins a new stream, also after the microphone was interrupted. False without memory for the front end's tables: it takes
  // them from the heap, once; frontend_memmap_generator of TensorFlow makes constant ones.
  bool Begin() {
    End();
    FrontendConfig config;
    FrontendFillConfigWithDefaults(&config);
    config.window.size_ms = 30;
    config.window.step_size_ms = 10;
    config.filterbank.num_channels = DETECTOR_CHANNELS;
    config.filterbank.lower_band_limit = 125.0f;
    config.filterbank.upper_band_limit = 7500.0f;
    config.pcan_gain_control.enable_pcan = 1;
    has_frontend_ = FrontendPopulateState(&config, &frontend_, DETECTOR_SAMPLE_RATE_HZ) != 0;
    silence_ = DetectorSilence();
    gate_ = DetectorGate();
    ring_.next = 0;
    ring_.filled = 0;
    DetectorNetworkReset(&network_);
    return has_frontend_;
  }

  // Takes 10 ms in.
  Step Process(const int16_t hop[DETECTOR_HOP_SAMPLES]) {
    Step step = {};
    const bool is_quiet = Record(hop);
    if (const uint16_t* features = Features(hop)) {
      step.has_frame = true;
      for (uint32_t channel = 0; channel < DETECTOR_CHANNELS; ++channel) {
        step.frame[channel] = is_quiet ? static_cast<int8_t>(-128) : DetectorQuantize(features[channel]);
      }
      step.has_output = DetectorNetworkPush(&network_, step.frame, &step.output);
    }
    if (step.has_output) {
      DetectorGateStep(&gate_, step.output);
    }
    step.is_music = gate_.is_music;
    return step;
  }

  // The parts of Process, to measure each.
  bool Record(const int16_t* hop) {
    DetectorRingWrite(&ring_, hop, DETECTOR_HOP_SAMPLES);
    return DetectorHopIsQuiet(&silence_, hop);
  }
  const uint16_t* Features(const int16_t* hop) {
    std::size_t n_read = 0;
    const FrontendOutput output = FrontendProcessSamples(&frontend_, hop, DETECTOR_HOP_SAMPLES, &n_read);
    return output.size == DETECTOR_CHANNELS ? output.values : nullptr;
  }
  DetectorNetwork* network() { return &network_; }
  DetectorRing* ring() { return &ring_; }

 private:
  void End() {
    if (has_frontend_) {
      FrontendFreeStateContents(&frontend_);
    }
    has_frontend_ = false;
  }

  bool has_frontend_ = false;
  FrontendState frontend_;
  DetectorSilence silence_;
  DetectorGate gate_;
  DetectorRing ring_;
  DetectorNetwork network_;
};

#endif  // LISTENER_H_
