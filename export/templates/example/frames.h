// From samples to the network's frames: ring, silence and front end.
#ifndef FRAMES_H_
#define FRAMES_H_

#include <cstddef>
#include <cstdint>

#include "../detector_dsp.h"
#include "tensorflow/lite/experimental/microfrontend/lib/frontend.h"
#include "tensorflow/lite/experimental/microfrontend/lib/frontend_util.h"

class Frames {
 public:
  Frames() = default;
  Frames(const Frames&) = delete;
  Frames& operator=(const Frames&) = delete;
  ~Frames() { End(); }

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
    config.noise_reduction.even_smoothing = DETECTOR_EVEN_SMOOTHING;
    config.noise_reduction.odd_smoothing = DETECTOR_ODD_SMOOTHING;
    config.noise_reduction.min_signal_remaining = DETECTOR_MIN_SIGNAL_REMAINING;
    config.pcan_gain_control.enable_pcan = DETECTOR_HAS_GAIN_CONTROL;
    config.pcan_gain_control.strength = DETECTOR_GAIN_STRENGTH;
    config.pcan_gain_control.offset = DETECTOR_GAIN_OFFSET;
    config.pcan_gain_control.gain_bits = DETECTOR_GAIN_BITS;
    has_frontend_ = FrontendPopulateState(&config, &frontend_, DETECTOR_SAMPLE_RATE_HZ) != 0;
    silence_ = DetectorSilence();
    ring_.next = 0;
    ring_.filled = 0;
    return has_frontend_;
  }

  // Takes 10 ms in. True where they end a frame; the first frame comes with the third.
  bool Process(const int16_t hop[DETECTOR_HOP_SAMPLES], int8_t frame[DETECTOR_CHANNELS]) {
    const bool is_quiet = Record(hop);
    const uint16_t* features = Features(hop);
    for (uint32_t channel = 0; features != nullptr && channel < DETECTOR_CHANNELS; ++channel) {
      frame[channel] = is_quiet ? static_cast<int8_t>(-128) : DetectorQuantize(features[channel]);
    }
    return features != nullptr;
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
  DetectorRing ring_;
};

#endif  // FRAMES_H_
