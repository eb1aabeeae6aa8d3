// Listening on a desktop: 16 kHz mono int16 from stdin; prints when music begins and ends, and writes the ring when it begins.
#ifndef LISTEN_H_
#define LISTEN_H_

#include <cstdint>
#include <cstdio>

#include "../detector_dsp.h"

// What a firmware does with the ring: hand it over in pieces, oldest first.
inline void WriteRing(const DetectorRing* ring, const char* path) {
  std::FILE* file = std::fopen(path, "wb");
  uint8_t piece[1024];
  uint32_t position = 0;
  while (file != nullptr) {
    const uint32_t n = DetectorRingRead(ring, position, piece, sizeof piece);
    if (n == 0) {
      std::fclose(file);
      return;
    }
    std::fwrite(piece, 1, n, file);
    position += n;
  }
}

template <class Listener>
void Listen(Listener* listener) {
  bool was_music = false;
  uint8_t bytes[2 * DETECTOR_HOP_SAMPLES];
  for (double seconds = 0.01; std::fread(bytes, 1, sizeof bytes, stdin) == sizeof bytes; seconds += 0.01) {
    int16_t hop[DETECTOR_HOP_SAMPLES];
    for (uint32_t i = 0; i < DETECTOR_HOP_SAMPLES; ++i) {
      const int32_t value = bytes[2 * i] + 256 * bytes[2 * i + 1];
      hop[i] = static_cast<int16_t>(value < 32768 ? value : value - 65536);
    }
    const auto step = listener->Process(hop);
    if (step.is_music != was_music) {
      was_music = step.is_music;
      std::printf("%.2f s: music %s\n", seconds, was_music ? "begins" : "ends");
      if (was_music) {
        WriteRing(listener->ring(), "ring.ulaw");
      }
    }
  }
}

#endif  // LISTEN_H_
