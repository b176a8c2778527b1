"""Engine `sherpa`: Matcha, Kokoro, Piper and other voices through sherpa-onnx, in this process."""
