"""Engine `edge`: Microsoft Edge's voices, by edge-tts."""
